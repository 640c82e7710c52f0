//! Session timers (RFC 4028): a call nobody ends is found out, because one side has to say again and again that it stands.
//!
//! ```text
//! refresher     half the interval ──UPDATE, or re-INVITE where that is not known──▶ 2xx: the interval begins anew
//! either side   the interval less a third of it (at most 32 s) without a refresh ──▶ BYE
//! ```
//! Every 2xx to an INVITE or UPDATE says anew whether there is a timer, how long it is, and who refreshes.

use std::time::Duration;

use super::{
    DialogKey, EndedBy, Output, Stack,
    calls::{Call, State},
    tx::Inside,
};
use crate::{
    base::{Mono, Now, secs},
    sip::msg::{Headers, Message, Method, Name},
};

/// The option tag.
pub(super) const TAG: &str = "timer";
/// Below this nobody may go (section 4).
const FLOOR: Duration = secs(90);
/// A refresh that cannot be sent now (an offer is under way) is tried again after this.
const AGAIN: Duration = secs(5);

/// The timer of one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    interval: Duration,
    /// We refresh, at that time.
    refresh_at: Option<Mono>,
    expires_at: Mono,
}

/// What the two of a call think of session timers.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// Running.
    on: Option<Session>,
    /// The least the peer (or somebody between) will have, once it has said so.
    min: Option<Duration>,
    /// The peer takes UPDATE.
    pub(super) updates: bool,
    /// A 422 has been followed.
    raised: u8,
}

impl Sessions {
    pub(super) fn deadline(&self) -> Option<Mono> {
        self.on.map(|s| s.refresh_at.unwrap_or(s.expires_at).min(s.expires_at))
    }

    fn begin(&mut self, now: Mono, interval: Duration, ours: bool) {
        let margin = (interval / 3).min(secs(32));
        let refresh_at = ours.then(|| now + interval / 2);
        self.on = Some(Session { interval, refresh_at, expires_at: now + (interval - margin) });
    }
}

/// What the answer to a request with (or without) a session timer is.
pub(super) enum Verdict {
    /// No timer.
    None,
    /// 422 with this Min-SE.
    TooShort(Duration),
    /// A timer, and whether we refresh. `told`: the peer knows what that is.
    Timer { interval: Duration, ours: bool, told: bool },
}

impl Stack {
    fn shortest(&self) -> Duration {
        self.settings.session_min.max(FLOOR)
    }

    /// What an INVITE or UPDATE of theirs asks for (section 9).
    pub(super) fn session_of(&self, m: &Message) -> Verdict {
        let told = m.lists(&Name::Supported, TAG);
        let asked = m.seconds(&Name::SessionExpires).map(|s| secs(u64::from(s)));
        let least = m.seconds(&Name::MinSe).map_or(FLOOR, |s| secs(u64::from(s))).max(FLOOR);
        let interval = match (asked, self.settings.session_expires) {
            (Some(asked), _) if asked < self.shortest() && told => return Verdict::TooShort(self.shortest()),
            (Some(asked), ours) => ours.map_or(asked, |ours| asked.min(ours)).max(least).max(self.shortest()),
            (None, Some(ours)) => ours.max(least),
            (None, None) => return Verdict::None,
        };
        let header = m.headers.get(&Name::SessionExpires);
        let named = header.as_deref().and_then(refresher);
        // Table 2: who does not know of timers cannot be asked to refresh; who leaves it open, is asked to.
        Verdict::Timer { interval, ours: !told || named == Some(false), told }
    }

    /// Refuses a request whose timer is too short. True: it was.
    pub(super) fn session_too_short(&mut self, now: Now, id: super::tx::TxId, m: &Message, out: &mut Vec<Output>) -> bool {
        let Verdict::TooShort(min) = self.session_of(m) else { return false };
        let Some(s) = self.servers.get(&id) else { return true };
        let mut response = self.reply(m, 422, "", &s.tag);
        response.headers.push(Name::MinSe, min.as_secs());
        self.respond(now, id, &response, out);
        true
    }

    /// The timer in our 2xx; it runs from here.
    pub(super) fn session_in_answer(&mut self, now: Now, key: DialogKey, request: &Message, response: &mut Message) {
        let verdict = self.session_of(request);
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.sessions.updates |= request.lists(&Name::Allow, "UPDATE");
        call.sessions.on = None;
        if let Verdict::Timer { interval, ours, told } = verdict {
            call.sessions.begin(now.mono, interval, ours);
            let who = if ours { "uas" } else { "uac" };
            response.headers.push(Name::SessionExpires, format!("{};refresher={who}", interval.as_secs()));
            if told {
                response.headers.push(Name::Require, TAG);
            }
        }
        self.set_call_deadline(key);
    }

    /// The timer our INVITE, re-INVITE or UPDATE asks for (section 7.1, 7.4).
    pub(super) fn session_in_request(&self, call: Option<&Call>, headers: &mut Headers) {
        let sessions = call.map(|c| &c.sessions);
        let min = sessions.and_then(|s| s.min);
        match (sessions.and_then(|s| s.on), self.settings.session_expires) {
            (Some(on), _) => {
                let who = if on.refresh_at.is_some() { "uac" } else { "uas" };
                let interval = on.interval.max(min.unwrap_or_default());
                headers.push(Name::SessionExpires, format!("{};refresher={who}", interval.as_secs()));
            }
            (None, Some(ours)) => {
                headers.push(Name::SessionExpires, ours.max(self.shortest()).max(min.unwrap_or_default()).as_secs());
            }
            (None, None) => return,
        }
        let min = min.unwrap_or_default().max(self.shortest());
        if min > FLOOR {
            headers.push(Name::MinSe, min.as_secs());
        }
    }

    /// What a 2xx to a request of ours says of the timer.
    pub(super) fn session_answered(&mut self, now: Now, key: DialogKey, m: &Message) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.sessions.updates |= m.lists(&Name::Allow, "UPDATE");
        call.sessions.on = None;
        if let Some(header) = m.headers.get(&Name::SessionExpires)
            && let Some(s) = m.seconds(&Name::SessionExpires)
        {
            // Section 7.2: it has to say who; a peer that does not leaves it to us.
            let ours = refresher(&header).unwrap_or(true);
            call.sessions.begin(now.mono, secs(u64::from(s)).max(FLOOR), ours);
        }
        self.set_call_deadline(key);
    }

    /// A 422: what is asked for next time. False when there is no point in asking again.
    pub(super) fn session_raised(&mut self, key: DialogKey, m: &Message) -> bool {
        let Some(call) = self.calls.get_mut(&key) else { return false };
        let Some(min) = m.seconds(&Name::MinSe).map(|s| secs(u64::from(s))) else { return false };
        call.sessions.min = Some(call.sessions.min.unwrap_or_default().max(min));
        call.sessions.raised += 1;
        call.sessions.raised <= 2
    }

    /// The timer of a session is due.
    pub(super) fn tick_session(&mut self, now: Now, key: DialogKey, out: &mut Vec<Output>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let Some(on) = &mut call.sessions.on else { return };
        if on.expires_at <= now.mono {
            self.counters.timeouts += 1;
            return self.end_with_bye(now, key, EndedBy::Timeout, out);
        }
        if on.refresh_at.is_none_or(|at| at > now.mono) {
            return;
        }
        on.refresh_at = Some(now.mono + AGAIN.max(on.interval / 8));
        // Whatever is under way refreshes by itself.
        if !matches!(call.state, State::Confirmed) || call.re.is_some() || call.bye.is_some() {
            return;
        }
        if !call.sessions.updates {
            if let Some(body) = call.ours.clone() {
                self.reinvite(now, key, body, out);
            }
            return;
        }
        let Some(dialog) = &mut call.dialog else { return };
        let (mut m, flow) = dialog.request(Method::Update);
        let user = dialog.local.uri.user().into_owned();
        self.finish_invite(&mut m, Some(&user), &flow, &Headers::new(), None);
        self.session_in_request(self.calls.get(&key), &mut m.headers);
        self.send_inside(now, m, flow, key, Inside::Refresh, out);
    }

    /// The response to a refresh by UPDATE.
    pub(super) fn refreshed(&mut self, now: Now, key: DialogKey, code: u16, m: &Message, out: &mut Vec<Output>) {
        match code {
            200..300 => self.session_answered(now, key, m),
            422 if self.session_raised(key, m) => self.session_again(now, key),
            // They said they knew UPDATE, and do not: the next one is a re-INVITE.
            405 | 420 | 501 => {
                if let Some(call) = self.calls.get_mut(&key) {
                    call.sessions.updates = false;
                }
                self.session_again(now, key);
            }
            408 => self.end_with_bye(now, key, EndedBy::Timeout, out),
            481 => self.ended(now, key, EndedBy::Remote, None, out),
            // Busy with something of their own (491, 500): it is tried again in time.
            _ => {}
        }
    }

    fn session_again(&mut self, now: Now, key: DialogKey) {
        if let Some(on) = self.calls.get_mut(&key).and_then(|c| c.sessions.on.as_mut()) {
            on.refresh_at = Some(now.mono);
        }
        self.set_call_deadline(key);
    }
}

/// Who refreshes, by the `refresher` of a Session-Expires: true for `uac`.
fn refresher(header: &str) -> Option<bool> {
    let value = header.split(';').skip(1).find_map(|p| {
        let (name, value) = p.split_once('=')?;
        name.trim().eq_ignore_ascii_case("refresher").then(|| value.trim().to_ascii_lowercase())
    })?;
    match value.as_str() {
        "uac" => Some(true),
        "uas" => Some(false),
        _ => None,
    }
}
