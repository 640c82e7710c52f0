//! Walks through small flows and through the flows we ship, caller by caller.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;

use super::*;
use crate::{
    base::{
        AgentId, CalendarId, Channel, TenantId, Wall,
        limits::{FLOW_SAY_MAX, FLOW_STEPS_MAX},
        secs,
    },
    ivr::Value,
};

const MAIN: &str = include_str!("../../../ivr-flows/main.yaml");
const ORDER: &str = include_str!("../../../ivr-flows/order-status.yaml");

#[derive(Debug)]
struct Open;
impl Hours for Open {
    fn state(&self, _: &CalendarId, _: Wall) -> Option<HoursState> {
        Some(HoursState::Open)
    }
}

fn library() -> Arc<Library> {
    let read = |file, text| Arc::new(Flow::parse(file, text).unwrap_or_else(|e| panic!("{e}")));
    let flows = [read("main.yaml", MAIN), read("order-status.yaml", ORDER)].into_iter().map(|f: Arc<Flow>| (f.id.clone(), f));
    Arc::new(Library { flows: flows.collect(), hours: Arc::new(Open), config: BTreeMap::new() })
}

fn env(channel: Channel) -> Env {
    Env {
        channel,
        ani: "+8613800000000".into(),
        dnis: "4000".into(),
        lang: None,
        tenant: TenantId::parse("demo").expect("id"),
        interaction: "i".into(),
        inputs: BTreeMap::new(),
    }
}

/// A run with a clock and everything it said.
struct Walk {
    run: Run,
    now: Now,
    out: Vec<Output>,
}

impl Walk {
    fn of(text: &str) -> Walk {
        let head = "flow: f\nschema: 1\nchannels: [voice, webchat]\nlanguages: [en-US]\n";
        let flow = Arc::new(Flow::parse("f.yaml", &format!("{head}{text}")).unwrap_or_else(|e| panic!("{e}")));
        Walk::with(flow, Channel::Voice)
    }
    fn main(channel: Channel) -> Walk {
        Walk::with(library().flows[&FlowId::parse("main").expect("id")].clone(), channel)
    }
    fn with(flow: Arc<Flow>, channel: Channel) -> Walk {
        let now = Now { mono: Mono(0), wall: Wall::from_unix_s(1_772_416_800) };
        let mut w = Walk { run: Run::start(flow, library(), env(channel)), now, out: Vec::new() };
        w.does(Input::Begin);
        w
    }
    fn does(&mut self, input: Input) -> &mut Walk {
        self.run.handle(self.now, input, &mut self.out);
        self
    }
    fn presses(&mut self, keys: &str) -> &mut Walk {
        for key in keys.chars() {
            self.does(Input::Digit(key));
        }
        self
    }
    fn says(&mut self, text: &str, confidence: f64) -> &mut Walk {
        self.does(Input::Words { text: text.into(), confidence })
    }
    fn hears_out(&mut self) -> &mut Walk {
        while self.run.is_saying() {
            self.does(Input::Played);
        }
        self
    }
    fn passes(&mut self, s: u64) -> &mut Walk {
        self.now = self.now.later(secs(s));
        self.does(Input::Tick)
    }
    fn heard(&self) -> Vec<&str> {
        let prompts = self.out.iter().filter_map(|o| match o {
            Output::Say { prompts, .. } | Output::Announce(prompts) => Some(prompts),
            _ => None,
        });
        prompts.flatten().map(Prompt::id).collect()
    }
    fn end(&self) -> Option<&End> {
        self.out.iter().find_map(|o| if let Output::Finished { outcome } = o { Some(outcome) } else { None })
    }
}

const MENU: &str = "start: menu\nprompts:\n  q1: {en-US: {say: One or two?}}\n  q2: {en-US: {say: 'One, or two.'}}\n  quiet: {en-US: {say: I hear nothing.}}\n  \
    sorry: {en-US: {say: Sorry.}}\n  num: {en-US: {say: Number?}}\ngrammars:\n  g: {dtmf: {\"1\": one, \"2\": two}, phrases: {one: [one, the first], two: [two]}}\n\
    vars: {n: {type: digits, default: \"\"}}\nnodes:\n  menu:\n    gather: {prompt: [q1, q2], grammar: g, input: [dtmf, speech], timeout: 5s, retries: 2}\n    \
    no_input: {say: quiet}\n    no_match: {say: sorry}\n    when: {one: number, two: z}\n    exhausted: gone\n  number:\n    \
    gather: {prompt: num, digits: {min: 2, max: 4, end: \"#\"}, save: n, inter_digit: 3s}\n    when: {any: z}\n    exhausted: gone\n  \
    z:\n    hangup: {}\n  gone:\n    hangup: {}\n";

#[test]
fn silence_is_answered_by_the_next_prompt_and_in_the_end_by_giving_up() {
    let mut w = Walk::of(MENU);
    assert_eq!(w.run.deadline(), Some(w.now.mono + FLOW_SAY_MAX));
    w.hears_out().passes(4);
    assert_eq!(w.heard(), ["q1"]);
    w.passes(1).hears_out().passes(5).hears_out();
    assert_eq!(w.heard(), ["q1", "quiet", "q2", "quiet", "q2"]);
    w.passes(5);
    assert_eq!((w.run.node(), w.end()), ("gone", Some(&End::Hangup)));
}

#[test]
fn nonsense_is_told_apart_from_silence_and_low_confidence_is_nonsense() {
    let mut w = Walk::of(MENU);
    w.hears_out().presses("7").hears_out().says("the first, please", 0.2).hears_out();
    assert_eq!(w.heard(), ["q1", "sorry", "q2", "sorry", "q2"]);
    w.says("The first, please!", 0.9);
    assert_eq!(w.run.node(), "number");
}

#[test]
fn a_key_cuts_the_question_and_keys_typed_ahead_answer_the_next_one_unasked() {
    let mut w = Walk::of(MENU);
    w.presses("1");
    assert!(w.out.contains(&Output::StopSaying));
    w.presses("12#");
    assert_eq!((w.run.node(), w.run.vars().get("n")), ("z", Some(&Value::Text("12".into()))));
    let hold = MENU.replacen("start: menu", "start: hi", 1).replacen(
        "nodes:\n",
        "nodes:\n  hi:\n    say: sorry\n    barge_in: none\n    then: menu\n",
        1,
    );
    let mut w = Walk::of(&hold);
    w.presses("1123");
    assert!(!w.out.contains(&Output::StopSaying), "a notice is not cut");
    w.hears_out();
    assert_eq!((w.run.node(), w.heard()), ("number", vec!["sorry"]));
    w.passes(3);
    assert_eq!((w.run.node(), w.run.vars()["n"].show()), ("z", "123".to_owned()));
}

#[test]
fn an_entry_ends_by_its_key_by_its_length_or_by_a_pause_and_the_late_end_key_is_no_answer() {
    let mut w = Walk::of(&MENU.replace(
        "z:\n    hangup",
        "z:\n    gather: {prompt: q1, grammar: g}\n    when: {one: gone, two: gone}\n    exhausted: gone\n  y:\n    hangup",
    ));
    w.presses("11234").presses("#");
    assert_eq!((w.run.node(), w.run.vars()["n"].show()), ("z", "1234".to_owned()));
    assert!(!w.heard().contains(&"sorry"));
    let mut w = Walk::of(MENU);
    w.presses("19#").hears_out();
    assert_eq!((w.run.node(), w.heard()), ("number", vec!["q1", "num", "num"]), "one digit is too few");
    w.presses("98").passes(3);
    assert_eq!(w.run.node(), "z");
}

#[test]
fn who_waits_hears_the_place_leaves_by_key_or_after_the_longest_wait() {
    let waiting = || {
        let mut w = Walk::main(Channel::Voice);
        w.presses("1").hears_out().presses("0").hears_out();
        assert!(w.run.is_queued());
        w
    };
    let mut w = waiting();
    w.passes(15);
    assert!(!w.heard().contains(&"wait"), "an unknown place is not announced");
    w.does(Input::QueueInfo { position: 2, ewt_s: 300.0, confidence: 0.9 }).passes(60);
    let said = w.out.iter().find_map(|o| if let Output::Announce(p) = o { Some(p[0].text().to_owned()) } else { None });
    assert_eq!(said.as_deref(), Some("您排在第2位，预计等待3到8分钟。按9可以留言。"));
    assert_eq!(w.run.whisper(w.now).as_deref(), Some("agent, zh-CN"));
    w.presses("5").presses("9");
    assert_eq!((w.out.contains(&Output::LeaveQueue { waited_out: false }), w.run.node()), (true, "leave_message"));
    w.does(Input::Queue(QueueResult::Answered));
    assert_eq!(w.run.node(), "leave_message", "an answer that crossed with the key is too late");
    let mut w = waiting();
    w.passes(900);
    assert_eq!((w.out.contains(&Output::LeaveQueue { waited_out: true }), w.run.node()), (true, "all_busy"));
}

#[test]
fn a_visitor_types_where_a_caller_presses_and_is_never_hurried() {
    let mut w = Walk::main(Channel::Webchat);
    assert_eq!(w.run.deadline(), None);
    let buttons = w.out.iter().find_map(|o| match o {
        Output::Say { reason: SayReason::Menu(all), .. } => Some(all.clone()),
        _ => None,
    });
    assert_eq!(buttons, Some(vec![("中文".to_owned(), "中文".to_owned()), ("English".to_owned(), "English".to_owned())]));
    w.says("English", 1.0).says("１", 1.0).says("my number is 12 34-56", 1.0);
    assert!(w.out.iter().any(|o| matches!(o, Output::Http(h) if h.url == "http://127.0.0.1:8090/orders/123456")));
    w.does(Input::Http { ask: AskId(0), result: Err(HttpError::Timeout) });
    assert_eq!(w.run.node(), "to_support");
    w.says("９", 1.0).says("call me", 1.0);
    assert!(w.out.iter().any(|o| matches!(o, Output::Voicemail { text: Some(t), .. } if t == "call me")));
}

#[test]
fn a_service_that_is_silent_costs_its_time_and_takes_the_error_branch() {
    let mut w = Walk::main(Channel::Voice);
    w.presses("1").hears_out().presses("1123456#");
    let wait = w.run.deadline().expect("asking") - w.now.mono;
    assert_eq!(wait, secs(5), "two tries of two seconds, and one for the way");
    w.does(Input::Http { ask: AskId(9), result: Err(HttpError::Timeout) });
    assert_eq!(w.run.node(), "ask_shop", "the answer to another question is none");
    w.passes(5).hears_out();
    assert_eq!((w.run.flow().as_str(), w.run.node()), ("main", "to_support"));
}

#[test]
fn after_the_talk_the_flow_goes_on_where_it_rested() {
    let mut w = Walk::main(Channel::Voice);
    w.presses("1").hears_out().presses("0").hears_out().does(Input::Queue(QueueResult::Answered));
    assert_eq!((w.run.deadline(), w.run.is_queued()), (None, false));
    w.presses("9").does(Input::TalkEnded).hears_out();
    assert_eq!((w.heard().last(), w.end()), (Some(&"thanks"), Some(&End::Hangup)));
}

#[test]
fn a_run_is_taken_up_again_where_it_stood_without_its_secrets() {
    let mut w = Walk::main(Channel::Voice);
    w.presses("2").hears_out().presses("1123456#");
    let text = serde_json::to_string(&w.run.snapshot()).expect("a state is JSON");
    let state: RunState = serde_json::from_str(&text).expect("and back");
    let lib = library();
    let flow = lib.flows[&FlowId::parse("main").expect("id")].clone();
    let mut again = Run::resume(flow.clone(), lib.clone(), state.clone()).expect("the same version");
    let mut out = Vec::new();
    again.handle(w.now, Input::Begin, &mut out);
    assert!(out.iter().any(|o| matches!(o, Output::Http(h) if h.ask == AskId(1))), "asked again, under a new name");
    assert_eq!(again.root_vars()["lang"].show(), "en-US");
    let changed = Arc::new(Flow::parse("main.yaml", &format!("{MAIN}\n# newer")).expect("reads"));
    assert!(matches!(Run::resume(changed, lib, state), Err(ResumeError::Changed { .. })));

    let secret = MENU.replace("{type: digits, default: \"\"}", "{type: digits, secret: true}");
    let mut w = Walk::of(&secret.replace(
        "z:\n    hangup",
        "z:\n    gather: {prompt: q1, grammar: g}\n    when: {one: gone, two: gone}\n    exhausted: gone\n  y:\n    hangup",
    ));
    w.presses("14321");
    assert!(w.run.vars().is_empty() && !serde_json::to_string(&w.run.snapshot()).expect("json").contains("4321"));
}

#[test]
fn a_resumed_talk_rests_and_a_resumed_wait_wants_its_place_again() {
    let mut w = Walk::main(Channel::Voice);
    w.presses("1").hears_out().presses("0").hears_out();
    let lib = library();
    let flow = lib.flows[&FlowId::parse("main").expect("id")].clone();
    let mut out = Vec::new();
    let mut waiting = Run::resume(flow.clone(), lib.clone(), w.run.snapshot()).expect("same");
    waiting.handle(w.now, Input::Begin, &mut out);
    assert!(out.iter().any(|o| matches!(o, Output::Enqueue(_))));
    w.does(Input::Queue(QueueResult::Answered));
    out.clear();
    let mut talking = Run::resume(flow, lib, w.run.snapshot()).expect("same");
    talking.handle(w.now, Input::Begin, &mut out);
    assert!(out.is_empty());
    talking.handle(w.now, Input::TalkEnded, &mut out);
    assert_eq!(talking.node(), "goodbye");
}

#[test]
fn a_loop_the_linter_missed_ends_by_the_error_edge_and_then_for_good() {
    let mut w = Walk::of(
        "start: a\nvars: {n: {type: number, default: 0}}\nnodes:\n  a:\n    set: {n: n + 1}\n    then: a\n    on_error: z\n  z:\n    hangup: {}\n",
    );
    assert_eq!((w.end(), w.run.vars()["n"].show()), (Some(&End::Hangup), FLOW_STEPS_MAX.to_string()));
    w.does(Input::Tick).does(Input::Hangup);
    let w = Walk::of("start: a\nnodes:\n  a:\n    set: {}\n    then: a\n    on_error: a\n");
    assert!(matches!(w.end(), Some(End::Failed(_))));
}

#[test]
fn a_transfer_and_its_failures_go_where_the_flow_says() {
    let text = "start: t\nnodes:\n  t:\n    transfer: {agent: anna, timeout: 20s}\n    when: {no_answer: z, busy: z, failed: z}\n  z:\n    hangup: {}\n";
    let mut w = Walk::of(text);
    let anna = AgentId::parse("anna").expect("id");
    assert!(w.out.contains(&Output::Transfer { to: TransferTo::Agent(anna), timeout: secs(20) }));
    w.does(Input::Transfer(TransferResult::Answered)).does(Input::TalkEnded);
    assert_eq!(w.end(), Some(&End::Transferred));
    let mut w = Walk::of(text);
    w.does(Input::Transfer(TransferResult::Busy));
    assert_eq!(w.run.node(), "z");
}

#[test]
fn a_queue_that_says_nothing_of_recording_leaves_it_to_the_tenant() {
    let text = |queue: &str| {
        format!(
            "start: q\nnodes:\n  q:\n    queue: {queue}\n    when: {{answered: z, timeout: z, no_agents: z, full: z}}\n  z:\n    hangup: {{}}\n"
        )
    };
    let wish = |queue: &str| {
        let w = Walk::of(&text(queue));
        w.out.iter().find_map(|o| if let Output::Enqueue(q) = o { Some(q.record) } else { None }).expect("it queues")
    };
    assert_eq!(wish("{queue: support}"), None);
    assert_eq!(wish("{queue: support, record: never}"), Some(Record::Never));
}

/// Anything a caller, a queue or a clock may do.
fn anything() -> impl Strategy<Value = Input> {
    let result = prop_oneof![
        Just(Err(HttpError::Timeout)),
        (prop_oneof![Just(200u16), Just(404), Just(500)], "[a-z]{0,8}").prop_map(|(status, state)| {
            Ok(Answer { status, body: serde_json::json!({"state": state, "eta": 5, "more": [[[[[[1]]]]]]}) })
        }),
    ];
    prop_oneof![
        1 => Just(Input::Begin),
        4 => Just(Input::Played),
        6 => "[0-9*#A-Dx]".prop_map(|s| Input::Digit(s.chars().next().unwrap_or('0'))),
        2 => ("[a-z0-9 订单人工投诉９]{0,12}", -1.0..2.0f64).prop_map(|(text, confidence)| Input::Words { text, confidence }),
        1 => (0u64..4, result).prop_map(|(ask, result)| Input::Http { ask: AskId(ask), result }),
        1 => prop_oneof![Just(QueueResult::Answered), Just(QueueResult::Timeout), Just(QueueResult::NoAgents), Just(QueueResult::Full)]
            .prop_map(Input::Queue),
        1 => (0u32..9, -5.0..900.0f64, -1.0..2.0f64)
            .prop_map(|(position, ewt_s, confidence)| Input::QueueInfo { position, ewt_s, confidence }),
        1 => Just(Input::TalkEnded),
        1 => Just(Input::VoicemailDone { seconds: 3 }),
        1 => Just(Input::VoicemailFailed),
        1 => Just(Input::Transfer(TransferResult::Answered)),
        1 => Just(Input::Transfer(TransferResult::Busy)),
        4 => Just(Input::Tick),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    /// Whatever happens in whatever order: no panic, one end, nothing after it, and a hang-up ends it wherever it is.
    #[test]
    fn whatever_happens_a_hang_up_ends_the_run(inputs in prop::collection::vec((anything(), 0u64..20), 0..40), chat: bool) {
        let mut w = Walk::main(if chat { Channel::Webchat } else { Channel::Voice });
        for (input, s) in inputs {
            w.now = w.now.later(secs(s));
            if matches!(input, Input::Tick) && let Some(at) = w.run.deadline() {
                w.now = w.now.later(at - w.now.mono);
            }
            w.does(input);
            prop_assert!(w.run.is_over() == w.end().is_some());
            prop_assert!(serde_json::to_string(&w.run.snapshot()).is_ok());
        }
        let queued = w.run.is_queued();
        let before = w.out.len();
        w.does(Input::Hangup);
        prop_assert!(w.run.is_over());
        prop_assert!(!queued || w.out[before..].contains(&Output::LeaveQueue { waited_out: false }), "the place is given up");
        let n = w.out.len();
        w.does(Input::Begin).does(Input::Digit('1')).does(Input::Tick).does(Input::Hangup);
        prop_assert_eq!(n, w.out.len());
        prop_assert_eq!(w.out.iter().filter(|o| matches!(o, Output::Finished { .. })).count(), 1);
    }
}
