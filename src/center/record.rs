//! Recordings of talks, and messages left after the beep.

use std::{path::PathBuf, time::Duration};

use media::wire::{LegId, RecordFormat, RecordId, RecordTrouble, Repeat};

use super::{
    Center, Output, Step, Timer,
    command::{Actor, Refusal},
    fact::{Fact, millis},
    interaction::{Playing, RecordingNow, Voicemail},
    settings::Recording,
};
use crate::{
    base::{Channel, InteractionId, Now, RecordingId},
    call::{Action, Prompt},
    ivr, ticket,
};

/// The word a record carries for each trouble.
fn trouble_word(t: RecordTrouble) -> &'static str {
    match t {
        RecordTrouble::DiskFull => "disk_full",
        RecordTrouble::Io => "io",
        RecordTrouble::Overrun => "overrun",
    }
}

impl Center {
    /// Records customer (left) and agent (right) if the flow or the tenant wants it.
    pub(super) fn record_talk(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let chance = self.rng.below(100);
        let Some(i) = self.interactions.get(&id) else { return };
        let Some(v) = i.voice.as_ref() else { return };
        let wanted = match v.record {
            Some(ivr::Record::Always) => true,
            Some(ivr::Record::Never) => false,
            Some(ivr::Record::Percent(p)) => chance < u64::from(p),
            None => i.settings.config.recording == Recording::Always,
        };
        let (left, right) = super::rooms::sides(i);
        if wanted && v.recording.is_none() && left.is_some() {
            let (record, path, format) = self.recording_open(now, id, None, out);
            self.record_told(id, (left, right));
            self.call(Action::Record { record, left, right, path, format });
        }
    }

    /// Remembers what belongs on the channels of a running recording of a talk; none when that is there already.
    pub(super) fn record_told(&mut self, id: InteractionId, sides: (Option<LegId>, Option<LegId>)) -> Option<RecordId> {
        let r = self.interactions.get_mut(&id)?.voice.as_mut()?.recording.as_mut().filter(|r| r.voicemail.is_none())?;
        (std::mem::replace(&mut r.sides, sides) != sides).then_some(r.record)
    }

    fn recording_open(
        &mut self,
        now: Now,
        id: InteractionId,
        voicemail: Option<Voicemail>,
        out: &mut Vec<Output>,
    ) -> (RecordId, PathBuf, RecordFormat) {
        let record = RecordId(self.name());
        let recording = RecordingId::new(now, &mut self.rng);
        let i = self.interactions.get_mut(&id).expect("only a live contact is recorded");
        let tenant = i.tenant.clone();
        // Named by a random id only: a file name is no place for a telephone number.
        let format = i.settings.config.recording_format;
        let file = format!("{tenant}/{recording}.{}", format.ending());
        let path = self.config.recordings.join(&file);
        let v = i.voice.as_mut().expect("only a call is recorded");
        v.recording = Some(RecordingNow { record, id: recording, voicemail, paused: false, sides: (None, None) });
        self.records.insert(record, id);
        self.fact(now, &tenant, Fact::RecordingStarted { interaction: id, recording, file }, out);
        (record, path, format.wire())
    }

    /// Closes a running recording; the engine says when the file is.
    pub(super) fn record_stop(&mut self, id: InteractionId) {
        let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) else { return };
        if let Some(r) = v.recording.take() {
            v.closing.push(r.clone_closing());
            let record = r.record;
            self.call(Action::StopRecord { record });
        }
    }

    /// The engine has closed the file.
    pub(super) fn recorded(
        &mut self,
        now: Now,
        record: RecordId,
        duration: Duration,
        bytes: u64,
        trouble: Option<RecordTrouble>,
        out: &mut Vec<Output>,
    ) {
        let Some(id) = self.records.remove(&record) else { return };
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let tenant = i.tenant.clone();
        let Some(v) = i.voice.as_mut() else { return };
        // Closed on request, or by the engine itself because the disk is full.
        let at = v.closing.iter().position(|r| r.record == record);
        let r = match at {
            Some(at) => v.closing.remove(at),
            None => match v.recording.take_if(|r| r.record == record) {
                Some(r) => r.clone_closing(),
                None => return,
            },
        };
        let ms = millis(duration);
        if trouble.is_none() {
            // A recording that is whole shows that there is room again.
            for t in [RecordTrouble::DiskFull, RecordTrouble::Io, RecordTrouble::Overrun] {
                self.alarm(
                    now,
                    &tenant,
                    &format!("recording_{}", trouble_word(t)),
                    "Recordings are written again.",
                    false,
                    out,
                );
            }
        }
        let trouble = trouble.map(|t| trouble_word(t).to_owned());
        self.fact(now, &tenant, Fact::RecordingEnded { interaction: id, recording: r.id, ms, bytes, trouble }, out);
        if let Some(wish) = r.voicemail {
            self.voicemail_done(now, id, r.id, duration, wish, out);
        }
        self.forget_if_over(id);
    }

    /// Something is wrong with a recording; the call goes on, people are told.
    pub(super) fn record_trouble(&mut self, now: Now, record: RecordId, trouble: RecordTrouble, out: &mut Vec<Output>) {
        let Some(id) = self.records.get(&record).copied() else { return };
        let Some(tenant) = self.interactions.get(&id).map(|i| i.tenant.clone()) else { return };
        let message = match trouble {
            RecordTrouble::DiskFull => "There is no room for recordings: free disk space. Calls go on, unrecorded.",
            RecordTrouble::Io => "A recording cannot be written: check the recordings folder. Calls go on, unrecorded.",
            RecordTrouble::Overrun => "The disk is too slow for the recordings: parts are missing.",
        };
        self.alarm(now, &tenant, &format!("recording_{}", trouble_word(trouble)), message, true, out);
    }

    /// Raises or clears an alarm; saying it again changes nothing.
    pub(super) fn alarm(
        &mut self,
        now: Now,
        tenant: &crate::base::TenantId,
        code: &str,
        message: &str,
        on: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(t) = self.tenants.get_mut(tenant) else { return };
        let changed = match on {
            true => t.alarms.insert(code.to_owned(), message.to_owned()).is_none(),
            false => t.alarms.remove(code).is_some(),
        };
        if changed {
            self.fact(now, tenant, Fact::Alarm { code: code.into(), message: message.into(), on }, out);
        }
    }

    /// Stops the sound in a running recording (card digits), or lets it on again.
    pub(super) fn record_pause(
        &mut self,
        now: Now,
        id: InteractionId,
        by: &Actor,
        paused: bool,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let none = || Refusal::wrong_state(id, "is not being recorded");
        let i = self.interactions.get_mut(&id).ok_or_else(none)?;
        let tenant = i.tenant.clone();
        let r = i.voice.as_mut().and_then(|v| v.recording.as_mut()).ok_or_else(none)?;
        if std::mem::replace(&mut r.paused, paused) == paused {
            return Ok(());
        }
        let (record, recording) = (r.record, r.id);
        self.call(Action::RecordPause { record, paused });
        self.fact(now, &tenant, Fact::RecordingPaused { interaction: id, recording, by: by.clone(), on: paused }, out);
        Ok(())
    }

    // ---- voicemail: prompt, beep, record until silence is golden: a key, the limit, or a hang-up ----

    #[expect(clippy::too_many_arguments, reason = "the fields of one wish")]
    pub(super) fn voicemail(
        &mut self,
        now: Now,
        id: InteractionId,
        prompts: Vec<ivr::Prompt>,
        max: Duration,
        wish: ivr::TicketRequest,
        text: Option<String>,
        out: &mut Vec<Output>,
    ) {
        let play = self.play_id();
        let Some(i) = self.interactions.get_mut(&id) else { return };
        i.stage_since = now.wall;
        if i.channel != Channel::Voice {
            // A chat's message is already in the conversation; the ticket says so.
            let words = text.unwrap_or_default();
            self.voicemail_ticket(now, id, words, wish, out);
            return self.step(Step::Run(id, ivr::Input::VoicemailDone { seconds: 0 }));
        }
        let Some(v) = i.voice.as_mut() else { return };
        let Some(leg) = v.leg else { return };
        v.voicemail = Some((max, wish));
        let prompts: Vec<Prompt> = prompts.into_iter().map(super::flows::spoken).collect();
        if prompts.is_empty() {
            return self.voicemail_beep(id);
        }
        v.play = Some((play, Playing::VoicemailPrompt));
        self.call(Action::Play { leg, play, prompts, repeat: Repeat::Once });
    }

    pub(super) fn voicemail_beep(&mut self, id: InteractionId) {
        let play = self.play_id();
        let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) else { return };
        let Some(leg) = v.leg else { return };
        v.play = Some((play, Playing::Beep));
        let prompts = vec![Prompt::Silence(Duration::from_millis(200)), Prompt::Tone { hz: 1000, ms: 400 }];
        self.call(Action::Play { leg, play, prompts, repeat: Repeat::Once });
    }

    pub(super) fn voicemail_record(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let Some(v) = i.voice.as_mut() else { return };
        let (Some(left), Some((max, ticket))) = (v.leg, v.voicemail.take()) else { return };
        let until = now.mono + max;
        self.timers.set(Timer::Voicemail(id), until);
        let (record, path, format) = self.recording_open(now, id, Some(Voicemail { ticket }), out);
        self.call(Action::Record { record, left: Some(left), right: None, path, format });
    }

    /// A key was pressed or the limit reached: that was the message.
    pub(super) fn voicemail_over(&mut self, id: InteractionId) {
        self.timers.clear(&Timer::Voicemail(id));
        self.record_stop(id);
    }

    /// The caller hung up: a message being spoken stands; one not begun is none.
    pub(super) fn voicemail_keep(&mut self, id: InteractionId) {
        self.timers.clear(&Timer::Voicemail(id));
        if let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) {
            v.voicemail = None;
        }
    }

    fn voicemail_done(
        &mut self,
        now: Now,
        id: InteractionId,
        recording: RecordingId,
        duration: Duration,
        wish: Voicemail,
        out: &mut Vec<Output>,
    ) {
        let Some(i) = self.interactions.get(&id) else { return };
        let (tenant, closed) = (i.tenant.clone(), i.closed);
        self.fact(now, &tenant, Fact::VoicemailLeft { interaction: id, recording, ms: millis(duration) }, out);
        let words = format!("Voice message, {} s.", duration.as_secs());
        self.voicemail_ticket(now, id, words, wish.ticket, out);
        if !closed {
            let seconds = u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
            self.step(Step::Run(id, ivr::Input::VoicemailDone { seconds }));
        }
    }

    /// The ticket of the contact becomes the ticket of the message: titled, on the queue's pile, with its promise.
    fn voicemail_ticket(
        &mut self,
        now: Now,
        id: InteractionId,
        words: String,
        wish: ivr::TicketRequest,
        out: &mut Vec<Output>,
    ) {
        let Some(i) = self.interactions.get(&id) else { return };
        let (tenant, customer, channel) = (i.tenant.clone(), i.customer, i.channel);
        let ticket = match i.ticket {
            Some(t) => t,
            None => match self.ticket_for(now, &tenant, customer, id, channel, wish.title.clone(), out) {
                Some(t) => t,
                None => return,
            },
        };
        let by = || ticket::Actor::Bot;
        if !wish.title.is_empty() {
            self.ticket_change(now, &tenant, ticket, by(), ticket::Change::Titled { title: wish.title }, out);
        }
        self.ticket_change(now, &tenant, ticket, by(), ticket::Change::Queued { queue: Some(wish.queue) }, out);
        if wish.sla.is_some() {
            self.ticket_change(now, &tenant, ticket, by(), ticket::Change::Promised { sla: wish.sla }, out);
        }
        let text = if words.is_empty() { "A message was left.".to_owned() } else { words };
        self.ticket_change(
            now,
            &tenant,
            ticket,
            ticket::Actor::Customer,
            ticket::Change::CustomerWrote { text, message: None },
            out,
        );
    }
}
