//! Tables for spreadsheets: RFC 4180, in UTF-8 with its mark, so that Excel shows names as they are; and nothing in a cell is ever
//! taken for a formula.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use jiff::tz::TimeZone;

use super::{
    make::Scope,
    shapes::{QueueFigures, ReportAgents, ReportIntervals},
};
use crate::base::{AgentId, QueueId, Wall};

/// A text as a cell. What a spreadsheet would calculate is made a text by an apostrophe (OWASP: CSV injection).
fn cell(text: &str) -> String {
    let formula = text.starts_with(['\t', '\r'])
        || text.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', ';', '\n', '\r', '\t']) || text.starts_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

fn table(head: &[&str], lines: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = format!("\u{feff}{}\r\n", head.join(","));
    for line in lines {
        text.push_str(&line.join(","));
        text.push_str("\r\n");
    }
    text
}

/// A number; nothing where there is none.
fn or_nothing<T: ToString>(n: Option<T>) -> String {
    n.map_or(String::new(), |n| n.to_string())
}

const FIGURES: [&str; 32] = [
    "offered",
    "answered",
    "answered_in_time",
    "abandoned",
    "abandoned_short",
    "abandoned_in_time",
    "overflowed",
    "called_back",
    "lost",
    "waiting",
    "no_answer",
    "sl1",
    "sl2",
    "sl3",
    "sl4",
    "sl5",
    "abandonment",
    "asa_ms",
    "wait_p50_ms",
    "wait_p90_ms",
    "wait_p95_ms",
    "wait_max_ms",
    "handled",
    "talk_ms",
    "hold_ms",
    "wrap_ms",
    "aht_ms",
    "handle_p50_ms",
    "handle_p90_ms",
    "handle_p95_ms",
    "rated",
    "satisfied",
];

fn figures(f: &QueueFigures) -> [String; 32] {
    [
        f.offered.to_string(),
        f.answered.to_string(),
        f.answered_in_time.to_string(),
        f.abandoned.to_string(),
        f.abandoned_short.to_string(),
        f.abandoned_in_time.to_string(),
        f.overflowed.to_string(),
        f.called_back.to_string(),
        f.lost.to_string(),
        f.waiting.to_string(),
        f.no_answer.to_string(),
        or_nothing(f.sl1),
        or_nothing(f.sl2),
        or_nothing(f.sl3),
        or_nothing(f.sl4),
        or_nothing(f.sl5),
        or_nothing(f.abandonment),
        or_nothing(f.asa_ms),
        or_nothing(f.wait_p50_ms),
        or_nothing(f.wait_p90_ms),
        or_nothing(f.wait_p95_ms),
        f.wait_max_ms.to_string(),
        f.handled.to_string(),
        f.talk_ms.to_string(),
        f.hold_ms.to_string(),
        f.wrap_ms.to_string(),
        or_nothing(f.aht_ms),
        or_nothing(f.handle_p50_ms),
        or_nothing(f.handle_p90_ms),
        or_nothing(f.handle_p95_ms),
        f.rated.to_string(),
        f.satisfied.to_string(),
    ]
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
        place.into_iter().chain(figures(&r.figures)).collect()
    };
    let head: Vec<&str> = ["queue", "queue_name", "from"].into_iter().chain(FIGURES).collect();
    table(&head, report.rows.iter().map(line))
}

/// Agents: id and name, the figures.
pub fn agents(report: &ReportAgents, s: &Scope) -> String {
    let name = |id: &str| AgentId::parse(id).ok().and_then(|id| s.settings.plan.agents.get(&id)).map(|a| a.name.clone());
    let head = "agent,agent_name,handled,talk_ms,hold_ms,wrap_ms,aht_ms,handle_p50_ms,handle_p90_ms,rated,satisfied,offers,no_answer,signed_in_ms,\
                talking_ms,wrapping_ms,alerting_ms,idle_ms,not_ready_ms,away_ms,occupancy,utilisation";
    let line = |r: &super::ReportAgent| {
        let f = &r.figures;
        vec![
            cell(&r.agent),
            cell(&name(&r.agent).unwrap_or_default()),
            f.handled.to_string(),
            f.talk_ms.to_string(),
            f.hold_ms.to_string(),
            f.wrap_ms.to_string(),
            or_nothing(f.aht_ms),
            or_nothing(f.handle_p50_ms),
            or_nothing(f.handle_p90_ms),
            f.rated.to_string(),
            f.satisfied.to_string(),
            f.offers.to_string(),
            f.no_answer.to_string(),
            f.signed_in_ms.to_string(),
            f.talking_ms.to_string(),
            f.wrapping_ms.to_string(),
            f.alerting_ms.to_string(),
            f.idle_ms.to_string(),
            f.not_ready_ms.to_string(),
            f.away_ms.to_string(),
            or_nothing(f.occupancy),
            or_nothing(f.utilisation),
        ]
    };
    table(&head.split(',').collect::<Vec<_>>(), report.rows.iter().map(line))
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
        assert_eq!(table(&FIGURES, std::iter::empty()).matches(',').count(), FIGURES.len() - 1);
    }
}
