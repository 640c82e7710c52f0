//! Asking for advice: who hears whom, who has the customer in the end, and every way it can go wrong.

use crate::{
    base::{InteractionId, QueueId, ms, secs},
    center::command::{Command, ConsultStep, RefusalCode, TransferTo},
    sim::{Manner, Who, World},
};

struct Scene {
    w: World,
    anna: Who,
    ben: Who,
    caller: Who,
    id: InteractionId,
}

impl Scene {
    fn talking(seed: u64) -> Scene {
        let mut w = World::new(seed);
        let (anna, ben) = (w.agent("anna").ready(), w.agent("ben").ready());
        let caller = w.phone("+3265551234").dials("4001");
        w.until(|w| w.rings(anna));
        w.answers(anna);
        w.until(|w| w.hear_each_other(caller, anna));
        w.pass(secs(10));
        let id = w.contact(caller);
        Scene { w, anna, ben, caller, id }
    }
    fn asking(seed: u64) -> Scene {
        let mut s = Scene::talking(seed);
        let to = s.w.to_agent(s.ben);
        s.consult(to);
        s.w.until(|w| w.rings(s.ben));
        s
    }
    fn advised(seed: u64) -> Scene {
        let mut s = Scene::asking(seed);
        s.w.answers(s.ben);
        s.w.until(|w| w.hear_each_other(s.anna, s.ben));
        s
    }
    fn consult(&mut self, to: TransferTo) {
        let id = self.id;
        self.w.asks(self.anna, |_| Command::Consult { interaction: id, to }).unwrap();
    }
    fn step(&mut self, step: ConsultStep) {
        let id = self.id;
        self.w.asks(self.anna, |_| Command::ConsultStep { interaction: id, step }).unwrap();
    }
    fn rows(&self) -> String {
        self.w.who_hears_whom(&[("anna", self.anna), ("ben", self.ben), ("caller", self.caller)])
    }
    fn all_go_home(mut self) -> World {
        for who in [self.caller, self.anna, self.ben] {
            self.w.hangs_up(who);
        }
        self.w.nothing_is_left();
        for who in [self.anna, self.ben] {
            assert_eq!(self.w.agent_state(who), "ready");
        }
        self.w
    }
}

const TWO: &str = "anna: caller | caller: anna";
const ADVICE: &str = "anna: ben | ben: anna";
const THREE: &str = "anna: ben, caller | ben: anna, caller | caller: anna, ben";
const HANDED: &str = "ben: caller | caller: ben";

#[test]
fn an_agent_asks_swaps_and_goes_back() {
    let mut s = Scene::asking(901);
    assert!(s.w.hears(s.caller, "♫calm") && s.w.hears(s.anna, "♪425"), "{}", s.w.report());
    s.w.answers(s.ben);
    s.w.until(|w| w.hear_each_other(s.anna, s.ben));
    assert_eq!(s.rows(), ADVICE);
    assert_eq!((s.w.agent_state(s.anna).as_str(), s.w.agent_state(s.ben).as_str()), ("ready hold", "ready talking"));
    s.step(ConsultStep::Swap);
    assert_eq!(s.rows(), TWO);
    assert!(s.w.hears(s.ben, "♫"));
    s.step(ConsultStep::Swap);
    assert_eq!(s.rows(), ADVICE);
    assert!(s.w.hears(s.caller, "♫calm"));
    s.step(ConsultStep::Cancel);
    assert_eq!(s.rows(), TWO);
    s.w.until(|w| w.is_over(s.ben));
    assert_eq!(s.w.agent_state(s.ben), "ready", "advice is not wrapped up");
    let id = s.id;
    let w = s.all_go_home();
    assert!(w.story_of(id).starts_with("support: waited 0 s · anna talked 10 s"), "{}", w.story_of(id));
}

#[test]
fn a_completed_consultation_leaves_customer_and_helper_together() {
    let mut s = Scene::advised(902);
    s.w.pass(secs(7));
    s.step(ConsultStep::Complete);
    assert_eq!(s.rows(), HANDED);
    s.w.until(|w| w.is_over(s.anna));
    assert_eq!((s.w.agent_state(s.anna).as_str(), s.w.agent_state(s.ben).as_str()), ("ready wrap_up", "ready talking"));
    s.w.pass(secs(12));
    s.w.hangs_up(s.caller);
    s.w.pass(secs(1));
    assert_eq!(s.w.agent_state(s.ben), "ready wrap_up", "it was a customer of the queue");
    let id = s.id;
    let w = s.all_go_home();
    assert_eq!(w.story_of(id), "support: waited 0 s · anna talked 10 s, held 7 s · handed to ben · ben talked 12 s · normal");
    assert_eq!(w.count(id, "recording_started"), 2, "each agent's part is recorded");
}

#[test]
fn three_talk_together_and_whoever_leaves_leaves_the_others_talking() {
    for leaves in ["anna", "ben", "caller", "nobody"] {
        let mut s = Scene::advised(903);
        s.step(ConsultStep::Merge);
        assert_eq!(s.rows(), THREE);
        s.w.pass(secs(5));
        let (who, rest) = match leaves {
            "anna" => (s.anna, HANDED),
            "ben" => (s.ben, TWO),
            "caller" => (s.caller, ADVICE),
            _ => {
                s.step(ConsultStep::Cancel);
                assert_eq!(s.rows(), TWO);
                s.all_go_home();
                continue;
            }
        };
        s.w.hangs_up(who);
        s.w.pass(secs(2));
        assert_eq!(s.rows(), rest, "{leaves} left\n{}", s.w.report());
        assert!(!s.w.closed(s.id));
        s.all_go_home();
    }
}

#[test]
fn a_queue_finds_the_helper_and_a_number_is_asked_as_it_is_dialled() {
    let mut s = Scene::talking(904);
    s.consult(World::to_queue("sales"));
    s.w.until(|w| w.rings(s.ben));
    s.w.answers(s.ben);
    s.w.until(|w| w.hear_each_other(s.anna, s.ben));
    s.step(ConsultStep::Cancel);
    s.w.pass(secs(1));
    let carrier = s.w.carrier();
    s.w.manner(carrier, Manner::Answer(secs(4)));
    s.consult(TransferTo::Number { number: "+3226660000".into() });
    s.w.until(|w| w.hear_each_other(s.anna, carrier));
    assert!(s.w.hears(s.caller, "♫calm"));
    let id = s.id;
    s.w.asks(s.anna, |_| Command::Keys { interaction: id, digits: "12#".into() }).unwrap();
    s.step(ConsultStep::Complete);
    s.w.until(|w| w.hear_each_other(s.caller, carrier) && w.is_over(s.anna));
    s.w.hangs_up(carrier);
    s.w.until(|w| w.is_over(s.caller));
    s.all_go_home();
}

#[test]
fn a_number_no_route_leads_to_is_not_asked_either() {
    let mut s = Scene::talking(905);
    let id = s.id;
    let ask = |w: &mut World, who, to| w.asks(who, |_| Command::Consult { interaction: id, to }).unwrap_err().code;
    let number = TransferTo::Number { number: "777".into() };
    assert_eq!(ask(&mut s.w, s.anna, number), RefusalCode::NotAllowed);
    let (anna, carl) = (s.w.to_agent(s.anna), TransferTo::Agent { agent: crate::base::AgentId::parse("carl").unwrap() });
    assert_eq!(ask(&mut s.w, s.anna, anna), RefusalCode::Invalid);
    assert_eq!(ask(&mut s.w, s.anna, carl), RefusalCode::WrongState, "carl is not here");
    let ben = s.w.to_agent(s.ben);
    assert_eq!(ask(&mut s.w, s.ben, ben), RefusalCode::NotAllowed, "ben has nothing to do with it");
    assert_eq!(s.rows(), TWO);
    s.all_go_home();
}

#[test]
fn a_helper_who_does_not_answer_declines_or_hangs_up_leaves_the_customer_on_hold_for_the_agent() {
    for how in ["silent", "declines", "leaves"] {
        let mut s = Scene::asking(906);
        match how {
            "silent" => s.w.pass(secs(30)),
            "declines" => assert!(s.w.declines(s.ben)),
            _ => {
                s.w.answers(s.ben);
                s.w.until(|w| w.hear_each_other(s.anna, s.ben));
                s.w.hangs_up(s.ben);
            }
        }
        s.w.until(|w| w.count(s.id, "consult_ended") == 1);
        s.w.pass(ms(500));
        assert_eq!(s.rows(), "", "{how}: nobody is put on the line unawares");
        assert!(s.w.hears(s.caller, "♫calm") && s.w.hears_played(s.anna).is_none(), "{how}");
        let id = s.id;
        s.w.asks(s.anna, |_| Command::Hold { interaction: id, on: false }).unwrap();
        assert_eq!(s.rows(), TWO);
        s.w.hangs_up(s.caller);
        s.w.nothing_is_left();
    }
}

#[test]
fn a_customer_who_hangs_up_during_the_consultation_lets_the_two_finish() {
    let mut s = Scene::advised(907);
    s.w.hangs_up(s.caller);
    s.w.pass(secs(3));
    assert_eq!(s.rows(), ADVICE, "{}", s.w.report());
    assert!(!s.w.closed(s.id) && s.w.view().interactions[&s.id].customer_left);
    let id = s.id;
    let refused = s.w.asks(s.anna, |_| Command::ConsultStep { interaction: id, step: ConsultStep::Complete });
    assert_eq!(refused.unwrap_err().code, RefusalCode::WrongState);
    s.w.hangs_up(s.ben);
    s.w.until(|w| w.closed(id) && w.is_over(s.anna));
    s.all_go_home();
}

#[test]
fn a_customer_who_hangs_up_while_the_helper_rings_or_waits_ends_it() {
    for waits in [false, true] {
        let mut s = if waits { Scene::advised(908) } else { Scene::asking(908) };
        if waits {
            s.step(ConsultStep::Swap);
        }
        s.w.hangs_up(s.caller);
        s.w.until(|w| w.closed(s.id) && w.is_over(s.ben) && w.is_over(s.anna));
        s.all_go_home();
    }
}

#[test]
fn an_agent_whose_phone_goes_away_has_handed_the_customer_over() {
    for how in ["ringing", "advised", "swapped", "finish"] {
        let mut s = if how == "ringing" { Scene::asking(909) } else { Scene::advised(909) };
        let id = s.id;
        match how {
            "swapped" => s.step(ConsultStep::Swap),
            "finish" => drop(s.w.asks(s.anna, |_| Command::Finish { interaction: id }).unwrap()),
            _ => {}
        }
        s.w.hangs_up(s.anna);
        if how == "ringing" {
            s.w.until(|w| w.is_over(s.anna));
            s.w.until(|w| w.rings(s.ben));
            assert!(s.w.hears(s.caller, "♫"), "{}", s.w.report());
            s.w.answers(s.ben);
        }
        s.w.until(|w| w.hear_each_other(s.caller, s.ben));
        assert_eq!(s.rows(), HANDED, "{how}");
        s.all_go_home();
    }
}

#[test]
fn the_recording_holds_what_the_customer_hears_and_not_what_agents_say_among_themselves() {
    let mut s = Scene::asking(912);
    let (caller, anna) = (s.w.leg_of(s.caller), s.w.leg_of(s.anna));
    let sides = |s: &Scene| s.w.media.sides().collect::<Vec<_>>();
    assert_eq!(sides(&s), [(caller, None)], "music");
    s.w.answers(s.ben);
    s.w.until(|w| w.hear_each_other(s.anna, s.ben));
    assert_eq!(sides(&s), [(caller, None)], "still music: the advice is not the customer's");
    s.step(ConsultStep::Swap);
    assert_eq!(sides(&s), [(caller, anna)]);
    s.step(ConsultStep::Merge);
    assert_eq!(sides(&s), [(caller, None)], "both agents, as the customer hears them");
    s.step(ConsultStep::Complete);
    let ben = s.w.leg_of(s.ben);
    s.w.pass(ms(50));
    assert_eq!(sides(&s), [(caller, ben)]);
    s.all_go_home();
}

#[test]
fn completing_while_it_rings_is_a_hand_over_without_a_word() {
    let mut s = Scene::asking(910);
    s.step(ConsultStep::Complete);
    s.w.until(|w| w.is_over(s.anna) && w.rings(s.ben));
    s.w.answers(s.ben);
    s.w.until(|w| w.hear_each_other(s.caller, s.ben));
    s.all_go_home();
}

#[test]
fn helper_agent_and_customer_may_hang_up_in_any_order_at_any_distance() {
    for seed in 0..60u64 {
        let mut s = if seed % 3 == 0 { Scene::asking(920 + seed) } else { Scene::advised(920 + seed) };
        s.w.net.delay = ms(40);
        s.w.net.spread = ms(60);
        if seed % 3 == 2 {
            s.step(ConsultStep::Merge);
        }
        let mut order = [s.anna, s.ben, s.caller];
        order.rotate_left(seed as usize % 3);
        if seed % 2 == 0 {
            order.swap(0, 1);
        }
        let (id, gap) = (s.id, ms(seed % 7 * 15));
        for who in order {
            if seed % 5 == 0 {
                // It may be refused by now; nothing may be left of it all the same.
                drop(s.w.asks(s.anna, |_| Command::ConsultStep { interaction: id, step: ConsultStep::Complete }));
            }
            s.w.hangs_up(who);
            s.w.pass(gap);
        }
        s.w.pass(secs(2));
        for who in order {
            s.w.hangs_up(who);
        }
        s.w.until(|w| w.closed(id));
        s.w.nothing_is_left();
    }
}

#[test]
fn a_customer_on_hold_for_longer_than_the_queue_allows_is_seen_and_the_agent_hears_of_it_before_the_house_would() {
    let mut w = World::new(912);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4003");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    let id = w.contact(caller);
    let queue = |w: &World| w.view().queues[&QueueId::parse("team").unwrap()].clone();
    assert_eq!((queue(&w).hold_max_s, queue(&w).held_since), (20, None));
    w.asks(anna, |_| Command::Hold { interaction: id, on: true }).unwrap();
    assert_eq!(queue(&w).held_since, w.view().interactions[&id].held_since);
    assert!(queue(&w).held_since.is_some());
    w.pass(secs(19));
    assert!(!w.hears(anna, "♪440"));
    w.pass(ms(1_050));
    assert!(w.hears(anna, "♪440"), "the limit of the queue, not the minute of the house");
    w.asks(anna, |_| Command::Hold { interaction: id, on: false }).unwrap();
    assert_eq!(queue(&w).held_since, None);
}

#[test]
fn keys_mute_hold_and_a_paused_recording_are_in_the_picture_and_the_timeline() {
    let mut s = Scene::talking(911);
    let id = s.id;
    let now = |s: &Scene| s.w.view().interactions[&id].clone();
    assert_eq!((now(&s).recording, now(&s).muted), (Some("running"), false));
    s.w.asks(s.anna, |_| Command::RecordPause { interaction: id, paused: true }).unwrap();
    assert_eq!(now(&s).recording, Some("paused"));
    s.w.asks(s.anna, |_| Command::RecordPause { interaction: id, paused: false }).unwrap();
    s.w.asks(s.anna, |_| Command::Mute { interaction: id, on: true }).unwrap();
    assert_eq!((s.rows().as_str(), now(&s).muted), ("anna: caller", true));
    s.w.asks(s.anna, |_| Command::Mute { interaction: id, on: false }).unwrap();
    assert_eq!(s.rows(), TWO);
    s.w.asks(s.anna, |_| Command::Keys { interaction: id, digits: "0*#9".into() }).unwrap();
    for bad in ["", "12x", "111111111111111111111111111111111"] {
        let refused = s.w.asks(s.anna, |_| Command::Keys { interaction: id, digits: bad.into() }).unwrap_err();
        assert_eq!(refused.code, RefusalCode::Invalid);
    }
    s.w.asks(s.anna, |_| Command::Hold { interaction: id, on: true }).unwrap();
    assert!(now(&s).held_since.is_some());
    s.w.pass(secs(59));
    assert!(!s.w.hears(s.anna, "♪440"));
    s.w.pass(ms(1_050));
    assert!(s.w.hears(s.anna, "♪440"), "a minute on hold: two short tones");
    s.w.asks(s.anna, |_| Command::Hold { interaction: id, on: false }).unwrap();
    let counts = ["recording_paused", "muted", "keys_sent", "held"].map(|k| s.w.count(id, k));
    assert_eq!(counts, [2, 2, 1, 2]);
    s.all_go_home();
}
