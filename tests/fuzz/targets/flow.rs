//! Flows: target `flow`.

use std::{collections::BTreeMap, sync::Arc};

use ringdesk::{
    base::{CalendarId, Wall, limits::FLOW_ERRORS_MAX},
    ivr::{Catalog, Flow, Hours, HoursState, Library, check as judge, graph},
};

/// Every calendar there could be is open.
#[derive(Debug)]
struct Open;

impl Hours for Open {
    fn state(&self, _: &CalendarId, _: Wall) -> Option<HoursState> {
        Some(HoursState::Open)
    }
}

/// A flow file.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Flow::parse("fuzz.yaml", text) {
        Err(errors) => {
            assert!(!errors.0.is_empty() && errors.0.len() <= FLOW_ERRORS_MAX, "{} mistakes", errors.0.len());
            let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
            for e in &errors.0 {
                assert!((e.pos.line as usize) <= lines + 1, "line {} of {lines}: {e}", e.pos.line);
                assert!(!e.say.is_empty(), "a mistake without a word");
            }
        }
        Ok(flow) => {
            let flow = Arc::new(flow);
            let library = Library { flows: BTreeMap::new(), hours: Arc::new(Open), config: BTreeMap::new() };
            let judged = || judge(&flow, &library, &Catalog::default());
            let found = judged();
            assert_eq!(found, judged(), "judged twice, found two things");
            assert!(!graph(&flow).is_empty());
            let again = Flow::parse("fuzz.yaml", text).expect("it could be read before");
            assert_eq!(format!("{again:?}"), format!("{flow:?}"));
        }
    }
}
