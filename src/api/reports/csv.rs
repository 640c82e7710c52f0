//! Tables for spreadsheets: RFC 4180, in UTF-8 with its mark, so that Excel shows names as they are; and nothing in a cell is ever
//! taken for a formula.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use jiff::tz::TimeZone;

use super::{
    super::Problem,
    make::Scope,
    shapes::{AgentFigures, HandledFigures, QueueFigures, ReportAgents, ReportIntervals},
};
use crate::base::{AgentId, QueueId, Wall};

/// A text as a cell. What a spreadsheet would calculate is made a text by an apostrophe (OWASP: CSV injection).
pub fn cell(text: &str) -> String {
    let formula = text.starts_with(['\t', '\r'])
        || text.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', ';', '\n', '\r', '\t']) || text.starts_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// Whether a table is asked for rather than a document.
pub fn wanted(format: Option<&str>) -> Result<bool, Problem> {
    match format {
        None | Some("json") => Ok(false),
        Some("csv") => Ok(true),
        Some(_) => Err(Problem::invalid("format", "expected json or csv")),
    }
}

/// The first line, with the mark of UTF-8 before it.
pub fn head(names: &[&str]) -> String {
    format!("\u{feff}{}\r\n", names.join(","))
}

/// Lines whose cells are cells already.
pub fn lines(lines: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.join(","));
        text.push_str("\r\n");
    }
    text
}

fn table(names: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    head(names) + &lines(rows)
}

/// A number; nothing where there is none.
fn or_nothing<T: ToString>(n: Option<T>) -> String {
    n.map_or(String::new(), |n| n.to_string())
}

/// A column: its name, and what stands in it.
type Column<F> = (&'static str, fn(&F) -> String);

/// The figures of queues, in the order of their columns; after them what was handled.
const QUEUE: &[Column<QueueFigures>] = &[
    ("offered", |f| f.offered.to_string()),
    ("answered", |f| f.answered.to_string()),
    ("answered_in_time", |f| f.answered_in_time.to_string()),
    ("abandoned", |f| f.abandoned.to_string()),
    ("abandoned_short", |f| f.abandoned_short.to_string()),
    ("abandoned_in_time", |f| f.abandoned_in_time.to_string()),
    ("overflowed", |f| f.overflowed.to_string()),
    ("called_back", |f| f.called_back.to_string()),
    ("lost", |f| f.lost.to_string()),
    ("waiting", |f| f.waiting.to_string()),
    ("no_answer", |f| f.no_answer.to_string()),
    ("sl1", |f| or_nothing(f.sl1)),
    ("sl2", |f| or_nothing(f.sl2)),
    ("sl3", |f| or_nothing(f.sl3)),
    ("sl4", |f| or_nothing(f.sl4)),
    ("sl5", |f| or_nothing(f.sl5)),
    ("abandonment", |f| or_nothing(f.abandonment)),
    ("asa_ms", |f| or_nothing(f.asa_ms)),
    ("wait_p50_ms", |f| or_nothing(f.wait_p50_ms)),
    ("wait_p90_ms", |f| or_nothing(f.wait_p90_ms)),
    ("wait_p95_ms", |f| or_nothing(f.wait_p95_ms)),
    ("wait_max_ms", |f| f.wait_max_ms.to_string()),
];

/// What was handled: figures of queues and of agents alike.
const HANDLED: &[Column<HandledFigures>] = &[
    ("handled", |f| f.handled.to_string()),
    ("talk_ms", |f| f.talk_ms.to_string()),
    ("hold_ms", |f| f.hold_ms.to_string()),
    ("wrap_ms", |f| f.wrap_ms.to_string()),
    ("aht_ms", |f| or_nothing(f.aht_ms)),
    ("handle_p50_ms", |f| or_nothing(f.handle_p50_ms)),
    ("handle_p90_ms", |f| or_nothing(f.handle_p90_ms)),
    ("handle_p95_ms", |f| or_nothing(f.handle_p95_ms)),
    ("rated", |f| f.rated.to_string()),
    ("satisfied", |f| f.satisfied.to_string()),
];

/// The figures of agents, after what they handled.
const AGENT: &[Column<AgentFigures>] = &[
    ("offers", |f| f.offers.to_string()),
    ("no_answer", |f| f.no_answer.to_string()),
    ("signed_in_ms", |f| f.signed_in_ms.to_string()),
    ("talking_ms", |f| f.talking_ms.to_string()),
    ("wrapping_ms", |f| f.wrapping_ms.to_string()),
    ("alerting_ms", |f| f.alerting_ms.to_string()),
    ("idle_ms", |f| f.idle_ms.to_string()),
    ("not_ready_ms", |f| f.not_ready_ms.to_string()),
    ("away_ms", |f| f.away_ms.to_string()),
    ("occupancy", |f| or_nothing(f.occupancy)),
    ("utilisation", |f| or_nothing(f.utilisation)),
];

fn names<F>(columns: &[Column<F>]) -> impl Iterator<Item = &'static str> + '_ {
    columns.iter().map(|(name, _)| *name)
}

fn values<'a, F>(columns: &'a [Column<F>], of: &'a F) -> impl Iterator<Item = String> + 'a {
    columns.iter().map(move |(_, value)| value(of))
}

/// Queues by interval: id and name of the queue, the time of the business with its offset, the figures.
pub fn intervals(report: &ReportIntervals, s: &Scope) -> String {
    let zone = TimeZone::get(&report.zone).unwrap_or(TimeZone::UTC);
    let local = |from: &str| {
        let at = Wall::parse_rfc3339(from).map(|w| w.timestamp().to_zoned(zone.clone()));
        at.map_or(String::new(), |z| z.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
    };
    let name = |id: &str| QueueId::parse(id).ok().and_then(|id| s.settings.plan.queues.get(&id)).map(|q| q.name.clone());
    let line = |r: &super::ReportInterval| {
        let queue = r.queue.clone().unwrap_or_default();
        let place = [cell(&queue), cell(&name(&queue).unwrap_or_default()), local(r.from.as_deref().unwrap_or_default())];
        place.into_iter().chain(values(QUEUE, &r.figures)).chain(values(HANDLED, &r.figures.handled)).collect()
    };
    let head: Vec<_> = ["queue", "queue_name", "from"].into_iter().chain(names(QUEUE)).chain(names(HANDLED)).collect();
    table(&head, report.rows.iter().map(line))
}

/// Agents: id and name, the figures.
pub fn agents(report: &ReportAgents, s: &Scope) -> String {
    let name = |id: &str| AgentId::parse(id).ok().and_then(|id| s.settings.plan.agents.get(&id)).map(|a| a.name.clone());
    let line = |r: &super::ReportAgent| {
        let place = [cell(&r.agent), cell(&name(&r.agent).unwrap_or_default())];
        place.into_iter().chain(values(HANDLED, &r.figures.handled)).chain(values(AGENT, &r.figures)).collect()
    };
    let head: Vec<_> = ["agent", "agent_name"].into_iter().chain(names(HANDLED)).chain(names(AGENT)).collect();
    table(&head, report.rows.iter().map(line))
}

/// As a file to save.
pub fn answer(name: &str, text: String) -> Response {
    let named = format!("attachment; filename=\"{name}.csv\"");
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, named)], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_be_calculated_stays_a_name() {
        for (name, shown) in [
            ("Sales", "Sales"),
            ("=1+1", "'=1+1"),
            ("  @SUM(A1)", "'  @SUM(A1)"),
            ("+32", "'+32"),
            ("-2", "'-2"),
            ("\tx", "\"'\tx\""),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            ("a,b\r\nc", "\"a,b\r\nc\""),
            ("售后", "售后"),
        ] {
            assert_eq!(cell(name), shown, "{name}");
        }
        assert_eq!(table(&["a", "b"], [vec!["1".into(), "2".into()]].into_iter()), "\u{feff}a,b\r\n1,2\r\n");
        assert_eq!(names(QUEUE).take(2).collect::<Vec<_>>(), ["offered", "answered"]);
        let handled: Vec<_> = names(HANDLED).collect();
        assert!(handled.contains(&"handle_p95_ms") && handled.ends_with(&["rated", "satisfied"]), "{handled:?}");
    }
}
