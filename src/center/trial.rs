//! A test call: a trunk is tried by calling a number with it, and what came of it is read like any call's.
//!
//! ```text
//! TrunkCall ─▶ the number is rung by this trunk, no route asked, no other trunk instead ─▶ answered: tones, then hung up
//! ```
//! It is a contact without agent, queue and ticket, so that ladder, quality and the reason why it failed are where they always
//! are. The guard against toll fraud decides on it as on every call out.
//!
//! Tests: `sim::tests::trunks`.

use media::wire::{LegId, Repeat};

use super::{
    Center, Output,
    arrive::Opening,
    command::{Actor, Done, Refusal},
    fact::{EndedBy, Way},
    interaction::{Playing, Voice},
    trunks::Behalf,
};
use crate::{
    base::{Channel, InteractionId, Now, TenantId, TrunkId, ms},
    call::{Action, Cause, Prompt},
};

/// Tones whoever answers hears, a second each, so that an ear or a meter can judge the way there: 400, 1004 and 2804 Hz are what
/// carriers measure lines with.
const TONES_HZ: [u16; 3] = [1_004, 400, 2_804];

impl Center {
    /// Calls a number by one trunk.
    pub(super) fn trial(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: &Actor,
        trunk: &TrunkId,
        number: &str,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let settings = self.tenants.get(tenant).map(|t| t.settings.clone()).ok_or_else(|| Refusal::not_found("this tenant"))?;
        if !settings.config.trunks.contains_key(trunk) {
            return Err(Refusal::not_found(format!("trunk {trunk}")));
        }
        let to = settings.config.number(number);
        let source = format!("test:{trunk}");
        let whose = Behalf { agent: by.agent(), source: &source, diverted: None, interaction: None };
        self.may_call_by(now, &settings, whose, trunk, &to, out)?;
        let customer = self.customer_by_number(now, tenant, &to, None, out);
        let id = InteractionId::new(now, &mut self.rng);
        let (tenant, way, from) = (tenant.clone(), Way::Outbound, to.clone());
        let (channel, ticket, verdict) = (Channel::Voice, None, None);
        let opening = Opening { tenant, channel, way, to: to.clone(), from, customer, ticket, verdict, visitor: None };
        self.open(now, id, opening, &settings, out);
        let i = self.interactions.get_mut(&id).expect("it was opened on the line above");
        i.voice = Some(Voice { trial: true, ..Voice::default() });
        match self.permit_by(now, &settings, Behalf { interaction: Some(id), ..whose }, trunk, &to, out) {
            Ok(permit) => self.ring_customer(now, id, permit, out),
            Err(refusal) => {
                self.close(now, id, Cause::NotAllowed, EndedBy::System, out);
                return Err(refusal);
            }
        }
        Ok(Done::Interaction { interaction: id })
    }

    /// The customer's leg of a contact nobody talks in has answered: of a test call it hears its tones.
    pub(super) fn trial_answered(&mut self, id: InteractionId, leg: LegId) {
        let play = self.play_id();
        let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()).filter(|v| v.trial) else { return };
        v.play = Some((play, Playing::Message));
        let tones = TONES_HZ.iter().flat_map(|&hz| [Prompt::Silence(ms(500)), Prompt::Tone { hz, ms: 1_000 }]);
        self.call(Action::Play { leg, play, prompts: tones.collect(), repeat: Repeat::Once });
    }
}
