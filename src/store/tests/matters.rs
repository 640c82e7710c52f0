//! Tickets and customers as their own machines see them.

use super::{Lab, on_both, story::*};
use crate::{
    base::{Channel, secs},
    center::{fact::Fact, recall::Wanted},
    customer::{Change as Person, Identity, Tier, Trust},
    store::{Cursor, CustomerContact, CustomerFilter, TicketFilter},
    ticket::{Actor, Change, Group, Priority, To},
};

on_both! {
    a_ticket_in_the_list_is_what_its_machine_says_also_after_a_restart
    contacts_follow_a_ticket_into_another_and_back_when_the_merge_is_undone
    tickets_are_found_by_state_owner_customer_and_words
    a_customer_is_found_by_the_beginning_of_a_name_or_number
    two_people_who_are_one_have_one_history_under_either_id
    a_caller_of_last_year_is_recalled_with_whoever_was_merged_into_her_and_what_is_open
    an_entry_that_does_not_follow_is_kept_in_the_journal_and_changes_no_list
}

async fn a_caller_of_last_year_is_recalled_with_whoever_was_merged_into_her_and_what_is_open(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let (alice, other) = (s.person("Alice", "+3265551234"), s.person("A.", "+3265559999"));
    let (mut open, mut spam) = (s.ticket(1, "Broken box", Some(alice)), s.ticket(2, "Great offers", Some(other)));
    s.change(&mut open, Actor::System, Change::Assigned { owner: Some(agent("anna")) });
    s.change(&mut spam, Actor::Agent(agent("anna")), Change::State { to: To::Spam });
    s.tell(Fact::Customer { customer: alice, change: Person::Absorbed { from: other } });
    lab.keep(s.facts()).await;
    let recalled = async |wanted| lab.store.recall(&s.tenant, &[wanted]).await.unwrap();
    let number = |n| Wanted::Person(Identity::number(n).unwrap());
    let found = recalled(number("+3265559999")).await;
    let [person] = &found.people[..] else { panic!("{:?}", found.people) };
    assert_eq!(person.get(other).map(|c| c.id), Some(alice), "her number of then leads to her");
    assert_eq!(found.tickets, [open.clone()]);
    let mut all = recalled(Wanted::Everything(other)).await.tickets;
    all.sort_by_key(|t| t.head().number);
    assert_eq!(all, [open, spam]);
    assert!(recalled(number("+15550000")).await.people.is_empty(), "nobody");
}

async fn a_ticket_in_the_list_is_what_its_machine_says_also_after_a_restart(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice", "+3265551234");
    let call = s.call(alice, "sales", "anna");
    let mut t = s.ticket(7, "Broken box", Some(alice));
    s.change(&mut t, Actor::System, Change::Linked { interaction: call });
    s.change(&mut t, Actor::Agent(agent("anna")), Change::Assigned { owner: Some(agent("anna")) });
    lab.keep(s.facts()).await;
    // The next process has folded nothing yet.
    let reopen_until = s.now + secs(3600);
    s.change(&mut t, Actor::Agent(agent("anna")), Change::State { to: To::Resolved { reopen_until } });
    lab.keep(s.facts()).await;
    let row = lab.store.ticket_list(&s.tenant, &TicketFilter::default()).await.unwrap().items.remove(0);
    assert_eq!((row.number, row.status, row.wakes_at), (7, Group::Resolved, Some(reopen_until)));
    s.change(&mut t, Actor::Customer, Change::CustomerWrote { text: "still broken".into(), message: None });
    s.change(&mut t, Actor::System, Change::Prioritised { priority: Priority::High });
    lab.keep(s.facts()).await;

    let row = lab.store.ticket_list(&s.tenant, &TicketFilter::default()).await.unwrap().items.remove(0);
    let head = t.head();
    assert_eq!((row.status, row.priority, row.owner.as_ref()), (Group::Open, Priority::High, Some(&agent("anna"))));
    assert_eq!((row.unanswered, row.changed_at, row.wakes_at), (head.unanswered, head.updated, None));
    assert_eq!(lab.store.ticket_get(&s.tenant, head.id).await.unwrap().as_ref(), Some(&t));
    assert_eq!(lab.store.ticket_by_number(&s.tenant, 7).await.unwrap(), Some(head.id));
    let row = lab.store.interaction_get(&s.tenant, call).await.unwrap().unwrap();
    assert_eq!(row.ticket, Some(head.id), "the contact points to its matter");
}

async fn contacts_follow_a_ticket_into_another_and_back_when_the_merge_is_undone(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice", "+3265551234");
    let call = s.call(alice, "sales", "anna");
    let (mut late, mut early) = (s.ticket(1, "Late", Some(alice)), s.ticket(2, "Early", Some(alice)));
    s.change(&mut late, Actor::System, Change::Linked { interaction: call });
    let anna = || Actor::Agent(agent("anna"));
    let absorbed = late.for_merge();
    s.change(&mut early, anna(), Change::Absorbed(absorbed));
    s.change(&mut late, anna(), Change::MergedInto { into: early.head().id });
    lab.keep(s.facts()).await;
    let of_call = lab.store.interaction_get(&s.tenant, call).await.unwrap().unwrap().ticket;
    assert_eq!(of_call, Some(early.head().id));
    s.change(&mut early, anna(), Change::Released { from: late.head().id, number: 1 });
    s.change(&mut late, anna(), Change::Unmerged { out_of: early.head().id });
    lab.keep(s.facts()).await;
    let of_call = lab.store.interaction_get(&s.tenant, call).await.unwrap().unwrap().ticket;
    assert_eq!(of_call, Some(late.head().id));
    for t in [&late, &early] {
        assert_eq!(lab.store.ticket_get(&s.tenant, t.head().id).await.unwrap().as_ref(), Some(t));
    }
}

async fn tickets_are_found_by_state_owner_customer_and_words(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let (alice, bob) = (s.person("Alice", "+3265551234"), s.person("Bob", "+3265550000"));
    let mut broken = s.ticket(1, "Broken box", Some(alice));
    s.pass(1);
    s.ticket(2, "Rabatt 100% für Ärzte", Some(bob));
    s.pass(1);
    s.ticket(13, "Ten boxes, 1009 bags", None);
    s.change(&mut broken, Actor::System, Change::Assigned { owner: Some(agent("anna")) });
    lab.keep(s.facts()).await;
    let find = async |filter: TicketFilter| -> Vec<u64> {
        lab.store.ticket_list(&s.tenant, &filter).await.unwrap().items.iter().map(|t| t.number).collect()
    };
    let words = |w: &str| TicketFilter { search: Some(w.into()), limit: 9, ..Default::default() };
    let all = TicketFilter { limit: 9, ..Default::default() };
    assert_eq!(find(all.clone()).await, [1, 13, 2], "what changed last comes first");
    assert_eq!(find(TicketFilter { status: vec![Group::Open], ..all.clone() }).await, [1]);
    assert_eq!(find(TicketFilter { status: vec![Group::Open, Group::New], ..all.clone() }).await, [1, 13, 2]);
    assert_eq!(find(TicketFilter { owner: Some(agent("anna")), ..all.clone() }).await, [1]);
    assert_eq!(find(TicketFilter { customer: Some(bob), ..all.clone() }).await, [2]);
    assert_eq!(find(words("BOX")).await, [1, 13]);
    assert_eq!(find(words("100%")).await, [2], "a sign that is a wildcard elsewhere is only a sign here");
    assert_eq!(find(words("ÄRZTE")).await, [2]);
    assert_eq!(find(words("#13")).await, [13]);
    let page = lab.store.ticket_list(&s.tenant, &TicketFilter { limit: 2, ..all.clone() }).await.unwrap();
    let after = Cursor::parse(&page.next.unwrap());
    assert_eq!(find(TicketFilter { after, ..all }).await, [2]);
}

fn named(prefix: &str) -> CustomerFilter {
    CustomerFilter { search: Some(prefix.into()), limit: 9, ..Default::default() }
}

async fn a_customer_is_found_by_the_beginning_of_a_name_or_number(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice Archer", "+3265551234");
    let emile = s.person("Émile Archer", "+8613812345678");
    let mail = Identity::mail("emile@example.com").unwrap();
    s.tell(Fact::Customer { customer: emile, change: Person::Linked { identity: mail.clone(), trust: Trust::Verified } });
    s.tell(Fact::Customer { customer: emile, change: Person::Tiered { tier: Tier::Vip } });
    lab.keep(s.facts()).await;
    let here = s.tenant.clone();
    let find = async |prefix: &str| -> Vec<_> {
        lab.store.customer_list(&here, &named(prefix)).await.unwrap().items.iter().map(|c| c.id).collect()
    };
    assert_eq!(find("arch").await, [emile, alice], "of whom something was learned last");
    assert_eq!(find("éMI").await, [emile]);
    assert_eq!(find("+8613").await, [emile]);
    assert_eq!(find("3265").await, [alice]);
    assert_eq!(find("emile@").await, [emile]);
    assert_eq!(find("rcher").await, []);
    assert_eq!(find("  ").await, [emile, alice], "everybody");
    let vip = CustomerFilter { tier: Some(Tier::Vip), limit: 9, ..Default::default() };
    assert_eq!(lab.store.customer_list(&here, &vip).await.unwrap().items.len(), 1);
    // By parts, none twice and none left out.
    let first = lab.store.customer_list(&here, &CustomerFilter { limit: 1, ..Default::default() }).await.unwrap();
    let after = Cursor::parse(&first.next.unwrap());
    let second = lab.store.customer_list(&here, &CustomerFilter { after, limit: 1, ..Default::default() }).await.unwrap();
    assert_eq!((first.items[0].id, second.items[0].id, second.next), (emile, alice, None));
    assert_eq!(lab.store.customer_by_identity(&s.tenant, &mail).await.unwrap(), Some(emile));
    assert_eq!(lab.store.customer_get(&s.tenant, emile).await.unwrap().unwrap().tier, Tier::Vip);

    s.tell(Fact::Customer { customer: alice, change: Person::Named { name: "Alice Baker".into() } });
    s.tell(Fact::Customer { customer: emile, change: Person::Unlinked { identity: mail.clone() } });
    lab.keep(s.facts()).await;
    assert_eq!((find("arch").await, find("baker").await), (vec![emile], vec![alice]));
    assert_eq!(lab.store.customer_by_identity(&s.tenant, &mail).await.unwrap(), None);
}

async fn two_people_who_are_one_have_one_history_under_either_id(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let (first, second, third) =
        (s.person("", "+3265550001"), s.person("Alice", "+3265550002"), s.person("Alice A.", "+3265550003"));
    let one = s.opens(Channel::Voice, first);
    s.pass(1);
    let two = s.opens(Channel::Webchat, second);
    s.pass(1);
    let matter = s.ticket(1, "Broken box", Some(third)).head().id;
    s.tell(Fact::Customer { customer: second, change: Person::Absorbed { from: first } });
    lab.keep(s.facts()).await;
    s.tell(Fact::Customer { customer: third, change: Person::Absorbed { from: second } });
    lab.keep(s.facts()).await;

    let numbers: Vec<_> = [1, 2, 3].map(|n| Identity::number(&format!("+326555000{n}")).unwrap()).into();
    for id in [first, second, third] {
        let person = lab.store.customer_get(&s.tenant, id).await.unwrap().unwrap();
        assert_eq!((person.id, person.name.as_str(), person.identities.len()), (third, "Alice A.", 3));
        let page = lab.store.customer_timeline(&s.tenant, id, None, 10).await.unwrap();
        let story: Vec<String> = page
            .items
            .iter()
            .map(|c| match c {
                CustomerContact::Interaction(i) => i.id.to_string(),
                CustomerContact::Ticket(t) => t.id.to_string(),
            })
            .collect();
        assert_eq!(story, [matter.to_string(), two.to_string(), one.to_string()]);
        let first_page = lab.store.customer_timeline(&s.tenant, id, None, 1).await.unwrap();
        let after = Cursor::parse(&first_page.next.unwrap());
        assert_eq!(lab.store.customer_timeline(&s.tenant, id, after, 10).await.unwrap().items, page.items[1..]);
    }
    for number in &numbers {
        assert_eq!(lab.store.customer_by_identity(&s.tenant, number).await.unwrap(), Some(third));
    }
    assert_eq!(lab.store.customer_list(&s.tenant, &named("alice")).await.unwrap().items.len(), 1, "found once, not thrice");
}

async fn an_entry_that_does_not_follow_is_kept_in_the_journal_and_changes_no_list(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let t = s.ticket(1, "Broken box", None);
    // A second opening of the same ticket, and a name for somebody nobody has seen.
    let again = t.log()[0].clone();
    s.tell(Fact::Ticket { ticket: t.head().id, entry: again });
    let ghost = s.customer_id();
    s.tell(Fact::Customer { customer: ghost, change: Person::Named { name: "Ghost".into() } });
    lab.keep(s.facts()).await;
    assert_eq!(lab.store.last_seq().await.unwrap(), 3);
    assert_eq!(lab.store.ticket_get(&s.tenant, t.head().id).await.unwrap(), Some(t));
    assert_eq!(lab.store.customer_get(&s.tenant, ghost).await.unwrap(), None);
    assert!(lab.store.customer_list(&s.tenant, &named("ghost")).await.unwrap().items.is_empty());
}
