//! Plans that travel to another machine, as Ballista sends them.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::SessionContext;
use datafusion_proto::bytes::{
    logical_plan_from_bytes, logical_plan_to_bytes, physical_plan_from_bytes,
    physical_plan_to_bytes,
};

use crate::session;

const SQL: &str = "SELECT count_tokens(text, 'cl100k_base') AS n, encode_tokens(text) AS ids,
    decode_tokens(encode_tokens(text)) AS same, truncate_tokens(text, 2) AS start, chunk_tokens(text, 5, 1, 'gpt2') AS chunks
    FROM (VALUES ('one two three four five six'), (NULL), ('hello world')) AS docs(text) ORDER BY n";

async fn shown(context: &SessionContext, plan: Arc<dyn ExecutionPlan>) -> Result<String> {
    let batches = collect(plan, context.task_ctx()).await?;
    Ok(arrow_cast::pretty::pretty_format_batches(&batches)?.to_string())
}

#[tokio::test]
async fn plans_are_equal_after_a_round_trip() -> Result<()> {
    let (here, there) = (session(), session());
    let plan = here.sql(SQL).await?.into_unoptimized_plan();
    let received = logical_plan_from_bytes(&logical_plan_to_bytes(&plan)?, &there.task_ctx())?;
    assert_eq!(format!("{plan:?}"), format!("{received:?}"));
    assert_eq!(plan, received, "the functions of two sessions are equal");

    let plan = here.state().create_physical_plan(&plan).await?;
    let received = physical_plan_from_bytes(
        &physical_plan_to_bytes(Arc::clone(&plan))?,
        &there.task_ctx(),
    )?;
    assert_eq!(
        displayable(&*plan).indent(true).to_string(),
        displayable(&*received).indent(true).to_string()
    );
    let result = shown(&here, plan).await?;
    assert_eq!(result, shown(&there, received).await?);
    assert!(
        result.contains("[one two three four five,  five six]"),
        "{result}"
    );
    Ok(())
}

#[tokio::test]
async fn a_machine_without_the_functions_names_the_missing_one() -> Result<()> {
    let plan = session().sql(SQL).await?.into_unoptimized_plan();
    let bytes = logical_plan_to_bytes(&plan)?;
    let error = logical_plan_from_bytes(&bytes, &SessionContext::new().task_ctx()).unwrap_err();
    assert!(error.to_string().contains("_tokens"), "{error}");
    Ok(())
}
