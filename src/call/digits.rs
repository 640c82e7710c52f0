//! Keys we press: as events or tones in the sound, or one by one in INFO where that is what the peer reads.

use std::time::Duration;

use bytes::Bytes;
use media::wire::{Command, LegId};

use super::{Calls, Dtmf, Event, Output};
use crate::{
    base::{Now, limits::INFO_KEYS_MAX, ms},
    sip::stack::{self, DialogKey},
};

/// How long a key we press lasts, and the pause after it.
const TONE: Duration = ms(100);
const GAP: Duration = ms(70);

impl Calls {
    pub(super) fn send_digits(&mut self, now: Now, leg: LegId, digits: String, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get_mut(&leg) else { return };
        if l.policy.dtmf != Dtmf::Info {
            return out.push(Output::Media(Command::SendDtmf { leg, digits, tone: TONE, gap: GAP }));
        }
        let idle = l.keys.is_empty();
        let keys = digits.chars().filter(|c| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D'));
        let room = INFO_KEYS_MAX.saturating_sub(l.keys.len());
        l.keys.extend(keys.take(room));
        if idle {
            self.next_key(now, leg, out);
        }
    }

    /// One at a time: two requests on their way may overtake each other, and a PIN does not survive that.
    fn next_key(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get(&leg) else { return };
        let (Some(key), Some(dialog)) = (l.keys.front(), l.dialog) else {
            return out.push(Output::Event(Event::DtmfSent { leg }));
        };
        let text = format!("Signal={key}\r\nDuration={}\r\n", TONE.as_millis());
        let body = ("application/dtmf-relay".to_owned(), Bytes::from(text));
        self.sip(now, stack::Action::Info { dialog, body }, out);
    }

    /// The peer took a key, or reads none in INFO: then the rest goes by the sound.
    pub(super) fn info_sent(&mut self, now: Now, dialog: DialogKey, taken: bool, out: &mut Vec<Output>) {
        let Some(&leg) = self.dialogs.get(&dialog) else { return };
        let live = self.live(leg);
        let Some(l) = self.legs.get_mut(&leg) else { return };
        if taken {
            l.keys.pop_front();
            return self.next_key(now, leg, out);
        }
        let digits: String = l.keys.drain(..).collect();
        if live && !digits.is_empty() {
            tracing::info!(?leg, "a peer that reads no keys in INFO");
            out.push(Output::Media(Command::SendDtmf { leg, digits, tone: TONE, gap: GAP }));
        }
    }
}
