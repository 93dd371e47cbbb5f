//! The sessions of all three roles: settings, and the token functions under their names.
//!
//! A plan has only the names of functions, so client, scheduler and executors must each register the same ones.

use ballista::prelude::SessionContextExt;
use ballista_core::utils::{default_config_producer, default_session_builder};
use datafusion::error::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SessionContext;
use datafusion::execution::session_state::SessionState;
use datafusion::prelude::SessionConfig;
use datafusion_functions_tiktally::register_all;

use crate::address::Address;

/// Documents have kilobytes where DataFusion's default of 8,192 rows expects numbers: 30 MB of text and as much of ids in each
/// batch. An executor that encodes 1 GB holds 280 MB with this, and 700 MB with the default (28 November 2026).
const BATCH_ROWS: usize = 1_024;

/// The executor that writes the file of a `COPY` holds a whole row group in memory, which has 1,048,576 rows by default.
const ROW_GROUP_ROWS: usize = 65_536;

/// Returns a session that runs in this process, with this many partitions.
///
/// # Errors
///
/// If a function cannot be registered.
pub fn local(partitions: usize) -> Result<SessionContext> {
    let config = SessionConfig::new()
        .with_information_schema(true)
        .with_target_partitions(partitions);
    let mut context = SessionContext::new_with_config(config);
    register_all(&mut context)?;
    Ok(context)
}

/// Returns a session that plans here and runs on a cluster. Without a number of partitions, Ballista chooses it.
///
/// # Errors
///
/// If the address is not valid, or a function cannot be registered.
pub async fn remote(scheduler: &Address, partitions: Option<usize>) -> Result<SessionContext> {
    let mut config = default_config_producer()
        .with_information_schema(true)
        // Texts of chunks and truncations are views into the batch of whole texts. On the wire each result batch would
        // carry that batch again: 405 MB instead of 73 for the chunks of 150 MB of text.
        .set_bool("datafusion.optimizer.expand_views_at_output", true)
        .with_batch_size(BATCH_ROWS);
    config.options_mut().execution.parquet.max_row_group_size = ROW_GROUP_ROWS;
    if let Some(partitions) = partitions {
        config = config.with_target_partitions(partitions);
    }
    let state = SessionStateBuilder::new()
        .with_default_features()
        .with_config(config)
        .build();
    let mut context =
        SessionContext::remote_with_state(&format!("http://{scheduler}"), state).await?;
    // Here and not in `state`: Ballista 55.0.0 replaces the scalar functions of the state that it is given. The test
    // `ballista_drops_functions_of_a_state` fails when that is mended.
    register_all(&mut context)?;
    Ok(context)
}

/// Returns the state in which the scheduler plans and an executor finds functions.
///
/// # Errors
///
/// If a function cannot be registered.
pub fn of_server(config: SessionConfig) -> Result<SessionState> {
    let mut state = default_session_builder(config)?;
    register_all(&mut state)?;
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::execution::FunctionRegistry;

    const URL: &str = "http://127.0.0.1:1";

    #[tokio::test]
    async fn ballista_drops_functions_of_a_state() {
        let mut state = SessionStateBuilder::new().with_default_features().build();
        register_all(&mut state).unwrap();
        assert!(state.scalar_functions().contains_key("count_tokens"));
        let context = SessionContext::remote_with_state(URL, state).await.unwrap();
        assert!(
            context.udf("count_tokens").is_err(),
            "Ballista keeps functions now: register them in the state, and drop the note in `remote`"
        );
    }

    #[tokio::test]
    async fn all_roles_have_the_functions() {
        let address = URL.parse().unwrap();
        assert!(
            remote(&address, None)
                .await
                .unwrap()
                .udf("count_tokens")
                .is_ok()
        );
        assert!(local(1).unwrap().udf("count_tokens").is_ok());
        let state = of_server(default_config_producer()).unwrap();
        assert!(state.scalar_functions().contains_key("count_tokens"));
    }
}
