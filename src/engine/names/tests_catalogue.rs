//! Every name there is, as people write it: without quotes, in every clause, planned.

use super::fields;
use crate::config::Resources;
use crate::engine::{Engine, Scope, Session};

const MEMORY: u64 = 64 << 20;

async fn session() -> Session {
    let resources = Resources {
        memory_limit: MEMORY,
        threads: 1,
    };
    Engine::empty(resources).unwrap().session(Scope::default()).unwrap()
}

/// The names of a query's columns, or what is wrong with it.
async fn columns(session: &Session, sql: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let planned = session.plan(sql).await.map_err(|error| format!("{sql}: {error}"))?;
    session
        .physical(&planned.plan)
        .await
        .map_err(|error| format!("{sql}: {error}"))?;
    let names = planned.plan.schema().fields().iter().map(|field| field.name().clone());
    Ok((names.collect(), planned.resolution.raw_fields))
}

#[tokio::test]
async fn every_name_of_the_catalogue_in_every_clause() {
    let session = session().await;
    let mut wrong = vec![];
    let mut raw = vec![];
    for name in fields::names() {
        // Grouped by first, so that the planner has to recognise the name in all clauses.
        let sql = format!("SELECT {name} FROM events WHERE {name} IS NOT NULL GROUP BY {name} ORDER BY {name}");
        match columns(&session, &sql).await {
            Ok((columns, _)) if columns != [name] => wrong.push(format!("{name} gives {columns:?}")),
            Ok((_, fields)) => raw.extend(fields),
            Err(error) => wrong.push(error),
        }
        let sql = format!("SELECT e.{name} AS n FROM events AS e WHERE e.{name} IS NULL");
        if let Err(error) = columns(&session, &sql).await {
            wrong.push(error);
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(raw, [""; 0], "no field with a column is read from the record's text");
}

#[tokio::test]
async fn keywords_are_names_beside_a_dot() {
    let session = session().await;
    let words = "user User USER current_user session_user current_date current_time localtime group order from end \
                 case date time timestamp interval position all any value values key type name select where not null \
                 in is true false union join on left as by limit exists cast extract array struct map row table with \
                 when then else and or like between distinct over window partition filter having using offset fetch \
                 trim substring overlay floor ceil default set drop index primary at zone lambda";
    for word in words.split_whitespace() {
        for name in [
            format!("related.{word}"),
            format!("o365.audit.Parameters.{word}"),
            format!("kibana.alert.original_event.{word}"),
            format!("source.{word}.email"),
            format!("azure.auditlogs.properties.initiated_by.{word}.id"),
            format!("labels.{word}.{word}"),
        ] {
            let sql = format!(
                "SELECT {name}, e.{name} AS u FROM events AS e WHERE {name} = 'x' AND e.{name} IS NOT NULL \
                 GROUP BY {name} ORDER BY {name}"
            );
            match columns(&session, &sql).await {
                Ok((columns, _)) => assert_eq!(columns[0], name),
                Err(error) => assert!(error.contains("did you mean"), "{error}"),
            }
        }
    }
}

#[tokio::test]
async fn keywords_that_are_names_alone() {
    let session = session().await;
    for (sql, expected) in [
        (
            "SELECT user.name AS user, count(*) AS n FROM events GROUP BY user ORDER BY user",
            &["user", "n"][..],
        ),
        (
            "WITH t AS (SELECT user.name AS user, event.end AS time, event.code AS value FROM events) \
             SELECT user, t.user AS again, time, value FROM t WHERE user = 'ann' AND t.user LIKE 'a%'",
            &["user", "again", "time", "value"],
        ),
        (
            "SELECT e.* EXCLUDE (raw) FROM (SELECT raw, user.id FROM events) AS e",
            &["user.id"],
        ),
        (
            "SELECT case.user FROM (SELECT user.id AS user FROM events) AS case",
            &["user"],
        ),
    ] {
        match columns(&session, sql).await {
            Ok((columns, _)) => assert_eq!(columns, expected, "{sql}"),
            Err(error) => panic!("{error}"),
        }
    }
    let unknown = columns(&session, "SELECT user FROM events").await.unwrap_err();
    assert!(unknown.contains("unknown column user in events"), "{unknown}");
}
