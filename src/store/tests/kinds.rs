//! Every kind of fact goes into the journal and comes back as it was.

use std::collections::{BTreeMap, BTreeSet};

use super::{Lab, on_both, story::*};
use crate::{
    base::{Channel, FlowId, ms, secs},
    call::{Cause, LegSnapshot},
    center::{
        callback::{Outcome, Plan, Promise, Words},
        command::{Actor, CommandId, Role, SuperviseMode, TransferTo},
        fact::{AlertAcked, AlertCleared, AlertRaised, ConsultEnd, EndedBy, Fact, LegRole, LegTrouble, Quality, Unqueued},
    },
    ivr, routing,
    sip::dialog::DialogSnapshot,
};

on_both! {
    a_fact_of_every_kind_comes_back_as_it_was
}

async fn a_fact_of_every_kind_comes_back_as_it_was(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    s.tell(Fact::NodeStarted { version: "0.1.0".into() });
    let alice = s.person("Alice Archer", "+3265551234");
    s.ticket(1, "Broken box", Some(alice));
    let call = s.call(alice, "sales", "anna");
    s.says(call, 1, "nul \u{0}, quotes \"' and 你好");
    let recording = s.records(call);
    s.tell(Fact::VoicemailLeft { interaction: call, recording, ms: 3_000 });
    tell_flow(&mut s, call);
    tell_legs(&mut s, call);
    s.tell(Fact::Held { interaction: call, agent: agent("anna"), on: true });
    for to in [
        TransferTo::Queue { queue: queue("care") },
        TransferTo::Agent { agent: agent("ben") },
        TransferTo::Number { number: "+3228880000".into() },
    ] {
        s.tell(Fact::Transferred { interaction: call, agent: agent("anna"), to });
    }
    tell_floor(&mut s, call, recording);
    s.tell(Fact::WrapUp { interaction: call, agent: agent("anna"), until: NINE });
    let by = Actor::User { user: agent("anna"), role: Role::Agent };
    s.tell(Fact::ReadUpTo { interaction: call, by: by.clone(), seq: 77 });
    for state in [routing::AgentState::SignedOut, routing::AgentState::NotReady(code("lunch"))] {
        s.tell(Fact::AgentState { agent: agent("anna"), state, since: NINE, pending: None });
    }
    s.tell(Fact::EndpointChosen { agent: agent("anna"), number: Some("+32470000009".into()), by: by.clone() });
    s.tell(Fact::Counted {
        event: routing::MetricEvent::Entered { queue: queue("sales"), channel: Channel::Voice, interaction: call, at: NINE },
    });
    let (trunk, to) = (crate::base::TrunkId::parse("carrier").unwrap(), "+32470000009".to_owned());
    s.tell(Fact::CallOut {
        interaction: None,
        agent: None,
        trunk,
        to,
        denied: None,
        source: "anna".into(),
        permit: Some(3),
        per_minute: 20_000,
    });
    s.tell(Fact::CallOutOver { permit: 3, talked_s: 61, spent: 20_334 });
    let (sales, metric) = (|| queue("sales"), crate::center::alerts::Metric::Longest);
    s.tell(Fact::AlertRaised(AlertRaised { queue: sales(), metric, value: 21, limit: 20, began_at: Some(NINE) }));
    s.tell(Fact::AlertAcked(AlertAcked { queue: sales(), metric, by: by.clone() }));
    s.tell(Fact::AlertCleared(AlertCleared { queue: sales(), metric, worst: 90, limit: 20, since: NINE }));
    s.tell(Fact::Alarm { code: "disk".into(), message: "the disk is full".into(), on: true });
    let waiting = s.opens(Channel::Webchat, alice);
    let mut entry = routing::Entry::new(waiting, queue("sales"), Channel::Webchat, NINE);
    entry.prefer = Some((agent("anna"), secs(30)));
    entry.max_wait = Some(ms(1_500));
    entry.attributes = [("tier".to_owned(), "vip".to_owned())].into();
    s.tell(Fact::Queued { entry: entry.clone() });
    s.leaves(waiting, "sales", Unqueued::ServerRestart, 9);
    entry.patient = true;
    tell_callback(&mut s, waiting, entry);
    s.closes(waiting, Cause::ServerRestart, EndedBy::System);

    let mut facts = s.facts();
    for record in &mut facts {
        record.cause = Some(CommandId(record.seq * 10));
    }
    let told: BTreeSet<&str> = facts.iter().map(|r| r.fact.kind()).collect();
    let kinds = include_str!("../../center/fact/kinds.rs").lines().filter(|l| l.contains(" { .. } => \"")).count();
    assert_eq!(told.len(), kinds, "a kind of fact is not in this story; these are: {told:?}");

    lab.keep(facts.clone()).await;
    let mut back = Vec::new();
    lab.store.replay(1, |r| back.push(r)).await.unwrap();
    for (back, told) in back.iter().zip(&facts) {
        assert_eq!(back, told);
    }
    assert_eq!(back.len(), facts.len());
}

fn tell_callback(s: &mut Story, waiting: crate::base::InteractionId, entry: routing::Entry) {
    let plan = Plan {
        number: "+3265551234".into(),
        attempts: 3,
        gap_s: 300,
        screens: true,
        message: vec![
            Words::File("missed.wav".into()),
            Words::Say { text: "We tried to reach you.".into(), lang: "en-US".into() },
        ],
        ticket: Some(Promise { queue: queue("sales"), title: "Not reached".into(), sla: None }),
        at: Some(NINE),
    };
    s.tell(Fact::CallbackBooked { interaction: waiting, of: Some(waiting), plan, entry });
    s.tell(Fact::CallbackTried { interaction: waiting, attempt: 1, outcome: Outcome::Told, again_at: Some(NINE) });
}

fn tell_floor(s: &mut Story, call: crate::base::InteractionId, recording: crate::base::RecordingId) {
    let (interaction, anna, sue) = (call, || agent("anna"), || agent("sue"));
    let by = || Actor::User { user: sue(), role: Role::Supervisor };
    let to = || TransferTo::Agent { agent: agent("ben") };
    s.tell(Fact::Consulted { interaction, agent: anna(), to: to() });
    s.tell(Fact::ConsultAnswered { interaction, agent: anna(), helper: Some(agent("ben")) });
    s.tell(Fact::ConsultMerged { interaction, agent: anna() });
    s.tell(Fact::ConsultEnded { interaction, agent: anna(), helper: None, how: ConsultEnd::NotTaken });
    s.tell(Fact::Muted { interaction, agent: anna(), on: true });
    s.tell(Fact::KeysSent { interaction, agent: anna(), digits: "12#".into() });
    s.tell(Fact::Supervised { interaction, supervisor: sue(), mode: SuperviseMode::Whisper });
    s.tell(Fact::SupervisionEnded { interaction, supervisor: sue(), cause: Some(Cause::NoAnswer) });
    s.tell(Fact::TakenOver { interaction, supervisor: sue(), from: anna() });
    s.tell(Fact::Reassigned { interaction, by: by(), to: to() });
    s.tell(Fact::Prioritised { interaction, by: by(), minutes: -5 });
    s.tell(Fact::RecordingPaused { interaction, recording, by: by(), on: true });
    s.tell(Fact::Rated { interaction, by: by(), score: 4, best: 5, comment: "谢谢".into() });
    s.tell(Fact::Said {
        interaction,
        by: LegRole::Agent,
        agent: Some(anna()),
        text: "wo ist 我的订单?".into(),
        confidence: 0.87,
        since: crate::base::Wall::from_unix_s(1_795_406_706),
        ms: 1_240,
    });
}

fn tell_flow(s: &mut Story, call: crate::base::InteractionId) {
    let flow = FlowId::parse("main").unwrap();
    s.tell(Fact::FlowStarted { interaction: call, flow: flow.clone(), hash: "ab12".into() });
    s.tell(Fact::FlowEntered { interaction: call, node: "menu".into() });
    s.tell(Fact::FlowEvent { interaction: call, name: "order".into(), data: [("number".into(), "12".into())].into() });
    let vars = BTreeMap::from([
        ("nothing".to_owned(), ivr::Value::Null),
        ("yes".to_owned(), ivr::Value::Bool(true)),
        ("tries".to_owned(), ivr::Value::Number(2.5)),
        ("words".to_owned(), ivr::Value::List(vec![ivr::Value::Text("一".into()), ivr::Value::Duration(3.0)])),
        ("order".to_owned(), ivr::Value::Object([("id".to_owned(), ivr::Value::Text("7".into()))].into())),
    ]);
    let env = ivr::Env {
        channel: Channel::Voice,
        ani: "+3265551234".into(),
        dnis: "4000".into(),
        lang: None,
        tenant: s.tenant.clone(),
        interaction: call.to_string(),
        inputs: vars.clone(),
    };
    let frame = serde_json::json!({ "flow": flow, "hash": "ab12", "node": "menu", "vars": vars, "inputs": {} });
    let frames = vec![serde_json::from_value(frame).expect("a flow on the stack")];
    let state = ivr::RunState { env, frames, begun: true, resting: false, next_ask: 3 };
    s.tell(Fact::FlowSaved { interaction: call, state });
}

fn tell_legs(s: &mut Story, call: crate::base::InteractionId) {
    let (role, party, call_id) = (LegRole::Outside, "+3228880000".to_owned(), "a84b4c76e66710".to_owned());
    s.tell(Fact::LegOpened { interaction: call, leg: 1, role, party, call_id: call_id.clone() });
    let dialog = DialogSnapshot {
        call_id,
        local: "<sip:4000@pbx.example>;tag=1".into(),
        remote: "\"Alice\" <sip:alice@example.com>;tag=2".into(),
        local_seq: 1,
        remote_seq: None,
        route_set: vec!["<sip:proxy.example;lr>".into()],
        remote_target: "sip:alice@192.0.2.1:5062".into(),
        transport: "udp".into(),
        local_addr: "192.0.2.9:5060".parse().unwrap(),
        remote_addr: "[2001:db8::1]:5062".parse().unwrap(),
        sticky: true,
        caller: false,
    };
    let media = LegSnapshot {
        rtp_port: 10_000,
        remote: "192.0.2.1:4000".parse().unwrap(),
        codec: "pcma".into(),
        session: (u64::MAX, 1),
        security: "sdes".into(),
        trunk: Some(crate::base::TrunkId::parse("carrier").unwrap()),
    };
    s.tell(Fact::LegDialog { interaction: call, leg: 1, dialog, media });
    s.tell(Fact::LegTrouble { interaction: call, leg: 1, role: LegRole::Agent, trouble: LegTrouble::Unheard, on: true });
    let quality = Some(Quality { packets_in: 5, rtt_us: Some(9), mos_min: Some(3.61), ..Default::default() });
    s.tell(Fact::LegEnded { interaction: call, leg: 1, cause: Cause::Busy, quality });
}
