//! Live copies of calls to programs outside: what the customer says on one channel, what the customer hears on the other.
//!
//! A copy is a tap on the customer's leg, so it goes on while the customer waits, is held or is handed to somebody else, and
//! ends with the leg. Who may have one is named in the tenant's configuration; the connection itself is the edge's.

use std::time::Duration;

use super::{
    Center, Output,
    command::{Refusal, RefusalCode},
    fact::{Fact, millis},
};
use crate::{
    base::{InteractionId, Now, TenantId, limits},
    call::Action,
};
use media::{
    pipe::Pipe,
    wire::{Rate, TapId},
};

/// What the edge is told of a stream. It ends by itself when its pipes are closed.
#[derive(Debug)]
pub enum StreamOrder {
    /// Connect and send.
    Open(Box<StreamOpen>),
    /// Silence instead of sound (card digits), or sound again.
    Mute {
        /// Which.
        tap: TapId,
        /// Silence, or not.
        on: bool,
    },
}

/// A stream to be opened.
#[derive(Debug)]
pub struct StreamOpen {
    /// Its name here; what becomes of it is told as [`Input::StreamFailed`](super::Input::StreamFailed).
    pub tap: TapId,
    /// Whose call.
    pub tenant: TenantId,
    /// Which call.
    pub interaction: InteractionId,
    /// The name in the configuration.
    pub stream: String,
    /// `wss://..`
    pub url: String,
    /// Name of the secret that is shown as bearer token.
    pub token_secret: Option<String>,
    /// What the customer says.
    pub customer: Pipe,
    /// What the customer hears: the agent, prompts, music.
    pub heard: Pipe,
    /// Who calls, as presented.
    pub from: String,
    /// What was dialled.
    pub to: String,
}

/// A stream that runs.
#[derive(Debug)]
pub(super) struct StreamNow {
    pub name: String,
    pub tap: TapId,
    /// What the other end was too slow for.
    pub lost: Duration,
}

impl Center {
    /// The tenant wants every talk copied; it has one now.
    pub(super) fn stream_talk(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get(&id) else { return };
        let Some(name) = i.settings.config.stream_talks.clone() else { return };
        if let Err(refusal) = self.stream_start(now, id, &name, out) {
            tracing::warn!(interaction = %id, %refusal, "a talk is not copied to where the tenant wants it");
        }
    }

    /// Begins one. A stream that already runs goes on.
    pub(super) fn stream_start(
        &mut self,
        now: Now,
        id: InteractionId,
        name: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let tap = TapId(self.name());
        let i = self.interactions.get_mut(&id).ok_or_else(|| Refusal::no_interaction(id))?;
        let to = i.settings.config.streams.get(name).cloned().ok_or_else(|| Refusal::not_found(format!("stream {name}")))?;
        let v = i.voice.as_mut().ok_or_else(|| Refusal::wrong_state(id, "is not a call"))?;
        let leg = v.leg.filter(|_| v.up).ok_or_else(|| Refusal::wrong_state(id, "has no caller on the line"))?;
        if v.streams.iter().any(|s| s.name == name) {
            return Ok(());
        }
        if v.streams.len() >= limits::STREAMS_PER_CALL {
            let bound = limits::STREAMS_PER_CALL;
            return Err(Refusal::new(RefusalCode::Limit, format!("interaction {id} is copied to {bound} places already")));
        }
        let rate = if to.rate == 16_000 { Rate::K16 } else { Rate::K8 };
        let (customer, heard) = (Pipe::new(rate, limits::STREAM_PIPE_MS), Pipe::new(rate, limits::STREAM_PIPE_MS));
        v.streams.push(StreamNow { name: name.to_owned(), tap, lost: Duration::ZERO });
        let paused = v.recording.as_ref().is_some_and(|r| r.paused);
        let tenant = i.tenant.clone();
        let open = StreamOpen {
            tap,
            tenant: tenant.clone(),
            interaction: id,
            stream: name.to_owned(),
            url: to.url,
            token_secret: to.token_secret,
            customer: customer.clone(),
            heard: heard.clone(),
            from: i.from.clone(),
            to: i.to.clone(),
        };
        self.streams.insert(tap, id);
        out.push(Output::Stream(StreamOrder::Open(Box::new(open))));
        if paused {
            out.push(Output::Stream(StreamOrder::Mute { tap, on: true }));
        }
        self.call(Action::Tap { tap, leg, said: customer, heard: Some(heard) });
        self.stream_fact(now, &tenant, id, "stream_started", name, &[], out);
        Ok(())
    }

    /// Ends one on request.
    pub(super) fn stream_stop(
        &mut self,
        now: Now,
        id: InteractionId,
        name: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let v = self.interactions.get(&id).and_then(|i| i.voice.as_ref());
        let tap = v.and_then(|v| v.streams.iter().find(|s| s.name == name)).map(|s| s.tap);
        let Some(tap) = tap else {
            let m = format!("interaction {id} is not copied to {name}");
            return Err(Refusal::new(RefusalCode::WrongState, m));
        };
        self.call(Action::StopTap { tap });
        self.stream_over(now, tap, None, out);
        Ok(())
    }

    /// The other end is not to be had any more.
    pub(super) fn stream_failed(&mut self, now: Now, tap: TapId, why: &str, out: &mut Vec<Output>) {
        if self.streams.contains_key(&tap) {
            self.call(Action::StopTap { tap });
            self.stream_over(now, tap, Some(why), out);
        }
    }

    /// The reader of a stream was too slow for so much of it.
    pub(super) fn stream_lost(&mut self, tap: TapId, lost: Duration) {
        let Some(i) = self.streams.get(&tap).and_then(|id| self.interactions.get_mut(id)) else { return };
        if let Some(s) = i.voice.as_mut().and_then(|v| v.streams.iter_mut().find(|s| s.tap == tap)) {
            s.lost += lost;
        }
    }

    /// The customer's leg is gone, and with it what was copied from it.
    pub(super) fn streams_end(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(v) = self.interactions.get(&id).and_then(|i| i.voice.as_ref()) else { return };
        let taps: Vec<TapId> = v.streams.iter().map(|s| s.tap).collect();
        for tap in taps {
            self.stream_over(now, tap, None, out);
        }
    }

    /// Card digits are about to be spoken: nobody outside hears them, either. True when there is a stream.
    pub(super) fn streams_mute(&mut self, id: InteractionId, on: bool, out: &mut Vec<Output>) -> bool {
        let Some(v) = self.interactions.get(&id).and_then(|i| i.voice.as_ref()) else { return false };
        out.extend(v.streams.iter().map(|s| Output::Stream(StreamOrder::Mute { tap: s.tap, on })));
        !v.streams.is_empty()
    }

    fn stream_over(&mut self, now: Now, tap: TapId, why: Option<&str>, out: &mut Vec<Output>) {
        let Some(id) = self.streams.remove(&tap) else { return };
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let tenant = i.tenant.clone();
        let Some(v) = i.voice.as_mut() else { return };
        let Some(at) = v.streams.iter().position(|s| s.tap == tap) else { return };
        let s = v.streams.remove(at);
        let lost = (!s.lost.is_zero()).then(|| ("lost_ms", millis(s.lost).to_string()));
        let more: Vec<_> = lost.into_iter().chain(why.map(|w| ("why", w.to_owned()))).collect();
        self.stream_fact(now, &tenant, id, "stream_ended", &s.name, &more, out);
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one fact")]
    fn stream_fact(
        &mut self,
        now: Now,
        tenant: &TenantId,
        interaction: InteractionId,
        event: &str,
        stream: &str,
        more: &[(&str, String)],
        out: &mut Vec<Output>,
    ) {
        let named = [("stream", stream.to_owned())];
        let data = named.iter().chain(more).map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        self.fact(now, tenant, Fact::FlowEvent { interaction, name: event.into(), data }, out);
    }
}
