//! Contacts as lists and reports show them, and that they show one tenant only.

use super::{Lab, on_both, story::*};
use crate::{
    base::{Channel, mins, ms, secs},
    call::Cause,
    center::fact::{EndedBy, Fact, Unqueued},
    routing,
    store::{Cursor, CustomerFilter, InteractionFilter, InteractionRow},
};

on_both! {
    an_answered_call_is_one_line_with_everything_that_mattered
    a_call_handed_over_counts_its_talk_once_for_each_agent_and_all_for_the_line
    a_list_read_page_by_page_has_every_call_once_though_calls_keep_coming
    filters_find_what_they_name
    nothing_of_one_tenant_shows_in_another
    words_and_recordings_belong_to_their_contact
    a_long_conversation_is_read_from_its_end_and_does_not_crowd_out_what_else_happened
    the_content_of_a_file_is_named_until_the_last_message_that_names_it_is_forgotten
    quarters_of_an_hour_add_up
    lists_made_again_from_the_journal_are_the_same_lists
}

fn everything() -> InteractionFilter {
    InteractionFilter { limit: 100, ..Default::default() }
}

async fn an_answered_call_is_one_line_with_everything_that_mattered(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice Archer", "+3265551234");
    let id = s.call(alice, "sales", "anna");
    lab.keep(s.facts()).await;

    let row = lab.store.interaction_get(&s.tenant, id).await.unwrap().unwrap();
    let InteractionRow { to, from, customer, queue: q, agent: a, disposition, note, .. } = &row;
    assert_eq!((to.as_str(), from.as_str(), *customer), ("4000", "+3265551234", alice));
    assert_eq!((q, a), (&Some(queue("sales")), &Some(agent("anna"))));
    assert_eq!(row.region.as_deref(), Some("BE"));
    assert_eq!((disposition, note.as_deref()), (&Some(code("sold")), Some("two boxes")));
    assert_eq!((row.opened_at, row.answered_at, row.closed_at), (NINE, Some(NINE + secs(10)), Some(NINE + secs(70))));
    assert_eq!(
        (row.cause, row.ended_by, row.unqueued),
        (Some(Cause::Normal), Some(EndedBy::Customer), Some(Unqueued::Answered))
    );
    assert_eq!((row.waited_ms, row.talk_ms, row.hold_ms, row.wrap_ms), (10_000, 60_000, 5_000, 30_000));

    let decisions = lab.store.decision_list(&s.tenant, id).await.unwrap();
    assert_eq!(decisions.len(), 1);
    assert_eq!((&decisions[0].agent, decisions[0].outcome), (&agent("anna"), Some(routing::StopWhy::Accepted)));
    assert_eq!(decisions[0].decision.tie_break, "the only one free");
    let kinds: Vec<&str> = lab.store.timeline(&s.tenant, id, true, 100).await.unwrap().iter().map(|r| r.fact.kind()).collect();
    assert_eq!(
        kinds,
        [
            "interaction_opened",
            "queued",
            "offered",
            "offer_ended",
            "unqueued",
            "connected",
            "talk_ended",
            "interaction_closed",
            "disposed",
            "wrap_up_over"
        ]
    );
}

async fn a_call_handed_over_counts_its_talk_once_for_each_agent_and_all_for_the_line(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice", "+3265551234");
    let id = s.opens(Channel::Voice, alice);
    s.queues(id, "sales");
    s.leaves(id, "sales", Unqueued::Answered, 0);
    for (name, talk_ms) in [("anna", 20_000), ("ben", 40_000)] {
        s.tell(Fact::Connected { interaction: id, agent: agent(name), offer: None });
        s.tell(Fact::TalkEnded { interaction: id, agent: agent(name), by: EndedBy::Agent, talk_ms, hold_ms: 0 });
    }
    // Anna's wrap-up ends after Ben's talk: it is hers all the same.
    s.tell(Fact::WrapUpOver { interaction: id, agent: agent("anna"), timed_out: true, wrap_ms: 7_000 });
    lab.keep(s.facts()).await;
    let row = lab.store.interaction_get(&s.tenant, id).await.unwrap().unwrap();
    assert_eq!((row.talk_ms, row.wrap_ms, row.agent), (60_000, 7_000, Some(agent("ben"))));
    let sums = lab.report(&s.tenant, NINE, NINE + mins(15), None).await.whole().counts;
    assert_eq!((sums.handled, sums.talk_us, sums.acw_us), (2, 60_000_000, 7_000_000));
}

async fn a_list_read_page_by_page_has_every_call_once_though_calls_keep_coming(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice", "+3265551234");
    // Several in the same instant: the id decides.
    let mut all: Vec<_> = (0..25)
        .map(|i| {
            s.pass(u64::from(i % 3 == 0));
            s.opens(Channel::Voice, alice)
        })
        .collect();
    lab.keep(s.facts()).await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let filter = InteractionFilter { after, limit: 10, ..Default::default() };
        let page = lab.store.interaction_list(&s.tenant, &filter).await.unwrap();
        assert!(page.items.is_sorted_by_key(|i| std::cmp::Reverse((i.opened_at, i.id))));
        seen.extend(page.items.iter().map(|i| i.id));
        let Some(next) = page.next else { break };
        after = Some(Cursor::parse(&next).unwrap());
        s.pass(1);
        s.opens(Channel::Voice, alice);
        lab.keep(s.facts()).await;
    }
    all.sort();
    seen.sort();
    assert_eq!(seen, all);
    assert_eq!(Cursor::parse("12_no"), None);
}

async fn filters_find_what_they_name(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let (alice, bob) = (s.person("Alice", "+3265551234"), s.person("Bob", "+3265550000"));
    let first = s.call(alice, "sales", "anna");
    let second = s.call(bob, "care", "ben");
    let chat = s.opens(Channel::Webchat, alice);
    lab.keep(s.facts()).await;
    let find = async |filter: InteractionFilter| -> Vec<_> {
        lab.store.interaction_list(&s.tenant, &filter).await.unwrap().items.iter().map(|i| i.id).collect()
    };
    assert_eq!(find(everything()).await, [chat, second, first]);
    assert_eq!(find(InteractionFilter { queue: Some(queue("care")), ..everything() }).await, [second]);
    assert_eq!(find(InteractionFilter { agent: Some(agent("anna")), ..everything() }).await, [first]);
    assert_eq!(find(InteractionFilter { channel: Some(Channel::Webchat), ..everything() }).await, [chat]);
    assert_eq!(find(InteractionFilter { customer: Some(alice), ..everything() }).await, [chat, first]);
    assert_eq!(find(InteractionFilter { open: Some(true), ..everything() }).await, [chat]);
    let second_at = NINE + secs(100);
    assert_eq!(find(InteractionFilter { from: Some(second_at), to: Some(second_at + ms(1)), ..everything() }).await, [second]);
}

async fn a_long_conversation_is_read_from_its_end_and_does_not_crowd_out_what_else_happened(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice", "+3265551234");
    let chat = s.opens(Channel::Webchat, alice);
    for place in 1..=7 {
        s.says(chat, place, &format!("line {place}"));
    }
    s.queues(chat, "care");
    lab.keep(s.facts()).await;
    let before = async |place: u64, most: usize| {
        let (page, more) = lab.store.message_list_before(&s.tenant, chat, place, most).await.unwrap();
        (page.iter().map(|m| m.seq).collect::<Vec<_>>(), more)
    };
    assert_eq!(before(u64::MAX, 3).await, (vec![5, 6, 7], true));
    assert_eq!(before(5, 3).await, (vec![2, 3, 4], true));
    assert_eq!(before(2, 3).await, (vec![1], false));
    assert_eq!(before(8, 7).await, ((1..=7).collect(), false));
    let timeline = lab.store.timeline(&s.tenant, chat, false, 3).await.unwrap();
    assert_eq!(timeline.iter().map(|r| r.fact.kind()).collect::<Vec<_>>(), ["interaction_opened", "queued"]);
    assert_eq!(lab.store.interaction_get(&s.tenant, chat).await.unwrap().unwrap().region, None, "a chat has no number");
}

async fn nothing_of_one_tenant_shows_in_another(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice Archer", "+3265551234");
    let id = s.call(alice, "sales", "anna");
    let recording = s.records(id);
    s.says(id, 1, "hello");
    s.tell(Fact::AgentState { agent: agent("anna"), state: routing::AgentState::Ready, since: NINE, pending: None });
    let ticket = s.ticket(1, "Broken box", Some(alice));
    lab.keep(s.facts()).await;
    let (store, other) = (&lab.store, tenant("other"));
    let ticket = ticket.head().id;
    let day = (NINE, NINE + mins(600));

    for (who, there) in [(&s.tenant, true), (&other, false)] {
        assert_eq!(store.interaction_list(who, &everything()).await.unwrap().items.is_empty(), !there);
        assert_eq!(store.interaction_get(who, id).await.unwrap().is_some(), there);
        assert_eq!(store.timeline(who, id, true, 9).await.unwrap().is_empty(), !there);
        assert_eq!(store.journal_since(who, 0, 9).await.unwrap().is_empty(), !there);
        assert_eq!(store.decision_list(who, id).await.unwrap().is_empty(), !there);
        assert_eq!(store.message_list(who, id, 0, 9).await.unwrap().is_empty(), !there);
        assert_eq!(store.recording_list(who, id).await.unwrap().is_empty(), !there);
        assert_eq!(store.recording_get(who, recording).await.unwrap().is_some(), there);
        assert_eq!(store.agent_state_list(who, &agent("anna"), day.0, day.1).await.unwrap().is_empty(), !there);
        assert_eq!(store.ticket_list(who, &Default::default()).await.unwrap().items.is_empty(), !there);
        assert_eq!(store.ticket_get(who, ticket).await.unwrap().is_some(), there);
        assert_eq!(store.ticket_by_number(who, 1).await.unwrap().is_some(), there);
        let ali = CustomerFilter { search: Some("ali".into()), limit: 9, ..Default::default() };
        assert_eq!(store.customer_list(who, &ali).await.unwrap().items.is_empty(), !there);
        assert_eq!(store.customer_get(who, alice).await.unwrap().is_some(), there);
        assert_eq!(store.customer_timeline(who, alice, None, 9).await.unwrap().items.is_empty(), !there);
        assert_eq!(store.report_stays(who, day.0, day.1).await.unwrap().is_empty(), !there);
        assert_eq!(store.report_segments(who, day.0, day.1).await.unwrap().is_empty(), !there);
        assert_eq!(store.report_rings(who, day.0, day.1).await.unwrap().is_empty(), !there);
        assert_eq!(store.report_turns(who, day.0, day.1).await.unwrap().is_empty(), !there);
    }
}

async fn words_and_recordings_belong_to_their_contact(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice", "+3265551234");
    let chat = s.opens(Channel::Webchat, alice);
    for (i, words) in ["hello", "你好", "is anybody there?"].into_iter().enumerate() {
        s.says(chat, i as u64 + 1, words);
    }
    let call = s.opens(Channel::Voice, alice);
    let recording = s.records(call);
    s.tell(Fact::VoicemailLeft { interaction: call, recording, ms: 3_000 });
    lab.keep(s.facts()).await;
    let words = lab.store.message_list(&s.tenant, chat, 1, 10).await.unwrap();
    assert_eq!(words.iter().map(|m| (m.seq, m.text.as_str())).collect::<Vec<_>>(), [(2, "你好"), (3, "is anybody there?")]);
    assert!(lab.store.message_list(&s.tenant, call, 0, 10).await.unwrap().is_empty());
    let row = lab.store.recording_get(&s.tenant, recording).await.unwrap().unwrap();
    assert_eq!((row.interaction, row.ms, row.bytes, row.voicemail), (call, Some(3_000), Some(96_044), true));
    assert_eq!(lab.store.recording_list(&s.tenant, call).await.unwrap(), std::slice::from_ref(&row));
    assert_eq!(lab.store.voicemail_list(&s.tenant, None, 5).await.unwrap().items, [row]);
}

async fn the_content_of_a_file_is_named_until_the_last_message_that_names_it_is_forgotten(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice", "+3265551234");
    let chat = s.opens(Channel::Webchat, alice);
    s.sends_file(chat, 1, "a");
    s.sends_file(chat, 2, "b");
    s.now = NINE + mins(60);
    s.sends_file(chat, 3, "a");
    lab.keep(s.facts()).await;
    let named = async |prefix: &str| lab.store.files_named(&s.tenant, prefix).await.unwrap().len();
    assert_eq!((named("aa").await, named("bb").await, named("ab").await), (1, 1, 0));
    let message = lab.store.message_get(&s.tenant, chat, 2).await.unwrap().unwrap();
    assert_eq!(message.file.unwrap().name, "lamp.png");
    assert!(lab.store.message_get(&s.tenant, chat, 9).await.unwrap().is_none());
    assert_eq!(lab.store.files_forget(&s.tenant, NINE + mins(30)).await.unwrap(), 2);
    assert_eq!((named("aa").await, named("bb").await), (1, 0), "the same picture was sent again later");
}

async fn quarters_of_an_hour_add_up(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice", "+3265551234");
    s.call(alice, "sales", "anna"); // waits 10 s
    for (why, waited_ms) in [(Unqueued::Abandoned, 2_000), (Unqueued::Abandoned, 40_000), (Unqueued::Timeout, 90_000)] {
        let id = s.opens(Channel::Voice, alice);
        s.queues(id, "sales");
        s.leaves(id, "sales", why, waited_ms);
    }
    s.now = NINE + mins(14) + secs(55);
    s.call(alice, "sales", "anna"); // arrives in the first quarter, is answered in the second
    let waiting = s.opens(Channel::Voice, alice);
    s.queues(waiting, "care");
    lab.keep(s.facts()).await;

    let report = lab.report(&s.tenant, NINE, NINE + mins(60), None).await;
    let rows: Vec<_> = report.cells().map(|(queue, at, t)| ((queue.to_string(), at * 15), &t.counts)).collect();
    let places: Vec<_> = rows.iter().map(|(place, _)| place.clone()).collect();
    assert_eq!(places, [("care".into(), 15), ("sales".into(), 0), ("sales".into(), 15)]);
    let first = rows[1].1;
    assert_eq!((first.offered, first.answered, first.answered_in_target, first.wait_us), (5, 2, 2, 20_000_000));
    assert_eq!((first.abandoned, first.abandoned_short, first.overflow, first.wait_max_us), (2, 1, 1, 10_000_000));
    assert_eq!((first.handled, first.talk_us, first.hold_us, first.acw_us), (1, 55_000_000, 5_000_000, 30_000_000));
    assert_eq!((rows[2].1.offered, rows[2].1.handled), (0, 1), "the talk began in the second quarter");
    assert_eq!((rows[0].1.offered, rows[0].1.waiting), (1, 1));
    assert!(report.conserved());
    // The rows say what the facts say.
    let facts = lab.store.journal_since(&s.tenant, 0, 500).await.unwrap();
    let ledger = crate::center::ledger::Ledger::of(facts.iter());
    let (from, to) = (NINE, NINE + mins(60));
    assert_eq!(lab.store.report_stays(&s.tenant, from, to).await.unwrap(), ledger.stays);
    assert_eq!(lab.store.report_segments(&s.tenant, from, to).await.unwrap(), ledger.segments);
    assert_eq!(lab.store.report_turns(&s.tenant, from, to).await.unwrap(), ledger.turns);
}

async fn lists_made_again_from_the_journal_are_the_same_lists(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let (alice, ally) = (s.person("Alice Archer", "+3265551234"), s.person("Ally", "+3265550000"));
    let call = s.call(alice, "sales", "anna");
    s.records(call);
    let chat = s.opens(Channel::Webchat, ally);
    s.says(chat, 1, "hello");
    s.tell(Fact::AgentState {
        agent: agent("anna"),
        state: routing::AgentState::NotReady(code("lunch")),
        since: s.now,
        pending: None,
    });
    let mut matter = s.ticket(1, "Broken box", Some(alice));
    s.change(&mut matter, crate::ticket::Actor::System, crate::ticket::Change::Linked { interaction: call });
    s.tell(Fact::Customer { customer: alice, change: crate::customer::Change::Absorbed { from: ally } });
    s.queues(chat, "care");
    lab.keep(s.facts()).await;

    let before = snapshot(lab).await;
    assert!(before.iter().all(|(_, rows)| !rows.is_empty()), "every table has a row to compare: {before:?}");
    assert_eq!(lab.store.rebuild_projections().await.unwrap(), s.next_seq() - 1);
    assert_eq!(snapshot(lab).await, before);

    lab.meddle("UPDATE interactions SET talk_ms = 0").await;
    assert_ne!(snapshot(lab).await, before);
    lab.store.rebuild_projections().await.unwrap();
    assert_eq!(snapshot(lab).await, before);
}

/// Every row of every projection, as text.
async fn snapshot(lab: &Lab) -> Vec<(&'static str, Vec<String>)> {
    const TABLES: [(&str, &str); 13] = [
        (
            "interactions",
            "tenant || id || channel || way || called || caller || customer || COALESCE(ticket, '-') || COALESCE(queue, '-') || \
             COALESCE(agent, '-') || COALESCE(cause, '-') || COALESCE(unqueued, '-') || COALESCE(disposition, '-') || '/' || \
             opened_at || '/' || COALESCE(answered_at, 0) || '/' || COALESCE(closed_at, 0) || '/' || waited_ms || '/' || talk_ms || \
             '/' || hold_ms || '/' || wrap_ms",
        ),
        ("waits", "seq || tenant || interaction || queue || entered_at || COALESCE(left_at, 0) || COALESCE(why, '-')"),
        (
            "segments",
            "seq || tenant || interaction || agent || COALESCE(queue, '-') || talk_ms || '/' || hold_ms || '/' || wrap_ms",
        ),
        ("decisions", "tenant || offer || seq || interaction || agent || at || COALESCE(outcome, '-')"),
        ("messages", "tenant || interaction || seq || id || body"),
        ("recordings", "tenant || id || seq || interaction || file || voicemail || COALESCE(ms, 0) || COALESCE(trouble, '-')"),
        ("agent_states", "seq || tenant || agent || since || body"),
        ("tickets", "tenant || id || number || status || priority || title || COALESCE(customer, '-') || changed_at || body"),
        ("ticket_log", "tenant || ticket || seq || body"),
        ("customers", "tenant || id || name || tier || COALESCE(merged_into, '-') || made_at || changed_at || body"),
        ("customer_log", "tenant || customer || seq || body"),
        ("customer_words", "tenant || word || customer"),
        ("identities", "tenant || kind || value || customer"),
    ];
    let mut all = Vec::new();
    for (table, columns) in TABLES {
        let rows = lab.store.db.all(format!("SELECT {columns} FROM {table} ORDER BY 1"), Vec::new(), || "look".into()).await;
        all.push((table, rows.unwrap().iter().map(|r| r.text(0).unwrap()).collect()));
    }
    all
}
