//! Reports people keep.

use super::{Lab, on_both, story::*};
use crate::{
    base::{limits::REPORT_FILES_MAX, secs},
    store::{ReportFile, SavedReport},
};

on_both! {
    a_report_that_comes_by_itself_keeps_the_last_of_what_was_made_and_is_forgotten_with_it
}

async fn a_report_that_comes_by_itself_keeps_the_last_of_what_was_made_and_is_forgotten_with_it(lab: &Lab) {
    let acme = tenant("acme");
    let report = |name: &str| SavedReport {
        name: name.into(),
        owner: "sue".into(),
        made_at: NINE,
        made_for: Some(NINE),
        body: r#"{"by":"agents"}"#.into(),
    };
    assert!(lab.store.saved_report_put(&acme, &report("monday")).await.unwrap());
    let changed = SavedReport { body: "{}".into(), made_for: None, ..report("monday") };
    assert!(lab.store.saved_report_put(&acme, &changed).await.unwrap(), "one of that name is replaced");
    assert!(lab.store.saved_report_put(&tenant("other"), &report("monday")).await.unwrap());
    assert_eq!(lab.store.saved_report_list(&acme).await.unwrap(), [changed]);
    assert_eq!(lab.store.saved_report_all().await.unwrap().len(), 2);

    let file = |n: u64| ReportFile {
        due_at: NINE + secs(n * 86_400),
        from: NINE,
        to: NINE + secs(n),
        body: format!("a,b\r\n{n},\u{4e2d}\r\n"),
    };
    let days = REPORT_FILES_MAX as u64 + 3;
    for n in 1..=days {
        lab.store.report_file_put(&acme, "monday", file(n).due_at, Some(&file(n))).await.unwrap();
    }
    let kept = lab.store.report_file_list(&acme, "monday").await.unwrap();
    assert_eq!((kept.len(), kept[0].0, kept[0].2), (REPORT_FILES_MAX, file(days).due_at, NINE + secs(days)), "newest first");
    assert_eq!(lab.store.report_file_get(&acme, "monday", file(days).due_at).await.unwrap(), Some(file(days)));
    assert_eq!(lab.store.report_file_get(&acme, "monday", file(1).due_at).await.unwrap(), None, "the oldest went");
    assert_eq!(lab.store.report_file_get(&tenant("other"), "monday", file(days).due_at).await.unwrap(), None);
    assert_eq!(lab.store.saved_report_list(&acme).await.unwrap()[0].made_for, Some(file(days).due_at));

    assert!(lab.store.saved_report_delete(&acme, "monday").await.unwrap());
    assert!(!lab.store.saved_report_delete(&acme, "monday").await.unwrap());
    lab.store.report_file_put(&acme, "monday", NINE, Some(&file(1))).await.unwrap();
    assert!(lab.store.report_file_list(&acme, "monday").await.unwrap().is_empty(), "of one that is forgotten nothing is kept");
    assert_eq!(lab.store.saved_report_list(&tenant("other")).await.unwrap().len(), 1);
}
