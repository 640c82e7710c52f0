//! Callers who answer a flow by voice, and talks that are written down.

use crate::{
    base::{NumberPattern, QueueId, secs},
    center::{
        command::Command,
        fact::{Fact, LegRole},
        settings::Business,
    },
    sim::{
        Who, World,
        business::{self, Opening},
    },
};

/// A menu that can be answered by voice, and a question whose answer is nobody's business.
const VOICE: &str = r#"
flow: voice
schema: 1
languages: [en-US]
start: menu
inputs:
  call.ani: {type: string, from: channel}
vars:
  choice: {type: string}
  pin: {type: string, secret: true}
prompts:
  menu: {en-US: {say: "What can we do for you? Say support or sales, or press one or two."}}
  again: {en-US: {say: "Support or sales?"}}
  sorry: {en-US: {say: "I did not get that."}}
  silent: {en-US: {say: "I did not hear you."}}
  pin: {en-US: {say: "Say your secret number."}}
  bye: {en-US: {say: "Good bye."}}
grammars:
  choice:
    dtmf: {"1": support, "2": sales, "3": secret}
    phrases: {support: [support, technical support], sales: [sales], secret: [secret]}
nodes:
  menu:
    gather: {prompt: [menu, again], input: [dtmf, speech], grammar: choice, save: choice, timeout: 5s, retries: 2, min_confidence: 0.5}
    no_input: {say: [silent]}
    no_match: {say: [sorry]}
    when: {support: support, sales: sales, secret: pin}
    exhausted: support
    on_error: support
  pin:
    gather: {prompt: [pin], input: [dtmf, speech], digits: {min: 4, max: 4}, save: pin, retries: 1}
    when: {any: sales}
    exhausted: sales
    on_error: sales
  support:
    queue: {queue: support}
    when: {answered: bye, timeout: bye, no_agents: bye, full: bye}
    on_error: bye
  sales:
    queue: {queue: sales}
    when: {answered: bye, timeout: bye, no_agents: bye, full: bye}
    on_error: bye
  bye: {say: [bye], then: end}
  end: {hangup: }
"#;

fn world(seed: u64, change: impl FnOnce(&mut Business)) -> World {
    let Opening { mut business, mut flows, kept } = Opening::usual();
    flows.extend(business::flows(&[("voice.yaml", VOICE)]));
    let tenant = business.tenants.get_mut(&business::tenant()).unwrap();
    let route = tenant.routes[0].clone();
    tenant.routes.push(crate::call::route::Route {
        pattern: NumberPattern::parse("4050").unwrap(),
        to: crate::call::route::Destination::Flow(crate::base::FlowId::parse("voice").unwrap()),
        ..route
    });
    change(&mut business);
    World::of(seed, Opening { business, flows, kept })
}

/// Talks of support are written down, and every call to the menu.
fn written_down(b: &mut Business) {
    let t = &mut b.tenants.get_mut(&business::tenant()).unwrap().transcripts;
    t.queues.insert(QueueId::parse("support").unwrap());
    t.numbers.push(NumberPattern::parse("4050").unwrap());
}

/// The lines of a caller's transcript: `customer: words`.
fn lines(w: &World, caller: Who) -> Vec<String> {
    let line = |by: &LegRole, text: &String| format!("{by:?}: {text}").to_lowercase();
    let of = |r: &crate::center::fact::Record| match &r.fact {
        Fact::Said { by, text, .. } => Some(line(by, text)),
        _ => None,
    };
    w.facts_of(w.contact(caller)).filter_map(of).collect()
}

#[test]
fn a_caller_says_where_to_go_and_is_not_asked_again_while_speaking() {
    let mut w = world(91, |_| {});
    let carl = w.agent("carl").ready();
    let caller = w.phone("+3265551234").dials("4050");
    w.until(|w| w.hears(caller, "What can we do"));
    w.until(|w| w.hears_played(caller).is_none());
    // The patience of five seconds ends in the middle of this sentence.
    w.pass(secs(4));
    w.says(caller, "well i think i would like to talk to somebody in sales please");
    w.until(|w| w.rings(carl));
    assert!(!w.hears(caller, "did not"));
    assert!(w.listened_to(caller).is_none(), "nobody listens to who waits");
    assert_eq!(lines(&w, caller), [""; 0], "nothing is written down unless it is wanted");
    w.hangs_up(caller);
    w.until(|w| w.is_over(caller));
    w.pass(secs(2));
    assert!(w.ears.is_empty());
}

#[test]
fn a_voice_cuts_the_question_and_a_cough_or_an_unsure_word_does_not() {
    let mut w = world(92, |_| {});
    let carl = w.agent("carl").ready();
    let caller = w.phone("+3265551234").dials("4050");
    w.until(|w| w.hears(caller, "What can we do"));
    assert_eq!(w.listened_to(caller).unwrap().lang, "en-US");
    w.speaks(caller, "hrrm", None);
    w.pass(secs(2));
    assert!(w.hears(caller, "What can we do"));
    w.speaks(caller, "sale", Some(0.2));
    w.pass(secs(2));
    assert!(w.hears(caller, "What can we do"), "{}", w.report());
    w.says(caller, "sales");
    // Half a second of voice, the pause, a moment of thinking.
    w.pass(secs(2));
    assert!(w.rings(carl), "{}", w.report());
}

#[test]
fn a_caller_nobody_understands_is_asked_again_and_a_silent_one_is_told_so() {
    let mut w = world(93, |_| {});
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4050");
    w.until(|w| w.hears(caller, "What can we do"));
    w.until(|w| w.hears_played(caller).is_none());
    w.speaks(caller, "mumble", None);
    w.until(|w| w.hears(caller, "I did not get that. Support or sales?"));
    w.until(|w| w.hears_played(caller).is_none());
    w.pass(secs(6));
    assert!(w.hears(caller, "I did not hear you. Support or sales?"));
    w.until(|w| w.hears_played(caller).is_none());
    w.says(caller, "pizza");
    w.until(|w| w.rings(anna));
}

#[test]
fn keys_work_while_somebody_speaks_and_words_that_come_late_are_nobodys_answer() {
    let mut w = world(94, written_down);
    let (anna, carl) = (w.agent("anna").ready(), w.agent("carl").ready());
    let caller = w.phone("+3265551234").dials("4050");
    w.until(|w| w.hears(caller, "What can we do"));
    w.says(caller, "technical support");
    w.pass(secs(1));
    w.presses(caller, "2");
    w.until(|w| w.rings(carl));
    w.pass(secs(3));
    assert!(!w.rings(anna));
    assert_eq!(lines(&w, caller), ["customer: technical support"]);
}

#[test]
fn a_talk_is_written_down_by_who_said_it_and_not_what_is_said_on_hold_or_while_cards_are_read_out() {
    let mut w = world(95, written_down);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4050");
    w.until(|w| w.hears(caller, "What can we do"));
    w.says(caller, "support");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    let id = w.contact(caller);
    let began = w.now().wall;
    w.says(anna, "good morning how can i help");
    w.pass(secs(6));
    w.says(caller, "my bill is wrong");
    w.pass(secs(6));
    w.asks(anna, |_| Command::RecordPause { interaction: id, paused: true }).unwrap();
    w.says(caller, "four one one one");
    w.pass(secs(6));
    w.asks(anna, |_| Command::RecordPause { interaction: id, paused: false }).unwrap();
    w.says(anna, "one moment please");
    w.pass(secs(1));
    w.asks(anna, |_| Command::Hold { interaction: id, on: true }).unwrap();
    assert!(w.listened_to(caller).is_none() && w.listened_to(anna).is_none());
    w.pass(secs(3));
    w.asks(anna, |_| Command::Hold { interaction: id, on: false }).unwrap();
    w.says(caller, "thank you");
    w.pass(secs(4));
    // The pause was in the middle of it.
    w.says(caller, "my number is four one one one");
    w.pass(secs(1));
    w.asks(anna, |_| Command::RecordPause { interaction: id, paused: true }).unwrap();
    w.pass(secs(10));
    w.hangs_up(caller);
    w.until(|w| w.is_over(anna));
    w.pass(secs(2));
    let want = [
        "customer: support",
        "agent: good morning how can i help",
        "customer: my bill is wrong",
        "agent: one moment please",
        "customer: thank you",
    ];
    assert_eq!(lines(&w, caller), want);
    let first = w.facts_of(id).find_map(|r| match &r.fact {
        Fact::Said { by: LegRole::Agent, agent, since, ms, confidence, .. } => Some((agent.clone(), *since, *ms, *confidence)),
        _ => None,
    });
    let (agent, at, ms, confidence) = first.unwrap();
    assert_eq!((agent.unwrap().as_str(), confidence), ("anna", 0.9));
    // 2.7 seconds of voice and a little silence around it.
    assert!((2_700..3_400).contains(&ms), "{ms}");
    assert!(
        at.since(began).as_millis() < 400 && began.since(at).as_millis() < 400,
        "when it was said, not when it was understood"
    );
    assert!(w.ears.is_empty());
}

#[test]
fn a_secret_said_to_a_flow_is_not_in_the_transcript() {
    let mut w = world(96, written_down);
    let carl = w.agent("carl").ready();
    let caller = w.phone("+3265551234").dials("4050");
    w.until(|w| w.hears(caller, "What can we do"));
    w.says(caller, "secret");
    w.until(|w| w.hears(caller, "Say your secret number"));
    w.until(|w| w.hears_played(caller).is_none());
    w.says(caller, "one two oh seven");
    w.until(|w| w.rings(carl));
    assert_eq!(lines(&w, caller), ["customer: secret"]);
}

#[test]
fn a_call_without_a_recording_is_paused_for_its_transcript_alone() {
    let mut w = world(97, |b| {
        written_down(b);
        b.tenants.get_mut(&business::tenant()).unwrap().recording = crate::center::settings::Recording::Never;
    });
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    let id = w.contact(caller);
    for paused in [true, false] {
        w.asks(anna, |_| Command::RecordPause { interaction: id, paused }).unwrap();
        w.says(caller, if paused { "four one one one" } else { "that was it" });
        w.pass(secs(5));
    }
    assert_eq!(lines(&w, caller), ["customer: that was it"]);
    let told: Vec<_> = w
        .facts_of(id)
        .filter_map(|r| match &r.fact {
            Fact::FlowEvent { name, .. } if name.starts_with("transcript") => Some(name.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["transcript_paused", "transcript_resumed"]);
}
