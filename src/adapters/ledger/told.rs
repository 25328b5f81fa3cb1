//! What routes have been told: marks are events of their own, and `told_state` keeps the newest of each subject.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde_json::Value;

use super::error::{Fault, LedgerError};
use super::open::LedgerReader;
use super::text::{json, read_json};
use super::write;
use crate::model::ids::RouteName;
use crate::model::outbox::Mark;

/// The newest state of each subject of each route, as JSON.
type Told = BTreeMap<(String, String), String>;

impl LedgerReader {
    /// What each route knows, by subject: the newest marks.
    ///
    /// # Errors
    /// `Broken` if a state does not read back.
    pub fn told(&self) -> Result<BTreeMap<(RouteName, String), Value>, LedgerError> {
        self.consistent(|connection| {
            let mut told = BTreeMap::new();
            for (row, ((route, subject), state)) in (1..).zip(load(connection)?) {
                let state = read_json(&state, "what was told, row", row)?;
                told.insert((RouteName::new(route), subject), state);
            }
            Ok(told)
        })
    }
}

/// Writes marks, and what is known with them. `message`: the one that carries them, if one does.
pub(super) fn mark<'a>(
    connection: &Connection,
    scan: i64,
    message: Option<i64>,
    marks: impl IntoIterator<Item = (&'a RouteName, &'a Mark)>,
) -> Result<(), Fault> {
    let columns = ["scan", "message", "route", "subject", "state"];
    for (route, mark) in marks {
        let state = mark.state.as_ref().map(json).transpose()?;
        let values = params![scan, message, route.as_str(), mark.subject, state];
        write::append(connection, "mark_event", &columns, values)?;
        put(connection, route.as_str(), &mark.subject, state.as_deref())?;
    }
    Ok(())
}

/// The marks of a message.
pub(super) fn of_message(connection: &Connection, message: i64) -> Result<Vec<Mark>, Fault> {
    let mut query =
        connection.prepare_cached("SELECT seq, subject, state FROM mark_event WHERE message = ?1 ORDER BY seq")?;
    let mut rows = query.query([message])?;
    let mut marks = Vec::new();
    while let Some(row) = rows.next()? {
        let state: Option<String> = row.get(2)?;
        // A state may itself be JSON's null, which is not the same as none.
        let state = state.map(|text| read_json::<Value>(&text, "mark", row.get(0)?)).transpose()?;
        marks.push(Mark { subject: row.get(1)?, state });
    }
    Ok(marks)
}

fn put(connection: &Connection, route: &str, subject: &str, state: Option<&str>) -> Result<(), Fault> {
    match state {
        Some(state) => connection
            .prepare_cached(
                "INSERT INTO told_state (route, subject, state) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (route, subject) DO UPDATE SET state = excluded.state",
            )?
            .execute([route, subject, state])?,
        None => connection
            .prepare_cached("DELETE FROM told_state WHERE route = ?1 AND subject = ?2")?
            .execute([route, subject])?,
    };
    Ok(())
}

/// The table.
pub(super) fn load(connection: &Connection) -> Result<Told, Fault> {
    let mut query = connection.prepare_cached("SELECT route, subject, state FROM told_state")?;
    let rows = query.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What the marks give, from the first on.
pub(super) fn replay(connection: &Connection) -> Result<Told, Fault> {
    let mut told = Told::new();
    let mut query = connection.prepare_cached("SELECT route, subject, state FROM mark_event ORDER BY seq")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let key = (row.get(0)?, row.get(1)?);
        match row.get(2)? {
            Some(state) => told.insert(key, state),
            None => told.remove(&key),
        };
    }
    Ok(told)
}

/// Makes the table anew from the marks.
pub(super) fn rebuild(connection: &Connection) -> Result<(), Fault> {
    connection.execute("DELETE FROM told_state", [])?;
    for ((route, subject), state) in replay(connection)? {
        put(connection, &route, &subject, Some(&state))?;
    }
    Ok(())
}
