//! The options of `COPY … TO … STORED AS PARQUET`, on their way to a cluster.

use std::sync::Arc;

use datafusion::config::ConfigFileType;
use datafusion::datasource::file_format::parquet::ParquetFormatFactory;
use datafusion::datasource::file_format::{file_type_to_format, format_as_file_type};
use datafusion::error::Result;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::LogicalPlan;

/// Returns the plan with the session's options for Parquet, and those of the statement, inside the format.
///
/// A plan that is sent away has the options of its format alone: DataFusion 55 leaves out those of the statement, and a
/// format that arrives has precedence over the settings of the session.
///
/// # Errors
///
/// If an option is unknown or has a wrong value.
pub fn with_options(mut plan: LogicalPlan, context: &SessionContext) -> Result<LogicalPlan> {
    let LogicalPlan::Copy(copy) = &mut plan else {
        return Ok(plan);
    };
    let format = file_type_to_format(&copy.file_type)?;
    if format.get_ext() == "parquet" {
        let mut options = context.state().default_table_options();
        options.set_config_format(ConfigFileType::PARQUET);
        options.alter_with_string_hash_map(&copy.options)?;
        let format = ParquetFormatFactory::new_with_options(options.parquet);
        copy.file_type = format_as_file_type(Arc::new(format));
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session;

    /// Returns the rows of a row group in the format of a `COPY` with these options.
    async fn row_group(options: &str) -> usize {
        let context = session::remote(&"http://127.0.0.1:1".parse().unwrap(), None)
            .await
            .unwrap();
        let sql = format!("COPY (SELECT 1) TO 'a.parquet' STORED AS PARQUET {options}");
        let plan = context.state().create_logical_plan(&sql).await.unwrap();
        let LogicalPlan::Copy(copy) = with_options(plan, &context).unwrap() else {
            panic!("no COPY")
        };
        let format = file_type_to_format(&copy.file_type).unwrap();
        let format = format.downcast_ref::<ParquetFormatFactory>().unwrap();
        format.options.as_ref().unwrap().global.max_row_group_size
    }

    #[tokio::test]
    async fn the_format_has_the_options_of_the_session_and_of_the_statement() {
        assert_eq!(row_group("").await, 65_536);
        assert_eq!(row_group("OPTIONS ('max_row_group_size' 7)").await, 7);
    }
}
