//! One session: the tables and views as of one scope, and statements run against them.

use super::compact_exec::CompactBeforeSorts;
use super::conditions::FreeConditions;
use super::distinct_first::DistinctFirst;
use super::empty_scans::EmptyScans;
use super::join_sides::JoinSides;
use super::keyed_spans::KeyedSpans;
use super::lifting::{self, Lifted, Ticks};
use super::list_conditions::ListConditions;
use super::mentioned::Mentioned;
use super::names::{Clock, Names, Resolution, parse_expression, parse_query};
use super::not_in::NotInList;
use super::raw_field::raw_field_udf;
use super::scan_figures::Running;
use super::shared_scan::SharedPlan;
use super::single_values::SingleValues;
use super::spans_first::SpansFirst;
use super::{Engine, View, repeatable};
use crate::error::{Error, Result, place};
use crate::functions;
use datafusion::catalog::TableProvider;
use datafusion::common::{DataFusionError, Result as DfResult, ScalarValue, TableReference};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, col, lit};
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Ident, SelectItem, SetExpr, Statement, TableFactor, visit_expressions_mut,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Rows of a batch where memory is short: with the text of their records, a megabyte.
const FRUGAL_ROWS: usize = 256;

/// Events outside of `(after, until]` do not exist. Microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Excluded.
    pub after: i64,
    /// Included.
    pub until: i64,
}

/// What a session sees.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scope {
    /// Which events exist; all of them when absent.
    pub window: Option<Window>,
    /// What `now()` is; the clock's time when absent.
    pub now: Option<Clock>,
}

/// A planned statement and what was found out about it.
#[derive(Debug)]
pub struct Planned {
    /// The logical plan, analysed but not optimised.
    pub plan: LogicalPlan,
    /// What its names stand for.
    pub resolution: Resolution,
}

/// A session over an engine.
pub struct Session {
    engine: Engine,
    scope: Scope,
    context: SessionContext,
    /// Held while tables are registered for one statement.
    planning: Mutex<()>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(engine: &Engine, scope: Scope) -> Result<Self> {
        let mut config = SessionConfig::new()
            .with_target_partitions(engine.threads())
            .with_information_schema(true)
            .with_default_catalog_and_schema("retrohunt", "lake");
        let options = config.options_mut();
        // Names are resolved before planning, which folds no case itself.
        options.sql_parser.enable_ident_normalization = false;
        // Errors say where in the text they are.
        options.sql_parser.collect_spans = true;
        options.execution.parquet.pushdown_filters = true;
        options.execution.parquet.reorder_filters = true;
        // Scans have looked at filters when they are planned (`lake/needles`).
        options.execution.parquet.bloom_filter_on_read = false;
        options.execution.time_zone = Some("UTC".into());
        // Every sort of every thread sets this aside, however little it sorts.
        let part = engine.memory_of_queries() / (64 * engine.threads() as u64);
        options.execution.sort_spill_reservation_bytes = usize::try_from(part).unwrap_or(usize::MAX).min(10 << 20);
        // Of several bounds it forgets those that have no value yet: `min(a), max(b)` reads no row
        // with the first `b` after rows without one (DataFusion 55).
        options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
        options.optimizer.prefer_hash_join = !engine.sorts_joins();
        // Rows whose keys are together are so with a tick among them.
        options.optimizer.subset_repartition_threshold = 1;
        if engine.is_frugal() {
            config = config.with_batch_size(FRUGAL_ROWS);
        }
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(Arc::clone(&engine.runtime))
            .with_default_features()
            .with_optimizer_rules(optimizer_rules())
            .with_query_planner(Arc::new(lifting::LiftingPlanner))
            .with_physical_optimizer_rules(physical_rules(engine.is_frugal()))
            .build();
        let mut context = SessionContext::new_with_state(state);
        functions::register_all(&mut context)?;
        context.register_udf(raw_field_udf());
        context.register_udf(lifting::tick_udf());
        Ok(Self {
            engine: engine.clone(),
            scope,
            context,
            planning: Mutex::default(),
        })
    }

    /// The window, if there are events outside of it. To ask each event of the lake for its time
    /// takes a part of a hunt that can be seen.
    fn window(&self) -> Option<Window> {
        let window = self.scope.window?;
        let all_inside = (self.engine.times).is_some_and(|(first, last)| window.after < first && last <= window.until);
        (!all_inside).then_some(window)
    }

    /// Registers the tables with the columns that are mentioned, or with all.
    fn register_tables(&self, mentioned: Option<&Mentioned>) -> Result<()> {
        for (name, table) in &self.engine.tables {
            let table = match mentioned {
                Some(mentioned) => mentioned.of_table(table),
                None => Arc::clone(table),
            };
            let reference = TableReference::bare(name.as_str());
            self.context.deregister_table(reference.clone())?;
            self.context
                .register_table(reference, in_window(name, table, self.window())?)?;
        }
        Ok(())
    }

    /// Plans a statement that only reads. Errors name what is unknown and what is like it.
    pub async fn plan(&self, sql: &str) -> Result<Planned> {
        self.plan_with(sql, &[]).await
    }

    /// Plans a query whose SELECT has these columns as well: (expression, name). Names in
    /// the expressions are of the first table that FROM names.
    pub async fn plan_with(&self, sql: &str, extra: &[(&str, &str)]) -> Result<Planned> {
        let query = |error: super::NameError| Error::Query(error.to_string());
        let mut statement = parse_query(sql).map_err(query)?;
        if matches!(statement, Statement::ShowTables { .. }) {
            return self.show_tables().await;
        }
        if !extra.is_empty() {
            add_columns(&mut statement, extra)?;
        }
        let names = self.engine.names_for(sql).await?;
        let resolution = match names.resolve(&mut statement, self.scope.now) {
            Ok(resolution) => resolution,
            // Once more, for a message that knows all tables.
            Err(super::NameError::UnknownTable { .. }) => {
                statement = parse_query(sql).map_err(query)?;
                if !extra.is_empty() {
                    add_columns(&mut statement, extra)?;
                }
                let names = self.engine.all_names().await?;
                names.resolve(&mut statement, self.scope.now).map_err(query)?
            }
            Err(error) => return Err(query(error)),
        };
        let plan = match self.planned(statement, &resolution).await? {
            Ok(plan) => plan,
            Err(error) => return Err(self.explained(error).await),
        };
        let read_only = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        read_only.verify_plan(&plan)?;
        functions::check_constants(&plan)?;
        // With a clock of its own, a query is evaluated again and must give the same.
        let plan = match self.scope.now {
            Some(_) => repeatable::with_orders(plan)?,
            None => plan,
        };
        Ok(Planned { plan, resolution })
    }

    /// What the planner says, with the names that may have been meant.
    async fn explained(&self, error: DataFusionError) -> Error {
        if Names::explains(&error)
            && let Ok(names) = self.engine.all_names().await
            && let Some(message) = names.explain_plan_error(&error)
        {
            return Error::Query(message + &place(&error));
        }
        error.into()
    }

    /// The plan of a statement whose names have been resolved, or what the planner says.
    async fn planned(&self, statement: Statement, resolution: &Resolution) -> Result<DfResult<LogicalPlan>> {
        let _one_at_a_time = self.planning.lock().await;
        self.register_views(&resolution.tables).await?;
        let mentioned = match resolution.unnamed_columns {
            true => None,
            false => Mentioned::of(&statement.to_string()),
        };
        self.register_tables(mentioned.as_ref())?;
        let statement = DfStatement::Statement(Box::new(statement));
        let planned = self.context.state().statement_to_plan(statement.clone()).await;
        if planned.is_ok() || mentioned.is_none() {
            return Ok(planned);
        }
        // For a message that knows all columns.
        self.register_tables(None)?;
        Ok(self.context.state().statement_to_plan(statement).await)
    }

    /// Tables and views, without the engine's own schema.
    async fn show_tables(&self) -> Result<Planned> {
        let _one_at_a_time = self.planning.lock().await;
        let views: Vec<String> = self.engine.views.iter().map(|view| view.name.clone()).collect();
        self.register_views(&views).await?;
        self.register_tables(None)?;
        let sql = "SELECT table_name, CASE table_type WHEN 'VIEW' THEN 'view' ELSE 'table' END AS kind \
                   FROM information_schema.tables WHERE table_schema = 'lake' ORDER BY kind, table_name";
        Ok(Planned {
            plan: self.context.state().create_logical_plan(sql).await?,
            resolution: Resolution::default(),
        })
    }

    async fn register_views(&self, used: &[String]) -> Result<()> {
        for view in self.engine.views.iter().filter(|view| used.contains(&view.name)) {
            let name = TableReference::bare(view.name.as_str());
            if !self.context.table_exist(name.clone())? {
                let plan = self.view_plan(view).await?;
                let table = self.context.execute_logical_plan(plan).await?.into_view();
                self.context.register_table(name, table)?;
            }
        }
        Ok(())
    }

    pub(super) async fn view_plan(&self, view: &View) -> Result<LogicalPlan> {
        self.register_tables(Mentioned::of(&view.sql).as_ref())?;
        self.context
            .state()
            .create_logical_plan(&view.sql)
            .await
            .map_err(|error| Error::Internal(format!("view {}: {error}", view.name)))
    }

    /// Rewrites a plan of a session whose clock is [`Clock::Tick`], and whose window goes
    /// from the first tick's to the last tick, so that it answers for every tick.
    /// Questions that come with the plan may be asked; lifting again with the answers gives a
    /// plan that reads less.
    pub fn lift(&self, plan: &LogicalPlan, ticks: Ticks, answers: &BTreeMap<usize, Arc<KeyedSpans>>) -> Result<Lifted> {
        lifting::lift(plan, &self.context.state(), ticks, answers)
    }

    /// The plan as it is evaluated, for people to read.
    pub fn optimized(&self, plan: &LogicalPlan) -> Result<LogicalPlan> {
        Ok(self.context.state().optimize(plan)?)
    }

    /// The physical plan of a logical one.
    pub async fn physical(&self, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self.context.state().create_physical_plan(plan).await?)
    }

    /// Runs a plan; rows come in no particular order unless it says so.
    pub async fn run(&self, plan: &LogicalPlan) -> Result<SendableRecordBatchStream> {
        let physical = self.physical(plan).await?;
        Ok(execute_stream(physical, self.context.task_ctx())?)
    }

    /// As [`Self::run`], and counts what is read.
    pub async fn run_counted(&self, plan: &LogicalPlan) -> Result<Running> {
        let physical = self.physical(plan).await?;
        let rows = execute_stream(Arc::clone(&physical), self.context.task_ctx())?;
        Ok(Running::new(rows, physical))
    }

    /// Runs a plan whose scans are shared with those of others.
    pub fn run_shared(&self, shared: SharedPlan) -> Result<Running> {
        let rows = shared.run(self.context.task_ctx())?;
        Ok(Running::shared(rows, shared))
    }

    /// Plans and runs a statement.
    pub async fn query(&self, sql: &str) -> Result<SendableRecordBatchStream> {
        let planned = self.plan(sql).await?;
        self.run(&planned.plan).await
    }

    /// DataFusion's session, for plans that are not built from SQL text.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }
}

/// DataFusion's rules for logical plans, and ours.
fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    let pushdown = place_of("push_down_filter", rules.iter().map(|rule| rule.name()));
    rules.insert(pushdown, Arc::new(FreeConditions));
    rules.push(Arc::new(EmptyScans));
    rules.push(Arc::new(NotInList));
    rules.push(Arc::new(DistinctFirst));
    rules
}

/// DataFusion's rules for physical plans, and ours in their places.
fn physical_rules(frugal: bool) -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = lifting::physical_rules().to_vec();
    rules.extend(PhysicalOptimizer::new().rules);
    let selection = rules.iter().position(|rule| rule.name() == "join_selection");
    rules.insert(selection.map_or(rules.len(), |place| place + 1), Arc::new(JoinSides));
    let pushdown = place_of("FilterPushdown", rules.iter().map(|rule| rule.name()));
    rules.insert(pushdown, Arc::new(ListConditions));
    let sorts = place_of("EnsureRequirements", rules.iter().map(|rule| rule.name()));
    rules.insert(sorts, Arc::new(SingleValues));
    rules.push(Arc::new(SpansFirst));
    if frugal {
        rules.push(Arc::new(CompactBeforeSorts));
    }
    rules
}

/// Where the rule of this name is among all; behind them where there is none.
fn place_of<'a>(name: &str, mut names: impl ExactSizeIterator<Item = &'a str>) -> usize {
    let all = names.len();
    names.position(|one| one == name).unwrap_or(all)
}

/// Adds columns to the SELECT of a query, to each branch of a UNION.
fn add_columns(statement: &mut Statement, extra: &[(&str, &str)]) -> Result<()> {
    match statement {
        Statement::Query(query) => add_to_body(&mut query.body, extra),
        _ => Err(Error::Query("a detection is one SELECT".into())),
    }
}

fn add_to_body(body: &mut SetExpr, extra: &[(&str, &str)]) -> Result<()> {
    match body {
        SetExpr::Query(query) => add_to_body(&mut query.body, extra),
        SetExpr::SetOperation { left, right, .. } => {
            add_to_body(left, extra)?;
            add_to_body(right, extra)
        }
        SetExpr::Select(select) => {
            let table = select.from.first().and_then(|from| match &from.relation {
                TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
                    Some(alias.name.clone())
                }
                TableFactor::Table { name, .. } => name.0.last().and_then(|part| part.as_ident().cloned()),
                _ => None,
            });
            for (expression, name) in extra {
                let mut expr =
                    parse_expression(expression).map_err(|error| Error::Query(format!("{expression:?}: {error}")))?;
                // A dotted name is a field, which the resolver finds in its own way.
                if let Some(table) = table.as_ref().filter(|_| !expression.contains('.')) {
                    qualify(&mut expr, table);
                }
                select.projection.push(SelectItem::ExprWithAlias {
                    expr,
                    alias: Ident::with_quote('"', *name),
                });
            }
            Ok(())
        }
        _ => Err(Error::Query("a detection is one SELECT".into())),
    }
}

/// Puts the table before every plain column name.
fn qualify(expr: &mut SqlExpr, table: &Ident) {
    // The visitor never breaks, so there is no result to look at.
    let _ = visit_expressions_mut(expr, |inner| {
        if let SqlExpr::Identifier(name) = inner {
            *inner = SqlExpr::CompoundIdentifier(vec![table.clone(), name.clone()]);
        }
        ControlFlow::<()>::Continue(())
    });
}

/// The table as a window sees it.
fn in_window(name: &str, table: Arc<dyn TableProvider>, window: Option<Window>) -> Result<Arc<dyn TableProvider>> {
    let Some(window) = window.filter(|_| name == "events") else {
        return Ok(table);
    };
    let at = |micros| lit(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())));
    let inside = col("timestamp")
        .gt(at(window.after))
        .and(col("timestamp").lt_eq(at(window.until)));
    let plan = LogicalPlanBuilder::scan(name, provider_as_source(table), None)?
        .filter(inside)?
        .build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}
