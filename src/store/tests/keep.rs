//! What goes by age and what must not: afterwards everything is as if it had never been, and a restart decides the same.

use super::{Lab, on_both, story::*};
use crate::{
    base::{AgentId, CustomerId, InteractionId, Rng, TenantId, Wall, secs},
    call::Cause,
    center::{
        fact::{EndedBy, Fact, LegRole, Record},
        memory::Memory,
    },
    routing::{self, AgentState},
    store::{Aged, AuditEntry, CustomerFilter, Due, Held, Hold, InteractionFilter, StoreError, TicketFilter},
    ticket::{Actor, Change, To},
};

on_both! {
    what_is_older_than_it_is_kept_goes_whole_and_a_rebuild_brings_nothing_back
    the_words_of_a_call_go_before_the_call_and_its_recording_alone
    what_is_held_stays_and_is_counted_and_goes_when_the_hold_is_lifted
    a_closed_ticket_goes_and_its_number_is_not_given_again
    audit_and_states_of_agents_grow_old_too
    a_restart_decides_the_same_whatever_has_gone
    whoever_is_erased_is_nowhere_and_the_report_says_the_same
    a_journal_may_begin_later_and_still_tells_a_hole_from_what_was_forgotten
}

const DAY: u64 = 86_400;

fn days(n: u64) -> std::time::Duration {
    secs(n * DAY)
}

/// Deletes all of one kind that is older; how many batches had something.
async fn age(lab: &Lab, tenant: &TenantId, kind: Aged, before: Wall) -> u64 {
    let mut gone = 0;
    loop {
        let contacts = lab.store.contacts_aged(tenant, kind, before).await.unwrap();
        lab.store.contacts_forget(tenant, kind, &contacts).await.unwrap();
        let n = contacts.len() as u64 + lab.store.aged_forget(tenant, kind, before).await.unwrap();
        if n == 0 {
            return gone;
        }
        gone += n;
    }
}

async fn lines(lab: &Lab, tenant: &TenantId) -> Vec<String> {
    let all = InteractionFilter { limit: 100, ..Default::default() };
    let calls = lab.store.interaction_list(tenant, &all).await.unwrap().items;
    let tickets = lab.store.ticket_list(tenant, &TicketFilter { limit: 100, ..Default::default() }).await.unwrap().items;
    let mut out: Vec<String> = tickets.iter().map(|t| format!("{t:?}")).collect();
    for c in &calls {
        let messages = lab.store.message_list(tenant, c.id, 0, 100).await.unwrap();
        let recordings = lab.store.recording_list(tenant, c.id).await.unwrap();
        out.push(format!("{c:?} {messages:?} {recordings:?}"));
    }
    out
}

async fn memory(lab: &Lab) -> Memory {
    let mut memory = Memory::default();
    lab.store.replay(1, |r| memory.apply(&r)).await.unwrap();
    memory
}

fn said(s: &mut Story, interaction: InteractionId, text: &str) {
    let since = s.now;
    s.tell(Fact::Said { interaction, by: LegRole::Customer, agent: None, text: text.into(), confidence: 0.9, since, ms: 900 });
}

/// A recorded call with a transcript.
fn spoken(s: &mut Story, customer: CustomerId) -> InteractionId {
    let id = s.opens(crate::base::Channel::Voice, customer);
    s.records(id);
    said(s, id, "my lamp is broken");
    s.closes(id, Cause::Normal, EndedBy::Customer);
    id
}

async fn what_is_older_than_it_is_kept_goes_whole_and_a_rebuild_brings_nothing_back(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice Archer", "+3265551234");
    let old = s.call(alice, "sales", "anna");
    let spoken_of = spoken(&mut s, alice);
    s.says(spoken_of, 1, "hello");
    let began = s.now;
    s.pass(40 * DAY);
    let new = s.call(alice, "sales", "anna");
    lab.keep(s.facts()).await;

    let before = began + days(10);
    assert_eq!(lab.store.aged_count(&s.tenant, Aged::Contacts, before).await.unwrap(), Due { go: 2, held: 0 });
    let files = lab.store.recording_files(&s.tenant, &[old, spoken_of]).await.unwrap();
    assert_eq!(files, ["2026/11/23/a.wav"], "what is to be deleted from the disk first");
    assert_eq!(age(lab, &s.tenant, Aged::Contacts, before).await, 2);
    assert_eq!(lab.store.aged_count(&s.tenant, Aged::Contacts, before).await.unwrap(), Due::default());
    assert!(lab.store.interaction_get(&s.tenant, old).await.unwrap().is_none());
    assert!(lab.store.timeline(&s.tenant, spoken_of, true, 100).await.unwrap().is_empty());
    let counted = lab.store.report_segments(&s.tenant, NINE, s.now).await.unwrap();
    assert_eq!(counted.len(), 1, "reports reach as far back as contacts");

    let left = lines(lab, &s.tenant).await;
    assert_eq!(left.len(), 1);
    assert!(lab.store.interaction_get(&s.tenant, new).await.unwrap().is_some());
    lab.store.journal_compact().await.unwrap();
    lab.store.rebuild_projections().await.unwrap();
    assert_eq!(lines(lab, &s.tenant).await, left);
    assert!(lab.store.customer_get(&s.tenant, alice).await.unwrap().is_some(), "people stay until they ask to be forgotten");
}

async fn the_words_of_a_call_go_before_the_call_and_its_recording_alone(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice", "+3265551234");
    let call = spoken(&mut s, alice);
    let chat = s.opens(crate::base::Channel::Webchat, alice);
    s.says(chat, 1, "hello");
    s.sends_file(chat, 2, "a");
    let going_on = s.opens(crate::base::Channel::Webchat, alice);
    s.says(going_on, 1, "still here");
    s.closes(chat, Cause::Normal, EndedBy::Customer);
    s.pass(DAY);
    lab.keep(s.facts()).await;

    let now = s.now;
    assert_eq!(lab.store.aged_count(&s.tenant, Aged::Messages, now).await.unwrap().go, 2);
    assert_eq!(age(lab, &s.tenant, Aged::Messages, now).await, 2);
    lab.store.messages_looked_through(&s.tenant, now).await.unwrap();
    assert!(lab.store.transcript(&s.tenant, call, 0, 10).await.unwrap().is_empty());
    assert!(lab.store.message_list(&s.tenant, chat, 0, 10).await.unwrap().is_empty());
    assert!(lab.store.files_named(&s.tenant, "aa").await.unwrap().is_empty(), "its content is named by nobody");
    assert_eq!(lab.store.message_list(&s.tenant, going_on, 0, 10).await.unwrap().len(), 1, "what goes on keeps its words");
    assert_eq!(lab.store.recording_list(&s.tenant, call).await.unwrap().len(), 1);

    assert_eq!(age(lab, &s.tenant, Aged::Recordings, now).await, 1);
    assert!(lab.store.recording_list(&s.tenant, call).await.unwrap().is_empty());
    assert_eq!(lines(lab, &s.tenant).await.len(), 3, "the calls themselves are still there");

    // What went on is over one day, and is not overlooked because its time was looked through already.
    s.closes(going_on, Cause::Normal, EndedBy::Customer);
    s.pass(DAY);
    spoken(&mut s, alice);
    lab.keep(s.facts()).await;
    assert_eq!(lab.store.aged_count(&s.tenant, Aged::Messages, s.now - secs(10)).await.unwrap().go, 1);
    let left = lines(lab, &s.tenant).await;
    lab.store.rebuild_projections().await.unwrap();
    assert_eq!(lines(lab, &s.tenant).await, left);
}

fn hold(kind: Held, id: impl ToString) -> Hold {
    Hold { kind, id: id.to_string(), who: "admin".into(), at: NINE, reason: "case 7".into() }
}

async fn what_is_held_stays_and_is_counted_and_goes_when_the_hold_is_lifted(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let (alice, twin, bob) = (s.person("Alice", "+3265551234"), s.person("A.", "+3265559999"), s.person("Bob", "+3265550000"));
    let hers = spoken(&mut s, alice);
    let twins = spoken(&mut s, twin);
    let his = spoken(&mut s, bob);
    let of_ticket = spoken(&mut s, bob);
    let mut matter = s.ticket(1, "Broken lamp", Some(bob));
    s.change(&mut matter, Actor::System, Change::Linked { interaction: of_ticket });
    s.change(&mut matter, Actor::System, Change::State { to: To::Closed });
    s.ticket(2, "Another", None);
    s.tell(Fact::Customer { customer: alice, change: crate::customer::Change::Absorbed { from: twin } });
    s.pass(DAY);
    s.call(bob, "sales", "anna");
    lab.keep(s.facts()).await;
    let before = s.now - secs(3_600);

    // Held under an id of before the merge: it is one person.
    lab.store.hold_put(&s.tenant, &hold(Held::Customer, twin)).await.unwrap();
    lab.store.hold_put(&s.tenant, &hold(Held::Ticket, matter.head().id)).await.unwrap();
    assert_eq!(lab.store.aged_count(&s.tenant, Aged::Contacts, before).await.unwrap(), Due { go: 1, held: 3 });
    assert_eq!(lab.store.aged_count(&s.tenant, Aged::Recordings, before).await.unwrap(), Due { go: 1, held: 3 });
    assert_eq!(lab.store.aged_count(&s.tenant, Aged::Tickets, before).await.unwrap(), Due { go: 0, held: 1 });
    for kind in Aged::ALL {
        age(lab, &s.tenant, kind, before).await;
    }
    let there = async |id| lab.store.interaction_get(&s.tenant, id).await.unwrap().is_some();
    assert!(there(hers).await && there(twins).await && there(of_ticket).await && !there(his).await);
    assert_eq!(lab.store.recording_list(&s.tenant, hers).await.unwrap().len(), 1);
    assert_eq!(lab.store.transcript(&s.tenant, hers, 0, 9).await.unwrap().len(), 1);

    assert_eq!(lab.store.hold_list(&s.tenant, 10).await.unwrap().len(), 2);
    assert!(lab.store.hold_lift(&s.tenant, Held::Customer, &twin.to_string()).await.unwrap());
    assert!(!lab.store.hold_lift(&s.tenant, Held::Customer, &twin.to_string()).await.unwrap());
    assert_eq!(lab.store.aged_count(&s.tenant, Aged::Contacts, before).await.unwrap(), Due { go: 2, held: 1 });
    assert_eq!(age(lab, &s.tenant, Aged::Messages, before).await, 2, "what was passed over is looked at again");
    assert_eq!(age(lab, &s.tenant, Aged::Contacts, before).await, 2);
    assert!(lab.store.hold_list(&tenant("other"), 10).await.unwrap().is_empty());
}

async fn a_closed_ticket_goes_and_its_number_is_not_given_again(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    for number in 1..=3 {
        let mut t = s.ticket(number, "Broken box", None);
        if number != 2 {
            s.change(&mut t, Actor::System, Change::State { to: To::Closed });
        }
    }
    s.pass(DAY);
    s.person("Alice", "+3265551234");
    lab.keep(s.facts()).await;
    assert_eq!(age(lab, &s.tenant, Aged::Tickets, s.now).await, 1, "the first is closed; the last has the highest number");
    let numbers = async || -> Vec<u64> {
        let mut n: Vec<u64> = lab
            .store
            .ticket_list(&s.tenant, &TicketFilter { limit: 100, ..Default::default() })
            .await
            .unwrap()
            .items
            .iter()
            .map(|t| t.number)
            .collect();
        n.sort_unstable();
        n
    };
    assert_eq!(numbers().await, [2, 3]);
    lab.store.rebuild_projections().await.unwrap();
    assert_eq!(numbers().await, [2, 3]);
}

async fn audit_and_states_of_agents_grow_old_too(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let anna = || AgentId::parse("anna").unwrap();
    let states = [AgentState::Ready, AgentState::Away];
    for n in 0..6 {
        let (state, since) = (states[n % 2].clone(), s.now);
        s.tell(Fact::AgentState { agent: anna(), state, since, pending: None });
        s.pass(DAY);
    }
    lab.keep(s.facts()).await;
    assert_eq!(age(lab, &s.tenant, Aged::Journal, s.now).await, 5, "her latest state is hers until there is another");
    let kept = memory(lab).await;
    assert_eq!(kept.seq, 6);
    for n in 0..3 {
        let entry = AuditEntry {
            at: NINE + days(n),
            who: "admin".into(),
            what: "config.apply".into(),
            subject: "acme".into(),
            before: None,
            after: None,
        };
        lab.store.audit_append(&s.tenant, &entry).await.unwrap();
    }
    assert_eq!(age(lab, &s.tenant, Aged::Audit, NINE + days(2)).await, 2);
    assert_eq!(lab.store.audit_list(&s.tenant, &Default::default(), 10).await.unwrap().len(), 1);
    assert_eq!(age(lab, &s.tenant, Aged::Deliveries, s.now).await, 0);
}

/// A month of everything, in an order of chance.
fn month(seed: u64, first: u64, begins: Wall) -> (Story, Vec<Record>) {
    let mut rng = Rng::seeded(seed);
    let mut s = Story::new("acme", first);
    s.now = begins;
    let people = [s.person("Alice", "+3265551234"), s.person("Bob", "+3265550000"), s.person("Cees", "+3265557777")];
    let mut open = Vec::new();
    for n in 0..60_u64 {
        let who = people[rng.below(3) as usize];
        match rng.below(7) {
            0 => drop(s.call(who, "sales", "anna")),
            1 => drop(spoken(&mut s, who)),
            2 => {
                let chat = s.opens(crate::base::Channel::Webchat, who);
                s.says(chat, 1, "hello");
                open.push(chat);
            }
            3 => {
                if let Some(chat) = open.pop() {
                    s.closes(chat, Cause::Normal, EndedBy::Customer);
                }
            }
            4 => {
                let (agent, since) = (agent(["anna", "ben"][rng.below(2) as usize]), s.now);
                let state = [AgentState::Ready, AgentState::Away][rng.below(2) as usize].clone();
                s.tell(Fact::AgentState { agent, state, since, pending: None });
            }
            5 => drop(s.ticket(n + 1, "Broken box", Some(who))),
            _ => {
                let (at, call) = (s.now, s.opens(crate::base::Channel::Voice, who));
                let channel = crate::base::Channel::Voice;
                let event = routing::MetricEvent::Entered { queue: queue("sales"), channel, interaction: call, at };
                s.tell(Fact::Counted { event });
                s.closes(call, Cause::Normal, EndedBy::Customer);
            }
        }
        s.pass(rng.below(u64::from(u32::try_from(DAY).unwrap())));
    }
    // Counts of more than two days before the latest are not remembered whoever reads.
    let (at, call) = (s.now, s.opens(crate::base::Channel::Voice, people[0]));
    let event =
        routing::MetricEvent::Entered { queue: queue("sales"), channel: crate::base::Channel::Voice, interaction: call, at };
    s.tell(Fact::Counted { event });
    let facts = s.facts();
    (s, facts)
}

async fn a_restart_decides_the_same_whatever_has_gone(lab: &Lab) {
    let (mut whole, mut now) = (Memory::default(), NINE);
    for seed in 1..=4 {
        let (s, facts) = month(seed, lab.store.last_seq().await.unwrap() + 1, now);
        now = s.now + secs(60);
        facts.iter().for_each(|r| whole.apply(r));
        lab.keep(facts).await;
        for kind in [Aged::Recordings, Aged::Messages, Aged::Contacts, Aged::Journal] {
            age(lab, &s.tenant, kind, s.now - days(8 + 4 * seed)).await;
            lab.store.journal_compact().await.unwrap();
            let left = memory(lab).await;
            assert_eq!(format!("{left:#?}"), format!("{whole:#?}"), "seed {seed}, after {kind:?}");
        }
    }
    let left = lab.store.replay(1, |_| {}).await.unwrap();
    assert!(left * 2 < lab.store.last_seq().await.unwrap(), "{left} facts are left");
}

async fn a_journal_may_begin_later_and_still_tells_a_hole_from_what_was_forgotten(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let calls: Vec<_> = (0..4).map(|_| s.opens(crate::base::Channel::Voice, CustomerId(uuid::Uuid::nil()))).collect();
    for id in calls {
        s.closes(id, Cause::Normal, EndedBy::Customer);
    }
    s.pass(DAY);
    let (state, since) = (AgentState::Ready, s.now);
    s.tell(Fact::AgentState { agent: agent("anna"), state, since, pending: None });
    s.pass(1);
    let last = s.opens(crate::base::Channel::Voice, CustomerId(uuid::Uuid::nil()));
    s.closes(last, Cause::Normal, EndedBy::Customer);
    lab.keep(s.facts()).await;
    assert_eq!(age(lab, &s.tenant, Aged::Contacts, s.now + secs(1)).await, 5);
    assert_eq!(lab.store.journal_compact().await.unwrap(), 7, "eight places have grown into one; the last fact of all stays");
    assert_eq!(lab.store.journal_compact().await.unwrap(), 0);
    let mut seen = Vec::new();
    assert_eq!(lab.reopened().await.replay(1, |r| seen.push(r.seq)).await.unwrap(), 2);
    assert_eq!(seen, [9, 11]);
    assert_eq!(lab.store.replay(5, |_| {}).await.unwrap(), 2, "whoever begins in the middle of what has gone goes on after it");
    assert_eq!(lab.store.journal_since(&s.tenant, 3, 10).await.unwrap().len(), 2);

    // The journal goes on where it was, and facts that are really missing are missed.
    s.pass(1);
    let next = s.opens(crate::base::Channel::Voice, CustomerId(uuid::Uuid::nil()));
    s.closes(next, Cause::Normal, EndedBy::Customer);
    lab.keep(s.facts()).await;
    lab.meddle("DELETE FROM journal WHERE seq = 8").await;
    let gap = lab.store.replay(1, |_| {}).await.expect_err("eight facts are missing");
    assert!(matches!(gap, StoreError::Gap { after: 0, found: 9 }), "{gap}");
}

async fn whoever_is_erased_is_nowhere_and_the_report_says_the_same(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let (alice, twin, bob) =
        (s.person("Alice Archer", "+3265551234"), s.person("Ally Archer", "+3265559999"), s.person("Bob", "+3265550000"));
    let call = s.call(alice, "sales", "anna");
    let heard = spoken(&mut s, twin);
    let chat = s.opens(crate::base::Channel::Webchat, alice);
    s.says(chat, 1, "hello, this is Alice Archer");
    s.sends_file(chat, 2, "a");
    let by = crate::center::command::Actor::System;
    s.tell(Fact::Rated { interaction: chat, by, score: 5, best: 5, comment: "kind, says Archer".into() });
    s.closes(chat, Cause::Normal, EndedBy::Customer);
    let his = s.call(bob, "sales", "anna");
    let mut matter = s.ticket(1, "Lamp of Archer", Some(alice));
    s.change(&mut matter, Actor::System, Change::Tagged { tag: "archer".into() });
    s.change(&mut matter, Actor::Customer, Change::CustomerWrote { text: "Archer here".into(), message: None });
    s.change(&mut matter, Actor::System, Change::Linked { interaction: call });
    s.tell(Fact::Customer { customer: alice, change: crate::customer::Change::Absorbed { from: twin } });
    s.pass(60);
    lab.keep(s.facts()).await;
    let tenant = s.tenant.clone();
    let figures = async || format!("{:?}", lab.report(&tenant, NINE, NINE + days(1), None).await);
    let traces = lab.store.traces(&tenant, alice).await.unwrap();
    assert_eq!((traces.contacts, traces.recordings, traces.messages, traces.files, traces.tickets), (3, 1, 2, 1, 1));
    assert!(traces.held.is_empty());
    lab.store.hold_put(&tenant, &hold(Held::Interaction, heard)).await.unwrap();
    assert_eq!(lab.store.traces(&tenant, alice).await.unwrap().held.len(), 1, "and nobody may be erased meanwhile");
    lab.store.hold_lift(&tenant, Held::Interaction, &heard.to_string()).await.unwrap();

    // What the center says of it, and then what is done beside it.
    lab.store.erasure_ask(&tenant, alice, "admin", s.now).await.unwrap();
    assert_eq!(lab.store.erasures_waiting(&tenant).await.unwrap(), [alice]);
    s.tell(Fact::Customer { customer: alice, change: crate::customer::Change::Erased });
    s.change(&mut matter, Actor::System, Change::Redacted);
    s.pass(1);
    s.call(bob, "sales", "anna");
    lab.keep(s.facts()).await;
    let report = figures().await;
    let contacts = lab.store.person_contacts(&tenant, alice, None).await.unwrap();
    assert_eq!(contacts.len(), 3);
    assert!(lab.store.person_contacts(&tenant, alice, contacts.last().copied()).await.unwrap().is_empty());
    assert_eq!(lab.store.person_tickets(&tenant, alice, None).await.unwrap(), [matter.head().id]);
    for _ in 0..2 {
        // The second time is a restart in the middle.
        lab.store.contacts_strip(&tenant, &contacts).await.unwrap();
        lab.store.ticket_strip(&tenant, matter.head().id).await.unwrap();
        lab.store.person_strip(&tenant, alice).await.unwrap();
    }
    lab.store.erasure_done(&tenant, alice, s.now).await.unwrap();
    assert!(lab.store.erasures_waiting(&tenant).await.unwrap().is_empty());
    assert!(lab.store.erasure_get(&tenant, alice).await.unwrap().unwrap().done_at.is_some());

    let told = format!("{:?} {:?}", lines(lab, &tenant).await, lab.store.journal_since(&tenant, 0, 500).await.unwrap());
    let told = told + &format!("{:?}", lab.store.ticket_get(&tenant, matter.head().id).await.unwrap());
    for word in ["archer", "alice", "+326555999", "my lamp", "two boxes", "kind, says", "lamp.png"] {
        let left = told.to_lowercase().matches(word).count();
        // Bob said two boxes as well, and rang from the number every story rings from.
        assert_eq!(left > 0, word == "two boxes", "{word}: {told}");
    }
    let archers = CustomerFilter { search: Some("archer".into()), limit: 9, ..Default::default() };
    assert!(lab.store.customer_list(&tenant, &archers).await.unwrap().items.is_empty());
    assert!(lab.store.recording_list(&tenant, heard).await.unwrap().is_empty());
    let row = lab.store.interaction_get(&tenant, call).await.unwrap().unwrap();
    assert_eq!((row.from.as_str(), row.note.as_deref(), row.customer), ("", Some(""), alice));
    assert!(row.answered_at.is_some() && row.disposition.is_some(), "how it went stays");
    let person = lab.store.customer_get(&tenant, twin).await.unwrap().unwrap();
    assert!(person.id == alice && person.erased.is_some() && person.name.is_empty() && person.identities.is_empty());
    assert!(lab.store.interaction_get(&tenant, his).await.unwrap().unwrap().from.ends_with("1234"), "Bob is whole");

    let left = lines(lab, &tenant).await;
    assert_eq!(figures().await, report);
    lab.store.rebuild_projections().await.unwrap();
    assert_eq!(lines(lab, &tenant).await, left);
    assert_eq!(figures().await, report, "also when the lists are made again");
    let rating = lab.store.rating_get(&tenant, chat).await.unwrap().unwrap();
    assert_eq!((rating.score, rating.comment.as_str()), (5, ""));
}
