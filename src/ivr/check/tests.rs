//! The flows we ship are clean, and every fault we know how to make is found at its line.

use std::sync::Arc;

use super::*;
use crate::{
    base::{FlowId, Wall},
    ivr::{Hours, HoursState},
};

const MAIN: &str = include_str!("../../../ivr-flows/main.yaml");
const ORDER: &str = include_str!("../../../ivr-flows/order-status.yaml");

#[derive(Debug)]
struct AlwaysOpen;
impl Hours for AlwaysOpen {
    fn state(&self, calendar: &CalendarId, _: Wall) -> Option<HoursState> {
        (calendar.as_str() == "shop").then_some(HoursState::Open)
    }
}

fn read(file: &str, text: &str) -> Arc<Flow> {
    Arc::new(Flow::parse(file, text).unwrap_or_else(|e| panic!("{e}")))
}

/// The library with both flows we ship, `replaced` in place of the one of its name.
pub(in crate::ivr) fn library(replaced: Option<&Arc<Flow>>) -> Library {
    let mut flows: BTreeMap<FlowId, Arc<Flow>> =
        [read("main.yaml", MAIN), read("order-status.yaml", ORDER)].into_iter().map(|f| (f.id.clone(), f)).collect();
    flows.extend(replaced.map(|f| (f.id.clone(), f.clone())));
    Library { flows, hours: Arc::new(AlwaysOpen), config: BTreeMap::new() }
}

fn catalog() -> Catalog<'static> {
    fn ids<T: std::str::FromStr + Ord>(all: &[&str]) -> BTreeSet<T> {
        all.iter().filter_map(|s| s.parse().ok()).collect()
    }
    Catalog {
        queues: ids(&["support", "sales"]),
        skills: ids(&["orders", "returns", "complaints", "sales", "lang-zh", "lang-en"]),
        slas: ids(&["voicemail_4h"]),
        music: BTreeSet::from(["default".to_owned()]),
        calendars: [(CalendarId::parse("shop").expect("id"), CalendarInfo { zone_known: true, holidays_months: 13 })].into(),
        urls: vec!["http://127.0.0.1:8090/".to_owned()],
        transfer_prefixes: vec!["+8621".to_owned()],
        ..Catalog::default()
    }
}

fn findings(text: &str) -> Vec<Finding> {
    let flow = read("f.yaml", text);
    check(&flow, &library(Some(&flow)), &catalog()).into_iter().filter(|f| f.severity < Severity::Note).collect()
}

#[test]
fn the_flows_we_ship_have_nothing_to_complain_about_and_their_stories_come_true() {
    for (text, stories) in [(MAIN, 10), (ORDER, 5)] {
        let flow = read("f.yaml", text);
        let report = test::run(&flow, &library(None));
        assert!(report.passed() && report.results.len() >= stories, "{report}");
        let all: Vec<String> = findings(text).iter().map(ToString::to_string).collect();
        assert!(all.is_empty(), "{}", all.join("\n"));
        assert!(crate::ivr::graph(&flow).contains(&format!("\"·start\" -> \"{}\"", flow.start.it)));
    }
}

/// Replaces `from` in `text` and expects `rule` at a line where `near` stands afterwards.
fn fault(text: &str, rule: &str, from: &str, to: &str, near: &str) {
    assert!(text.contains(from), "{rule}: {from}");
    let broken = text.replacen(from, to, 1);
    let lines: Vec<usize> = broken.lines().zip(1..).filter(|(l, _)| l.contains(near)).map(|(_, n)| n).collect();
    assert!(!lines.is_empty(), "{rule}: {near}");
    let all = findings(&broken);
    let hit = all.iter().any(|f| f.rule == rule && lines.contains(&(f.pos.line as usize)));
    let found = all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(hit, "{rule} expected in line {lines:?} after `{from}` became `{to}`; found\n{found}");
}

#[test]
fn faults_of_the_graph_are_found_at_their_line() {
    let f = |rule, from, to, near| fault(MAIN, rule, from, to, near);
    f("R1", "{goto: left}", "{goto: lfet}", "lfet");
    f("R1", "then: ask_order_again", "then: ask_order_agian", "agian");
    f("R2", "then: ask_order_again", "then: goodbye", "  ask_order_again:");
    f("R3", "    hangup: {}", "    say: [thanks]\n    then: hang\n    on_error: hang\n    on_hangup: hang", "  hang:");
    f("R4", "no_agents: all_busy, full", "full", "    queue:");
    f("R4", "{answered: goodbye, timeout: all_busy", "{answerd: goodbye, timeout: all_busy", "answerd");
    f("R4", "    say: [connecting]\n    then: to_support", "    say: [connecting]", "say: [connecting]");
    f("R4", ", {else: choose_language}]", "]", "branch: [{if: \"starts_with(call.lang");
    f("R5", "    say: [all_busy]\n    then: leave_message", "    say: [all_busy]\n    then: to_support", "  to_support:");
    f("R5", "    exhausted: goodbye", "    exhausted: anything_else", "  anything_else:");
    f("R7", "    on_error: leave_message\n\n  to_sales", "\n  to_sales", "  to_support:");
    f("R8", "flow: order-status,", "flow: order-stats,", "order-stats");
    f("R8", "missing: order_missing, ", "", "    call:");
    f("R8", "with: {order_no: order_no}", "with: {order_nr: order_no}", "order_nr");
}

#[test]
fn a_menu_without_a_way_to_a_person_is_found() {
    let text = "flow: f\nschema: 1\nlanguages: [en-US]\nstart: ask\nprompts: {q: {en-US: {say: \"1?\"}}}\n\
                grammars: {g: {dtmf: {\"1\": a}}}\nnodes:\n  ask:\n    gather: {prompt: q, grammar: g}\n    when: {a: ask}\n    \
                exhausted: z\n  z:\n    hangup: {}\n";
    fault(text, "R6", "exhausted: z", "exhausted: z", "  ask:");
}

#[test]
fn a_loop_that_counts_is_no_silent_loop() {
    let text = "flow: f\nschema: 1\nlanguages: [en-US]\nstart: count\nprompts: {q: {en-US: {say: Again.}}}\n\
                vars: {n: {type: number, default: 0}}\nnodes:\n  count:\n    set: {n: \"n + 1\"}\n    then: enough\n  enough:\n    \
                branch: [{if: \"n >= 3\", goto: z}, {else: say}]\n  say:\n    say: q\n    then: count\n  z:\n    hangup: {}\n";
    assert!(!findings(text).iter().any(|f| f.rule == "R5"));
    fault(text, "R5", "n + 1", "n + 0", "  count:");
    fault(text, "R5", "n >= 3", "n != 3", "  count:");
}

#[test]
fn faults_of_values_are_found_at_their_line() {
    let f = |rule, from, to, near| fault(MAIN, rule, from, to, near);
    f("R9", "reason == 'complaint' ? 20", "reson == 'complaint' ? 20", "reson");
    f("R9", "reason == 'complaint' ? 20 : 0", "reason == 'complain' ? 20 : 0", "'complain' ?");
    f("R9", "reason == 'complaint' ? 20 : 0", "reason", "priority: \"reason\"");
    f("R9", "save: reason}", "save: lang}", "save: lang}");
    f("R9", "save: reason}", "save: raison}", "raison");
    f("R9", "max_len: 12", "max_len: 8", "save: order_no, timeout: 8s}");
    f("R9", "{queue.position}位", "{queue.postion}位", "postion");
    f("R9", "confidence >= 0.5", "confidence >= '0.5'", "'0.5'");
    f("R10", "? 20 : 0", "? 20 / 0 : 0", "/ 0");
    f(
        "R12",
        "{type: enum, of: [order, return, complaint, sales, agent], default: agent}",
        "{type: enum, of: [order, return, complaint, sales, agent]}",
        "data: {at",
    );
    f(
        "R11",
        "{type: digits, max_len: 12, default: \"\"}",
        "{type: digits, max_len: 12, default: \"\", secret: true}",
        "order: order_no}",
    );
    let g = |rule, from, to, near| fault(ORDER, rule, from, to, near);
    g(
        "R9",
        "    branch: [{if: \"order == null\", goto: not_there}, {else: which}]",
        "    branch: [{else: which}]",
        "order.state == 'shipped'",
    );
    g("R9", "order.state == 'delivered'", "order.stat == 'delivered'", "order.stat ");
    g("R9", "fields: {state: string", "fields: {status: string", "order.state == 'shipped'");
    g(
        "R11",
        "order_no: {type: digits, from: caller}",
        "order_no: {type: digits, from: caller, secret: true}",
        "{order_no:path}",
    );
}

#[test]
fn faults_of_speech_and_keys_are_found_at_their_line() {
    let f = |rule, from, to, near| fault(MAIN, rule, from, to, near);
    f("R13", "\"4\": sales", "\"11\": sales", "\"11\": sales");
    f("R13", "end: \"#\"}, save: order_no, timeout: 8s}", "end: \"0\"}, save: order_no, timeout: 8s}", "end: \"0\"");
    f("R14", ", sales: to_sales, agent: connecting}", ", agent: connecting}", "grammar: topic");
    f("R14", "sales: to_sales, agent: connecting}", "sales: to_sales, agnet: connecting}", "agnet");
    f("R14", "when: {any: order_status}", "when: {all: order_status}", "{all: order_status}");
    f("R15", "[\"投诉\", \"complaint\"", "[\"退货\", \"complaint\"", "[\"退货\", \"complaint\"");
    f("R15", "\"a person\"", "\"Refund!\"", "Refund!");
    f("R16", "    barge_in: none ", "    barge_in: dtmf ", "say: [welcome, recorded]");
    f("R17", "    en-US: {say: \"Sorry, I did not get that.\"}\n", "", "  sorry:");
    f("R17", "You are number {queue.position} in line", "You are in line", "You are in line");
    f("R17", "no_match: {say: [sorry]}", "no_match: {say: [sory]}", "[sory]");
    f("R17", "{say: \"您好，欢迎光临小店。\"}", "{file: welcome.wav}", "welcome.wav");
}

#[test]
fn faults_about_the_world_are_found_at_their_line() {
    let f = |rule, from, to, near| fault(MAIN, rule, from, to, near);
    f("R18", "calendar: shop", "calendar: shoop", "shoop");
    f("R21", "queue: support\n", "queue: suport\n", "suport");
    f("R21", "skill: returns", "skill: return", "skill: return,");
    f("R21", "sla: voicemail_4h", "sla: voicemail_5h", "voicemail_5h");
    f("R21", "music: default", "music: jazz", "jazz");
    f("R24", "dtmf: \"7\"", "dtmf: \"3\"", "expect_prompt: sorry");
    fault(ORDER, "R19", "timeout: 2s, retries: 1", "timeout: 4s, retries: 3", "    http:");
    fault(ORDER, "R20", "{default: \"http://127.0.0.1:8090\"", "{default: \"http://127.0.0.1:8090.evil.example\"", "    http:");
    let to = |n: &str| {
        MAIN.replacen(
            "    say: [connecting]\n    then: to_support",
            &format!(
                "    transfer: {{number: \"{n}\"}}\n    when: {{no_answer: to_support, busy: to_support, failed: to_support}}"
            ),
            1,
        )
    };
    for bad in ["110", "+19005551234", "{call.ani}", "anna"] {
        assert!(findings(&to(bad)).iter().any(|f| f.rule == "R22"), "{bad}");
    }
    for good in ["+862112345678", "8001"] {
        assert!(!findings(&to(good)).iter().any(|f| f.rule == "R22"), "{good}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 40, ..Default::default() })]
    /// An author in the middle of an edit: lines are missing, words are swapped. The linter has an opinion, never a fault.
    #[test]
    fn whatever_is_left_of_a_flow_the_linter_survives_it(cut in proptest::collection::vec(0usize..400, 0..6), from in 0usize..60, to in 0usize..60) {
        let words: Vec<&str> = MAIN.split(['"', ' ', ',', '}', ']']).filter(|w| w.len() > 3 && w.is_ascii()).collect();
        let swapped = MAIN.replace(words[from * 7 % words.len()], words[to * 11 % words.len()]);
        let left: Vec<&str> = swapped.lines().enumerate().filter(|(i, _)| !cut.contains(i)).map(|(_, l)| l).collect();
        if let Ok(flow) = Flow::parse("f.yaml", &left.join("\n")) {
            let flow = Arc::new(flow);
            let _ = check(&flow, &library(Some(&flow)), &catalog());
        }
    }
}

#[test]
fn the_largest_flow_is_checked_while_its_author_waits() {
    let n = crate::base::limits::FLOW_NODES_MAX;
    let mut text =
        "flow: f\nschema: 1\nlanguages: [en-US]\nstart: n0\nvars: {v: {type: number, default: 0}}\nnodes:\n".to_owned();
    for i in 0..n - 1 {
        text += &format!("  n{i}:\n    branch: [{{if: \"v > {i}\", goto: n{}}}, {{else: n{}}}]\n", i + 1, (i + 2).min(n - 1));
    }
    text += &format!("  n{}:\n    hangup: {{}}\n", n - 1);
    assert!(findings(&text).iter().all(|f| f.rule == "R24"));
}
