//! Published flows keep every version, and the journal tells which ways were taken.

use super::{Lab, on_both, story::*};
use crate::{
    base::{Channel, FlowId, mins, secs},
    center::fact::Fact,
    store::NewFlowVersion,
};

on_both! {
    a_flow_keeps_every_version_and_another_tenant_has_none_of_it
    the_ways_callers_took_through_a_flow_are_counted_and_where_they_left_it
    agents_are_summed_over_a_span_and_by_queue
}

async fn a_flow_keeps_every_version_and_another_tenant_has_none_of_it(lab: &Lab) {
    let (acme, other, main) = (tenant("acme"), tenant("other"), FlowId::parse("main").unwrap());
    let new = |hash, restored, text| NewFlowVersion { at: NINE, by: "ada", hash, restored, text };
    assert_eq!(lab.store.flow_version_append(&acme, &main, new("aa", None, "flow: main")).await.unwrap(), 1);
    assert_eq!(lab.store.flow_version_append(&acme, &main, new("bb", None, "flow: main # b")).await.unwrap(), 2);
    assert_eq!(lab.store.flow_version_append(&acme, &main, new("aa", Some(1), "flow: main")).await.unwrap(), 3);
    assert_eq!(lab.store.flow_version_append(&other, &main, new("cc", None, "flow: main # c")).await.unwrap(), 1);
    let list = lab.store.flow_version_list(&acme, &main).await.unwrap();
    let told: Vec<_> = list.iter().map(|v| (v.version, v.hash.as_str(), v.restored)).collect();
    assert_eq!(told, [(3, "aa", Some(1)), (2, "bb", None), (1, "aa", None)]);
    let (v, text) = lab.store.flow_version_get(&acme, &main, 2).await.unwrap().unwrap();
    assert_eq!((v.at, v.by.as_str(), text.as_str()), (NINE, "ada", "flow: main # b"));
    assert!(lab.store.flow_version_get(&other, &main, 2).await.unwrap().is_none());
}

async fn the_ways_callers_took_through_a_flow_are_counted_and_where_they_left_it(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice Archer", "+3265551234");
    for way in [&["hello", "menu", "line"][..], &["hello", "menu", "menu", "line"], &["hello"]] {
        let id = s.opens(Channel::Voice, alice);
        for node in way {
            s.tell(Fact::FlowEntered { interaction: id, node: format!("main/{node}") });
            s.tell(Fact::FlowEntered { interaction: id, node: format!("order-status/{node}") });
        }
    }
    s.pass(3_600);
    let late = s.opens(Channel::Voice, alice);
    s.tell(Fact::FlowEntered { interaction: late, node: "main/hello".into() });
    lab.keep(s.facts()).await;
    let main = FlowId::parse("main").unwrap();
    let c = lab.store.flow_counts(&s.tenant, &main, NINE, NINE + mins(30)).await.unwrap();
    assert_eq!((c.contacts, c.nodes["hello"], c.nodes["menu"], c.cut), (3, 3, 3, false));
    let edge = |a: &str, b: &str| c.edges.get(&(a.to_owned(), b.to_owned())).copied();
    assert_eq!((edge("hello", "menu"), edge("menu", "menu"), edge("menu", "line")), (Some(2), Some(1), Some(2)));
    assert_eq!((c.left["hello"], c.left["line"]), (1, 2));
    assert_eq!(lab.store.flow_counts(&tenant("other"), &main, NINE, NINE + mins(30)).await.unwrap().contacts, 0);
}

async fn agents_are_summed_over_a_span_and_by_queue(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice Archer", "+3265551234");
    s.call(alice, "sales", "anna");
    s.call(alice, "care", "anna");
    s.call(alice, "care", "ben");
    lab.keep(s.facts()).await;
    let whole = lab.report(&s.tenant, NINE, NINE + mins(60), None).await;
    let told: Vec<_> = whole.by_agent().into_iter().map(|(a, t)| (a.to_string(), t.handled.counts.handled)).collect();
    assert_eq!(told, [("anna".into(), 2), ("ben".into(), 1)]);
    assert!(whole.by_agent().values().all(|t| t.handled.counts.talk_us > 0));
    let care = lab.report(&s.tenant, NINE, NINE + mins(60), Some(queue("care"))).await;
    assert_eq!(care.by_agent().values().map(|t| t.handled.counts.handled).collect::<Vec<_>>(), [1, 1]);
    let later = lab.report(&s.tenant, NINE + secs(7_200), NINE + secs(7_300), None).await;
    assert!(later.by_agent().values().all(|t| t.handled.counts.handled == 0));
}
