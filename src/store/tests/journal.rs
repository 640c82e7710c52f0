//! The journal: nothing acknowledged is lost, nothing is there twice, and the news comes after the commit.

use std::sync::{Arc, Mutex};

use super::{Journal, Lab, StoreError, on_both, story::*};
use crate::{
    base::{Channel, limits, secs},
    call::Cause,
    center::fact::{EndedBy, Fact, Record},
    store::JournalHealth,
};

on_both! {
    what_was_appended_comes_back_in_order_in_however_many_groups
    news_comes_only_after_the_commit_and_to_whoever_listens
    a_writer_killed_in_mid_batch_loses_nothing_acknowledged_and_stores_nothing_twice
    while_the_database_is_away_facts_wait_in_order_and_the_alarm_is_on
    a_commit_whose_answer_was_lost_is_not_stored_twice
    a_second_process_on_the_same_journal_is_noticed_not_mixed_in
    a_fact_of_a_later_version_stops_the_replay_with_its_number
    a_hole_in_the_journal_is_an_error_not_a_shorter_history
    a_fact_whose_projection_is_refused_is_stored_all_the_same
    connections_cut_in_the_middle_of_commits_lose_nothing_and_double_nothing
    beyond_the_hard_bound_the_journal_refuses_and_stays_refusing
}

fn alarms(story: &mut Story, n: usize) -> Vec<Record> {
    for i in 0..n {
        story.tell(Fact::Alarm { code: "disk".into(), message: format!("alarm {i} \u{0} 客服"), on: true });
    }
    story.facts()
}

async fn history(store: &crate::store::Store) -> Vec<Record> {
    let mut all = Vec::new();
    store.replay(1, |r| all.push(r)).await.expect("the journal reads back");
    all
}

async fn what_was_appended_comes_back_in_order_in_however_many_groups(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice Archer", "+3265551234");
    let call = s.call(alice, "sales", "anna");
    s.records(call);
    let mut facts = s.facts();
    facts.extend(alarms(&mut s, 150));
    lab.keep(facts.clone()).await;

    let store = lab.reopened().await;
    assert_eq!(history(&store).await, facts);
    assert_eq!(store.last_seq().await.unwrap(), facts.len() as u64);
    let mut tail = Vec::new();
    assert_eq!(store.replay(5, |r| tail.push(r.seq)).await.unwrap(), facts.len() as u64 - 4);
    assert_eq!(tail[0], 5);
}

async fn news_comes_only_after_the_commit_and_to_whoever_listens(lab: &Lab) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let hears = told.clone();
    let journal = Journal::start(lab.store.clone(), move |batch| hears.lock().unwrap().extend(batch.iter().map(|r| r.seq)));
    let (handle, mut news) = (journal.handle(), journal.handle().subscribe());
    let mut s = Story::new("acme", 1);
    handle.append(alarms(&mut s, 3)).unwrap();
    let batch = news.recv().await.unwrap();
    let stored = lab.reopened().await.last_seq().await.unwrap();
    assert!(stored >= batch.last().unwrap().seq, "published {batch:?} when only {stored} facts were stored");
    handle.append(alarms(&mut s, limits::JOURNAL_BATCH_MAX + 7)).unwrap();
    assert_eq!(journal.shut_down(secs(30)).await, 0);
    assert_eq!(*told.lock().unwrap(), (1..s.next_seq()).collect::<Vec<_>>());
    let stats = handle.stats();
    assert_eq!((stats.facts, stats.backlog, stats.failures), (s.next_seq() - 1, 0, 0));
    assert!(stats.commits >= 3 && stats.commit_us_max > 0, "{stats:?}");
    assert!(handle.append(alarms(&mut s, 1)).is_err(), "nobody writes any more, so nobody may believe it");
}

async fn a_writer_killed_in_mid_batch_loses_nothing_acknowledged_and_stores_nothing_twice(lab: &Lab) {
    for round in 0..3 {
        // The same story goes on where the journal ends, as a restarted node's does.
        let store = lab.reopened().await;
        let before = store.last_seq().await.unwrap();
        let mut s = Story::new("acme", before + 1);
        let told = Arc::new(Mutex::new(before));
        let (hears, (go, gone)) = (told.clone(), tokio::sync::oneshot::channel());
        let mut go = Some(go);
        let journal = Journal::start(store, move |batch| {
            *hears.lock().unwrap() = batch.last().map_or(0, |r| r.seq);
            go.take().map(|g| g.send(()));
        });
        for _ in 0..20 {
            journal.handle().append(alarms(&mut s, 333)).unwrap();
        }
        gone.await.unwrap();
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        journal.kill();

        let after = history(&lab.reopened().await).await;
        let acknowledged = *told.lock().unwrap();
        assert!(
            acknowledged > before && after.len() as u64 >= acknowledged,
            "{acknowledged} acknowledged, {} kept",
            after.len()
        );
        assert_eq!(after.iter().map(|r| r.seq).collect::<Vec<_>>(), (1..=after.len() as u64).collect::<Vec<_>>());
    }
}

async fn while_the_database_is_away_facts_wait_in_order_and_the_alarm_is_on(lab: &Lab) {
    lab.meddle("ALTER TABLE journal RENAME TO gone").await;
    let journal = Journal::start(lab.store.clone(), |_| {});
    let handle = journal.handle();
    let mut health = handle.health();
    let mut s = Story::new("acme", 1);
    handle.append(alarms(&mut s, 3)).unwrap();
    let failing = |h: &JournalHealth| matches!(h, JournalHealth::Failing { error } if error.contains("journal"));
    health.wait_for(failing).await.unwrap();
    handle.append(alarms(&mut s, 4)).unwrap();
    assert!(!handle.healthy());
    assert_eq!(handle.backlog(), 7);

    lab.meddle("ALTER TABLE gone RENAME TO journal").await;
    health.wait_for(|h| *h == JournalHealth::Well).await.unwrap();
    assert_eq!(journal.shut_down(secs(30)).await, 0);
    assert!(handle.healthy() && handle.stats().failures > 0);
    assert_eq!(history(&lab.store).await.len(), 7);
}

async fn a_commit_whose_answer_was_lost_is_not_stored_twice(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let caller = s.person("Alice Archer", "+3265551234");
    let call = s.call(caller, "sales", "anna");
    let facts = s.facts();
    lab.keep(facts[..7].to_vec()).await;
    // The whole group again, as after a connection lost in the middle of COMMIT.
    lab.keep(facts.clone()).await;
    lab.keep(facts.clone()).await;
    assert_eq!(history(&lab.store).await, facts);
    let row = lab.store.interaction_get(&s.tenant, call).await.unwrap().unwrap();
    assert_eq!((row.talk_ms, row.hold_ms, row.wrap_ms), (60_000, 5_000, 30_000));
}

async fn connections_cut_in_the_middle_of_commits_lose_nothing_and_double_nothing(lab: &Lab) {
    // SQLite has no connection to cut: there this is only a busy writer.
    let cut = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
               AND application_name = current_setting('search_path')";
    let enemy = lab.reopened().await;
    let journal = Journal::start(lab.store.clone(), |_| {});
    let (handle, mut news) = (journal.handle(), journal.handle().subscribe());
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice", "+3265551234");
    for round in 0..8 {
        for _ in 0..40 {
            s.call(alice, "sales", "anna");
        }
        handle.append(s.facts()).unwrap();
        for _ in 0..round * 10 {
            tokio::task::yield_now().await;
        }
        if enemy.engine() == "postgres" {
            // It may be cut off by itself: the next round has another connection.
            let _ = enemy.db.one(cut, Vec::new(), || "cut".into()).await;
        }
        news.recv().await.unwrap();
    }
    assert_eq!(journal.shut_down(secs(60)).await, 0);
    assert_eq!(history(&lab.store).await.len() as u64, s.next_seq() - 1);
    let sums = lab.report(&s.tenant, NINE, NINE + secs(400_000), None).await.whole().counts;
    assert_eq!((sums.offered, sums.talk_us + sums.hold_us), (320, 320 * 60_000_000));
}

async fn a_second_process_on_the_same_journal_is_noticed_not_mixed_in(lab: &Lab) {
    lab.keep(alarms(&mut Story::new("acme", 1), 5)).await;
    let journal = Journal::start(lab.store.clone(), |_| {});
    let handle = journal.handle();
    let mut other = Story::new("acme", 4);
    other.tell(Fact::NodeStarted { version: "another".into() });
    handle.append(other.facts()).unwrap();
    let broken = |h: &JournalHealth| matches!(h, JournalHealth::Broken { error } if error.contains("place 4"));
    handle.health().wait_for(broken).await.unwrap();
    assert_eq!(journal.shut_down(secs(1)).await, 1);
    assert_eq!(history(&lab.store).await.len(), 5);
}

async fn a_fact_of_a_later_version_stops_the_replay_with_its_number(lab: &Lab) {
    lab.keep(alarms(&mut Story::new("acme", 1), 2)).await;
    lab.meddle(
        "INSERT INTO journal (seq, at, tenant, kind, body) \
         VALUES (3, 0, 'acme', 'teleported', '{\"seq\":3,\"at\":0,\"tenant\":\"acme\",\"fact\":\"teleported\"}')",
    )
    .await;
    let mut seen = 0;
    let error = lab.store.replay(1, |_| seen += 1).await.expect_err("nobody knows teleporting yet");
    assert!(matches!(&error, StoreError::Fact { seq: 3, kind, .. } if kind == "teleported"), "{error}");
    assert_eq!(seen, 2);
}

async fn a_hole_in_the_journal_is_an_error_not_a_shorter_history(lab: &Lab) {
    lab.keep(alarms(&mut Story::new("acme", 1), 5)).await;
    lab.meddle("DELETE FROM journal WHERE seq = 3").await;
    let error = lab.store.replay(1, |_| {}).await.expect_err("fact 3 is missing");
    assert!(matches!(error, StoreError::Gap { after: 2, found: 4 }), "{error}");

    let journal = Journal::start(lab.store.clone(), |_| {});
    journal.handle().append(alarms(&mut Story::new("acme", 7), 1)).unwrap();
    journal.handle().health().wait_for(|h| matches!(h, JournalHealth::Broken { .. })).await.unwrap();
}

async fn a_fact_whose_projection_is_refused_is_stored_all_the_same(lab: &Lab) {
    // A rule nobody asked for: one contact per queue.
    lab.meddle("CREATE UNIQUE INDEX one_per_queue ON interactions (queue)").await;
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice", "+3265551234");
    let calls = [s.opens(Channel::Voice, alice), s.opens(Channel::Voice, alice)];
    calls.iter().for_each(|c| s.queues(*c, "sales"));
    s.closes(calls[1], Cause::Normal, EndedBy::Customer);
    let facts = s.facts();
    let journal = Journal::start(lab.store.clone(), |_| {});
    let handle = journal.handle();
    handle.append(facts.clone()).unwrap();
    assert_eq!(journal.shut_down(secs(30)).await, 0);
    assert_eq!(history(&lab.store).await, facts);
    assert_eq!((handle.stats().unprojected, handle.healthy()), (1, true));
    let second = async || lab.store.interaction_get(&s.tenant, calls[1]).await.unwrap().unwrap();
    assert_eq!((second().await.queue, second().await.cause), (None, Some(Cause::Normal)), "only the refused fact is missing");

    lab.meddle("DROP INDEX one_per_queue").await;
    lab.store.rebuild_projections().await.unwrap();
    assert_eq!(second().await.queue, Some(queue("sales")));
}

async fn beyond_the_hard_bound_the_journal_refuses_and_stays_refusing(lab: &Lab) {
    lab.meddle("ALTER TABLE journal RENAME TO gone").await;
    let journal = Journal::start(lab.store.clone(), |_| {});
    let handle = journal.handle();
    let mut s = Story::new("acme", 1);
    let one = alarms(&mut s, 1).remove(0);
    handle.append(vec![one.clone(); limits::JOURNAL_BACKLOG_HARD]).unwrap();
    assert!(!handle.healthy(), "admission stopped long before");
    let refused = handle.append(vec![one.clone()]).expect_err("there is no room");
    assert!(refused.to_string().contains("cannot keep fact 1"), "{refused}");
    assert!(handle.append(vec![one]).is_err(), "a hole can never be closed again");
    journal.kill();
}
