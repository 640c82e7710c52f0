//! Supervisors: who hears whom when somebody listens, whispers, takes part, takes over.

use crate::{
    base::{AgentId, InteractionId, secs},
    center::{
        command::{Actor, Command, Done, Refusal, RefusalCode, Role, SuperviseMode, TransferTo},
        fact::Fact,
    },
    sim::{Manner, Who, World},
};

fn talking(seed: u64) -> (World, Who, Who, Who, InteractionId) {
    let mut w = World::new(seed);
    let (anna, carl) = (w.agent("anna").ready(), w.agent("carl").there());
    w.until(|w| w.phone_of(carl).registered);
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.pass(secs(5));
    let id = w.contact(caller);
    (w, anna, carl, caller, id)
}

fn asks(w: &mut World, who: &str, command: impl FnOnce(AgentId) -> Command) -> Result<Done, Refusal> {
    let user = AgentId::parse(who).unwrap();
    w.command(Actor::User { user: user.clone(), role: Role::Supervisor }, command(user))
}

fn supervise(w: &mut World, id: InteractionId, mode: SuperviseMode) -> Result<Done, Refusal> {
    asks(w, "carl", |supervisor| Command::Supervise { interaction: id, supervisor, mode })
}

fn take_over(w: &mut World, id: InteractionId) -> Result<Done, Refusal> {
    asks(w, "carl", |supervisor| Command::TakeOver { interaction: id, supervisor })
}

fn leave(w: &mut World, id: InteractionId) -> Result<Done, Refusal> {
    asks(w, "carl", |me| Command::SuperviseEnd { interaction: id, supervisor: Some(me) })
}

/// Carl listens: asked for, rung, answered.
fn listening(seed: u64) -> (World, Who, Who, Who, InteractionId) {
    let (mut w, anna, carl, caller, id) = talking(seed);
    supervise(&mut w, id, SuperviseMode::Listen).unwrap();
    w.until(|w| w.rings(carl));
    w.answers(carl);
    w.until(|w| w.hears_person(carl, caller));
    (w, anna, carl, caller, id)
}

const LISTEN: &str = "anna: caller | caller: anna | carl: anna, caller";
const WHISPER: &str = "anna: caller, carl | caller: anna | carl: anna, caller";
const BARGE: &str = "anna: caller, carl | caller: anna, carl | carl: anna, caller";

#[test]
fn who_listens_is_heard_by_nobody_who_whispers_by_the_agent_and_who_barges_in_by_all_on_one_leg() {
    let (mut w, anna, carl, caller, id) = listening(801);
    let people = [("anna", anna), ("caller", caller), ("carl", carl)];
    assert_eq!(w.who_hears_whom(&people), LISTEN);
    let leg = w.leg_of(carl);
    for (mode, rows) in [(SuperviseMode::Whisper, WHISPER), (SuperviseMode::Barge, BARGE), (SuperviseMode::Listen, LISTEN)] {
        supervise(&mut w, id, mode).unwrap();
        assert_eq!(w.who_hears_whom(&people), rows, "{mode:?}");
        assert_eq!(w.leg_of(carl), leg, "nobody is rung a second time");
    }
    leave(&mut w, id).unwrap();
    w.until(|w| w.is_over(carl));
    assert_eq!(w.who_hears_whom(&people), "anna: caller | caller: anna");
    assert_eq!(w.agent_state(carl), "signed_out");
    w.pass(secs(5));
    w.hangs_up(caller);
    w.nothing_is_left();
    assert_eq!((w.count(id, "supervised"), w.count(id, "supervision_ended")), (4, 1));
    assert_eq!(w.story_of(id), "support: waited 0 s · anna talked 10 s · normal");
}

#[test]
fn the_supervisors_phone_is_asked_to_answer_by_itself() {
    let (mut w, _, carl, caller, id) = talking(802);
    supervise(&mut w, id, SuperviseMode::Listen).unwrap();
    w.until(|w| w.rings(carl));
    let marks = w.phone_of(carl).call().unwrap().1.marks.clone();
    for (name, value) in [("X-CC-Auto-Answer", "supervise"), ("Answer-Mode", "Auto"), ("X-CC-Call-Id", &id.to_string())] {
        assert!(marks.iter().any(|(n, v)| n == name && v == value), "{name}: {marks:?}");
    }
    w.hangs_up(caller);
    w.until(|w| w.is_over(carl));
    w.nothing_is_left();
}

#[test]
fn a_supervisor_who_takes_over_has_the_customer_and_the_agent_wraps_up() {
    let (mut w, anna, carl, caller, id) = listening(803);
    let leg = w.leg_of(carl);
    take_over(&mut w, id).unwrap();
    assert!(w.hear_each_other(caller, carl), "{}", w.report());
    assert_eq!(w.leg_of(carl), leg);
    w.until(|w| w.is_over(anna));
    assert_eq!(w.agent_state(anna), "ready wrap_up");
    w.pass(secs(20));
    assert_eq!(w.agent_state(anna), "ready");
    w.hangs_up(caller);
    w.nothing_is_left();
    assert_eq!(w.story_of(id), "support: waited 0 s · anna talked 5 s · carl talked 20 s · normal");
    assert_eq!((w.count(id, "taken_over"), w.count(id, "recording_started")), (1, 2));
}

#[test]
fn who_takes_over_from_nowhere_is_called_first_and_is_the_agent_once_the_phone_is_answered() {
    let (mut w, anna, carl, caller, id) = talking(804);
    take_over(&mut w, id).unwrap();
    w.until(|w| w.rings(carl));
    assert!(w.hear_each_other(caller, anna));
    w.answers(carl);
    w.until(|w| w.hear_each_other(caller, carl) && w.is_over(anna));
    w.hangs_up(carl);
    w.until(|w| w.is_over(caller));
    w.nothing_is_left();
}

#[test]
fn a_supervisor_goes_from_call_to_call_on_the_same_leg() {
    let (mut w, anna, carl, caller, id) = listening(805);
    let ben = w.agent("ben").ready();
    let other = w.phone("+3265550002").dials("4001");
    w.until(|w| w.rings(ben));
    w.answers(ben);
    w.until(|w| w.hear_each_other(other, ben));
    let (leg, second) = (w.leg_of(carl), w.contact(other));
    supervise(&mut w, second, SuperviseMode::Whisper).unwrap();
    assert_eq!(w.leg_of(carl), leg);
    let people = [("anna", anna), ("ben", ben), ("caller", caller), ("carl", carl), ("other", other)];
    let rows = "anna: caller | ben: carl, other | caller: anna | carl: ben, other | other: ben";
    assert_eq!(w.who_hears_whom(&people), rows);
    assert_eq!((w.count(id, "supervision_ended"), w.count(id, "leg_ended")), (1, 1));
    w.hangs_up(caller);
    w.pass(secs(20));
    assert!(w.is_up(carl), "the first call is over, the second is not");
    w.hangs_up(other);
    w.until(|w| w.is_over(carl));
    w.nothing_is_left();
}

#[test]
fn on_hold_a_supervisor_stays_with_the_agent_and_the_customer_hears_neither() {
    let (mut w, anna, carl, caller, id) = listening(806);
    supervise(&mut w, id, SuperviseMode::Whisper).unwrap();
    w.asks(anna, |_| Command::Hold { interaction: id, on: true }).unwrap();
    let people = [("anna", anna), ("caller", caller), ("carl", carl)];
    assert_eq!(w.who_hears_whom(&people), "anna: carl | carl: anna");
    assert!(w.hears(caller, "♫calm"));
    w.asks(anna, |_| Command::Hold { interaction: id, on: false }).unwrap();
    assert_eq!(w.who_hears_whom(&people), WHISPER);
    w.hangs_up(anna);
    w.until(|w| w.is_over(carl) && w.is_over(caller));
    w.nothing_is_left();
}

#[test]
fn a_supervisor_follows_a_customer_handed_to_an_agent_and_leaves_when_they_go_outside() {
    let (mut w, anna, carl, caller, id) = listening(807);
    let ben = w.agent("ben").ready();
    let to = w.to_agent(ben);
    w.transfers(anna, id, to).unwrap();
    w.until(|w| w.rings(ben));
    let people = [("ben", ben), ("caller", caller), ("carl", carl)];
    assert_eq!(w.who_hears_whom(&people), "", "nobody overhears a customer who waits");
    w.answers(ben);
    w.until(|w| w.hear_each_other(caller, ben));
    assert_eq!(w.who_hears_whom(&people), "ben: caller | caller: ben | carl: ben, caller");
    let carrier = w.carrier();
    w.manner(carrier, Manner::Answer(secs(2)));
    w.transfers(ben, id, TransferTo::Number { number: "+3226660000".into() }).unwrap();
    w.until(|w| w.hear_each_other(caller, carrier));
    assert!(w.is_over(carl));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn a_supervisor_whose_phone_does_not_answer_or_goes_away_leaves_the_two_talking() {
    for answered in [false, true] {
        let (mut w, anna, carl, caller, id) = if answered { listening(808) } else { talking(808) };
        match answered {
            true => assert!(w.hangs_up(carl)),
            false => {
                supervise(&mut w, id, SuperviseMode::Barge).unwrap();
                w.until(|w| w.rings(carl));
                w.pass(secs(30));
            }
        }
        w.until(|w| w.count(id, "supervision_ended") == 1);
        assert!(w.hear_each_other(caller, anna), "{}", w.report());
        w.hangs_up(caller);
        w.nothing_is_left();
    }
}

#[test]
fn supervision_is_refused_to_agents_to_strangers_of_the_queue_and_to_who_has_no_phone() {
    let (mut w, anna, _, caller, id) = talking(809);
    let refused =
        w.asks(anna, |supervisor| Command::Supervise { interaction: id, supervisor, mode: SuperviseMode::Listen }).unwrap_err();
    assert_eq!(refused.code, RefusalCode::NotAllowed);
    // Nobody listens with somebody else's phone.
    let refused = asks(&mut w, "sue", |_| Command::Supervise {
        interaction: id,
        supervisor: AgentId::parse("carl").unwrap(),
        mode: SuperviseMode::Listen,
    });
    assert_eq!(refused.unwrap_err().code, RefusalCode::NotAllowed);
    let refused =
        asks(&mut w, "dora", |supervisor| Command::Supervise { interaction: id, supervisor, mode: SuperviseMode::Listen });
    assert_eq!(refused.unwrap_err().code, RefusalCode::WrongState, "no phone");
    w.configure(|b| {
        let t = b.tenants.values_mut().next().unwrap();
        let sales = crate::base::QueueId::parse("sales").unwrap();
        t.supervision.queues.insert(AgentId::parse("carl").unwrap(), [sales].into());
    });
    for refused in [supervise(&mut w, id, SuperviseMode::Listen), take_over(&mut w, id)] {
        assert_eq!(refused.unwrap_err().code, RefusalCode::NotAllowed, "the call is of support");
    }
    assert_eq!(w.count(id, "supervised"), 0);
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn a_supervisor_who_is_ready_is_offered_nothing_while_on_somebodys_call() {
    let (mut w, _, carl, caller, id) = talking(810);
    w.signs_in(carl);
    w.sets_ready(carl);
    supervise(&mut w, id, SuperviseMode::Listen).unwrap();
    w.until(|w| w.rings(carl));
    w.answers(carl);
    w.pass(secs(1));
    let next = w.phone("+3265550003").dials("4002");
    w.pass(secs(10));
    assert_eq!(w.phone_of(carl).calls.len(), 1, "one call only");
    leave(&mut w, id).unwrap();
    w.until(|w| w.rings(carl));
    w.hangs_up(next);
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn a_chat_is_read_along_written_in_and_taken_over() {
    let mut w = World::new(811);
    let (anna, carl) = (w.agent("anna").ready(), w.agent("carl").ready());
    let guest = w.visitor("Vera");
    w.opens_chat(guest).unwrap();
    w.pass(secs(1));
    w.writes(guest, "support").unwrap();
    w.until(|w| w.offer_to(anna).is_some());
    w.accepts(anna).unwrap();
    let id = w.chat(guest);
    let say = |w: &mut World, words: &str| {
        let (client_id, body) = (format!("c{}", w.inputs), words.to_owned());
        asks(w, "carl", |_| Command::Say { interaction: id, client_id, body })
    };
    supervise(&mut w, id, SuperviseMode::Listen).unwrap();
    assert_eq!(say(&mut w, "hello").unwrap_err().code, RefusalCode::NotAllowed);
    supervise(&mut w, id, SuperviseMode::Barge).unwrap();
    say(&mut w, "I am Carl.").unwrap();
    w.pass(secs(1));
    assert!(w.transcript(id).contains(&"carl: I am Carl.".to_owned()), "{:?}", w.transcript(id));
    take_over(&mut w, id).unwrap();
    assert_eq!(w.agent_state(anna), "ready wrap_up");
    assert_eq!(w.agent_state(carl), "ready talking");
    say(&mut w, "It is me now.").unwrap();
    assert!(w.replies(anna, guest, "and me?").is_err());
    w.leaves(guest).unwrap();
    w.nothing_is_left();
}

#[test]
fn a_waiting_caller_is_moved_to_another_queue_given_to_an_agent_and_pulled() {
    let mut w = World::new(812);
    let carl = w.agent("carl").there();
    w.until(|w| w.phone_of(carl).registered);
    let caller = w.phone("+3265551234").dials("4001");
    w.pass(secs(30));
    let id = w.contact(caller);
    let sales = || World::to_queue("sales");
    asks(&mut w, "sue", |_| Command::Assign { interaction: id, to: sales() }).unwrap();
    assert_eq!(w.view().interactions[&id].queue.as_ref().unwrap().as_str(), "sales");
    asks(&mut w, "sue", |_| Command::SetPriority { interaction: id, priority_min: 7 }).unwrap();
    let agent = AgentId::parse("anna").unwrap();
    let refused = asks(&mut w, "sue", |_| Command::Assign { interaction: id, to: TransferTo::Agent { agent } });
    assert_eq!(refused.unwrap_err().code, RefusalCode::WrongState, "anna is not here");
    // Carl has not even signed in; it is his own wish.
    asks(&mut w, "carl", |supervisor| Command::Pull { interaction: id, supervisor }).unwrap();
    w.until(|w| w.rings(carl));
    w.answers(carl);
    w.until(|w| w.hear_each_other(caller, carl));
    w.hangs_up(caller);
    w.nothing_is_left();
    let since: Vec<_> = w
        .facts_of(id)
        .filter_map(|r| match &r.fact {
            Fact::Queued { entry } => Some(entry.since),
            _ => None,
        })
        .collect();
    assert!(since.len() == 2 && since[0] == since[1], "the age is kept");
    assert_eq!((w.count(id, "reassigned"), w.count(id, "prioritised")), (2, 1));
}
