//! Live copies of calls for programs outside.

use media::wire::Rate;

use crate::{
    base::{InteractionId, secs},
    center::{
        Input,
        command::{Command, RefusalCode},
        fact::Fact,
        streams::{StreamOpen, StreamOrder},
    },
    sim::World,
};

fn wish(interaction: InteractionId, stream: &str, on: bool) -> Command {
    Command::Stream { interaction, stream: stream.into(), on }
}

/// The copies begun so far.
fn begun(w: &World) -> Vec<&StreamOpen> {
    w.streams.iter().filter_map(|o| if let StreamOrder::Open(open) = o { Some(&**open) } else { None }).collect()
}

/// What the timeline says of copies.
fn told(w: &World, id: InteractionId) -> Vec<String> {
    let line = |name: &str, data: &std::collections::BTreeMap<String, String>| {
        format!("{name} {}", data.values().cloned().collect::<Vec<_>>().join(" "))
    };
    let of = |r: &crate::center::fact::Record| match &r.fact {
        Fact::FlowEvent { name, data, .. } if name.starts_with("stream_") => Some(line(name, data)),
        _ => None,
    };
    w.facts_of(id).filter_map(of).collect()
}

#[test]
fn a_supervisor_has_a_call_copied_and_the_copy_lasts_through_hold_and_hand_over_until_the_caller_is_gone() {
    let mut w = World::new(81);
    let (anna, ben) = (w.agent("anna").ready(), w.agent("ben").ready());
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    let id = w.contact(caller);
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));

    let refused = w.asks(anna, |_| wish(id, "asr", true)).unwrap_err();
    assert_eq!(refused.code, RefusalCode::NotAllowed, "not the agent's decision");
    let refused = w.supervises(wish(id, "nowhere", true)).unwrap_err();
    assert_eq!(refused.code, RefusalCode::NotFound);

    w.supervises(wish(id, "asr", true)).unwrap();
    w.supervises(wish(id, "asr", true)).unwrap();
    let open = begun(&w);
    assert_eq!(open.len(), 1, "asked for twice, copied once");
    assert_eq!(
        (open[0].url.as_str(), open[0].customer.rate(), open[0].from.as_str()),
        ("wss://asr.example/calls", Rate::K8, "+3265551234")
    );
    assert!(w.media.taps(caller_leg(&w, id)).len() == 1);
    assert_eq!(w.view().interactions[&id].streams, ["asr"]);

    let to_ben = w.to_agent(ben);
    w.asks(anna, |_| Command::Transfer { interaction: id, to: to_ben }).unwrap();
    w.until(|w| w.rings(ben));
    w.answers(ben);
    w.until(|w| w.hear_each_other(caller, ben));
    assert_eq!(w.view().interactions[&id].streams, ["asr"]);

    w.hangs_up(caller);
    w.until(|w| w.is_over(ben));
    assert_eq!(told(&w, id), ["stream_started asr", "stream_ended asr"]);
}

#[test]
fn card_digits_are_silence_in_the_copy_as_in_the_recording() {
    let mut w = World::new(82);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    let id = w.contact(caller);
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.supervises(wish(id, "asr", true)).unwrap();
    w.asks(anna, |_| Command::RecordPause { interaction: id, paused: true }).unwrap();
    // A copy begun in the middle of the secret is silent from its first sample.
    w.supervises(wish(id, "notes", true)).unwrap();
    w.asks(anna, |_| Command::RecordPause { interaction: id, paused: false }).unwrap();
    let said: Vec<String> = w
        .streams
        .iter()
        .map(|o| match o {
            StreamOrder::Open(open) => format!("open {}", open.stream),
            StreamOrder::Mute { on, .. } => format!("mute {on}"),
        })
        .collect();
    assert_eq!(said, ["open asr", "mute true", "open notes", "mute true", "mute false", "mute false"]);
    w.hangs_up(caller);
    w.until(|w| w.is_over(anna));
}

#[test]
fn a_copy_nobody_takes_any_more_ends_and_the_call_goes_on() {
    let mut w = World::new(83);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    let id = w.contact(caller);
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.supervises(wish(id, "asr", true)).unwrap();
    let tap = begun(&w)[0].tap;
    w.feed(Input::StreamFailed { tap, why: "no connection in time".into() });
    assert_eq!(told(&w, id), ["stream_started asr", "stream_ended asr no connection in time"]);
    assert!(w.media.taps(caller_leg(&w, id)).is_empty());
    assert!(w.hear_each_other(caller, anna));
    // It may be tried again, and stopped by hand.
    w.supervises(wish(id, "asr", true)).unwrap();
    w.supervises(wish(id, "asr", false)).unwrap();
    assert_eq!(w.supervises(wish(id, "asr", false)).unwrap_err().code, RefusalCode::WrongState);
    w.pass(secs(1));
    w.hangs_up(caller);
    w.until(|w| w.is_over(anna));
    assert_eq!(told(&w, id).len(), 4);
}

/// The leg the copies of a call are taken from.
fn caller_leg(w: &World, id: InteractionId) -> media::wire::LegId {
    let leg = w.facts_of(id).find_map(|r| match &r.fact {
        Fact::LegOpened { leg, .. } => Some(*leg),
        _ => None,
    });
    media::wire::LegId(leg.expect("a call has a leg"))
}
