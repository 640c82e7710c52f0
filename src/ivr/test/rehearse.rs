//! A flow tried out by hand: somebody presses keys and lets time pass, and reads what a caller would have met.

use std::{collections::BTreeMap, sync::Arc};

use super::{Stage, Step, Story, ended};
use crate::{
    base::{CalendarId, Channel, Wall},
    ivr::{Flow, HoursState, Library, Pos, TransferTo, flow::At},
};

/// Who calls, and when.
#[derive(Debug, Clone)]
pub struct Caller {
    /// By which channel.
    pub channel: Channel,
    /// Their number.
    pub ani: String,
    /// What they called.
    pub dnis: String,
    /// Language known beforehand.
    pub lang: Option<String>,
    /// When.
    pub at: Wall,
    /// Calendars as they shall be; others are asked.
    pub hours: BTreeMap<CalendarId, HoursState>,
}

/// Something the caller met, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The flow came to a node.
    Entered {
        /// Flow.
        flow: String,
        /// Node.
        node: String,
    },
    /// A prompt.
    Heard {
        /// Its name in the flow.
        id: String,
        /// Its words.
        text: String,
    },
    /// A service was asked; in a rehearsal none answers.
    Asked(String),
    /// The wait in a queue began.
    Queued(String),
    /// A message is being taken.
    Voicemail,
    /// To be called back at.
    Callback(String),
    /// Handed over to.
    Transfer(String),
    /// A fact for the timeline.
    Event(String),
    /// It is over.
    Ended(String),
}

/// What followed from one step.
#[derive(Debug, Clone)]
pub struct Met {
    /// In order.
    pub told: Vec<Told>,
    /// Where the flow is now.
    pub flow: String,
    /// The node it waits in, or ended in.
    pub node: String,
    /// Nothing comes after this.
    pub over: bool,
}

/// Walks `flow` with these steps. The first of the answers is what the caller meets before doing anything.
pub fn rehearse(flow: &Arc<Flow>, library: &Library, caller: Caller, steps: &[Step]) -> Vec<Met> {
    let pos = Pos { line: 1, col: 1 };
    let story = Story {
        pos,
        name: String::new(),
        at: caller.at,
        channel: caller.channel,
        ani: caller.ani,
        dnis: caller.dnis,
        lang: caller.lang,
        inputs: BTreeMap::new(),
        config: BTreeMap::new(),
        hours: caller.hours,
        http: Vec::new(),
        callback: None,
        steps: steps.iter().map(|s| At { pos, it: s.clone() }).collect(),
    };
    let mut stage = Stage::new(flow, library, &story);
    stage.feed(crate::ivr::Input::Begin);
    let mut met = vec![stage.met()];
    for step in steps {
        if stage.run.is_over() {
            break;
        }
        // Only what must be so can fail, and a rehearsal claims nothing.
        if stage.step(step).is_err() {
            break;
        }
        met.push(stage.met());
    }
    met
}

impl Stage<'_> {
    fn met(&mut self) -> Met {
        let told = std::mem::take(&mut self.told);
        Met { told, flow: self.run.flow().to_string(), node: self.run.node().to_owned(), over: self.run.is_over() }
    }

    /// What an output is to the caller, if it is anything.
    pub(super) fn tell(&mut self, o: &crate::ivr::Output) {
        use crate::ivr::Output as O;
        let told = match o {
            O::Entered { flow, node } => Told::Entered { flow: flow.to_string(), node: node.clone() },
            O::Say { prompts, .. } | O::Announce(prompts) => {
                self.told.extend(prompts.iter().map(|p| Told::Heard { id: p.id().to_owned(), text: p.text().to_owned() }));
                return;
            }
            O::Http(h) => Told::Asked(format!("{} {}", h.method.as_str(), h.url)),
            O::Enqueue(q) => Told::Queued(q.queue.to_string()),
            O::Voicemail { prompts, .. } => {
                self.told.extend(prompts.iter().map(|p| Told::Heard { id: p.id().to_owned(), text: p.text().to_owned() }));
                Told::Voicemail
            }
            O::Callback(c) => Told::Callback(c.number.clone()),
            O::Transfer { to, .. } => Told::Transfer(match to {
                TransferTo::Number(n) => n.clone(),
                TransferTo::Queue(q) => q.to_string(),
                TransferTo::Agent(a) => a.to_string(),
            }),
            O::Event { name, .. } => Told::Event(name.clone()),
            O::Finished { outcome } => Told::Ended(ended(outcome)),
            O::StopSaying | O::LeaveQueue { .. } | O::Hangup => return,
        };
        self.told.push(told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::secs,
        ivr::{Hours, QueueResult},
    };

    #[derive(Debug)]
    struct Open;
    impl Hours for Open {
        fn state(&self, _: &CalendarId, _: Wall) -> Option<HoursState> {
            Some(HoursState::Open)
        }
    }

    #[test]
    fn somebody_presses_two_for_english_and_zero_for_a_person_and_reads_what_the_caller_hears_on_the_way_to_the_queue() {
        let flow = Arc::new(Flow::parse("main", include_str!("../../../ivr-flows/main.yaml")).unwrap());
        let library = Library { flows: BTreeMap::new(), hours: Arc::new(Open), config: BTreeMap::new() };
        let caller = Caller {
            channel: Channel::Voice,
            ani: "+8613800000000".into(),
            dnis: "4000".into(),
            lang: None,
            at: Wall::from_unix_s(1_772_416_800),
            hours: BTreeMap::new(),
        };
        let steps = [Step::Dtmf("2".into()), Step::Dtmf("0".into()), Step::Queue(QueueResult::Answered), Step::TalkEnded];
        let met = rehearse(&flow, &library, caller.clone(), &steps);
        let heard = |m: &Met, words: &str| m.told.iter().any(|t| matches!(t, Told::Heard { text, .. } if text.contains(words)));
        assert!(heard(&met[0], "For English, press 2"), "{met:?}");
        assert!(heard(&met[1], "welcome to the shop") && heard(&met[1], "for a person press 0"), "{met:?}");
        assert!(met[2].told.contains(&Told::Queued("support".into())), "{met:?}");
        assert_eq!((met[2].node.as_str(), met.last().unwrap().over), ("to_support", true), "{met:?}");
        assert!(met.last().unwrap().told.contains(&Told::Ended("hangup".into())), "{met:?}");
        let silent = rehearse(&flow, &library, caller, &vec![Step::Silence(secs(60)); 20]);
        assert!(silent.iter().any(|m| m.told.contains(&Told::Queued("support".into()))), "{silent:?}");
    }
}
