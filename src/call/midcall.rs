//! While a leg is up, or has sound already: the peer offers other media, we put it on hold.

use media::wire::{Command, Detect, LegId};

use super::{
    Calls, Cause, Dtmf, LegSnapshot, Output,
    calls::{State, body, reason},
    policy,
};
use crate::{
    base::{Now, TenantId},
    sdp,
    sip::{
        dialog::DialogSnapshot,
        stack::{self, Body, DialogKey},
    },
};

impl Calls {
    /// What the engine listens for: keys as tones from peers that send them no other way, and who has answered if it is asked.
    pub(super) fn detect(&self, leg: LegId, answerer: bool, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get(&leg) else { return };
        let tones = match l.policy.dtmf {
            Dtmf::Rfc4733 => l.agreed.as_ref().is_some_and(|r| r.dtmf_pt.is_none()),
            Dtmf::Info => false,
            Dtmf::Inband => true,
        };
        if tones || answerer {
            out.push(Output::Media(Command::Detect { leg, detect: Detect { tones, answerer, ..Detect::default() } }));
        }
    }

    /// Ends a dialog of an earlier life of this process. A carrier is found as it is called now: over TLS it has to show its
    /// name, and it may ask who we are.
    pub fn bye_restored(
        &mut self,
        now: Now,
        tenant: &TenantId,
        dialog: DialogSnapshot,
        media: &LegSnapshot,
        cause: Cause,
        out: &mut Vec<Output>,
    ) {
        let trunk = media.trunk.as_ref().and_then(|t| self.settings.trunks.get(&(tenant.clone(), t.clone())));
        let (peer, credentials) = trunk.map_or((None, None), |t| (t.peer, t.credentials.clone()));
        let (dialog, headers) = (Box::new(dialog), reason(cause));
        self.sip(now, stack::Action::ByeRestored { dialog, headers, peer, credentials }, out);
    }

    /// The peer offers other media (hold, another address), or asks for our offer.
    pub(super) fn reoffered(&mut self, now: Now, dialog: DialogKey, offer: Option<Body>, out: &mut Vec<Output>) {
        let Some(&leg) = self.dialogs.get(&dialog) else { return };
        // Of several phones that ring only the one that answers has a say in the leg's media.
        let many = |l: &super::calls::Leg| matches!(&l.state, State::Ringing(r) if r.phones.len() > 1);
        if self.legs.get(&leg).is_some_and(many) {
            return self.sip(now, stack::Action::RespondReinvite { dialog, code: 488, body: None }, out);
        }
        let refuse = stack::Action::RespondReinvite { dialog, code: 488, body: None };
        let theirs = match offer.map(|(_, bytes)| sdp::parse(&bytes)).transpose() {
            Ok(theirs) => theirs,
            Err(error) => {
                tracing::info!(%error, "a re-offer we cannot read; the media stay as they were");
                return self.sip(now, refuse, out);
            }
        };
        let before = self.legs.get(&leg).and_then(|l| l.ice.clone());
        let restarted = theirs.as_ref().is_some_and(|t| self.restart(leg, t));
        let Some(local) = self.local_media(leg, theirs.as_ref()) else { return self.sip(now, refuse, out) };
        let local = local.media();
        let last = self.legs.get(&leg).and_then(|l| l.ours.clone());
        let follow = |s: sdp::Session| match &last {
            Some(last) => s.following(last),
            None => s,
        };
        let ours = match (theirs, &last) {
            (None, Some(last)) => sdp::reoffer(last, &local),
            (None, None) => return self.sip(now, refuse, out),
            (Some(theirs), _) => {
                let nat = self.nat(leg, &theirs);
                match sdp::answer(&theirs, &local, nat) {
                    Ok((ours, agreed)) => {
                        if let Some(ice) = self.legs.get(&leg).and_then(|l| l.ice.clone()).filter(|_| restarted) {
                            out.push(Output::Media(Command::Credentials { leg, ice }));
                        }
                        self.early(leg, dialog, agreed.clone(), out);
                        self.agree(leg, agreed, out);
                        follow(ours)
                    }
                    Err(rejected) => {
                        tracing::info!(why = rejected.why, "a re-offer we cannot take; the media stay as they were");
                        if let Some(l) = self.legs.get_mut(&leg) {
                            l.ice = before;
                        }
                        return self.sip(now, refuse, out);
                    }
                }
            }
        };
        if let Some(l) = self.legs.get_mut(&leg) {
            l.ours = Some(ours.clone());
        }
        self.sip(now, stack::Action::RespondReinvite { dialog, code: 200, body: Some(body(&ours)) }, out);
        if self.legs.get(&leg).is_some_and(|l| matches!(l.state, State::Up)) {
            self.tell_dialog(leg, out);
        }
    }

    /// A peer that comes with other credentials than before restarts ICE; then ours change, too (RFC 8445 section 9).
    fn restart(&mut self, leg: LegId, theirs: &sdp::Session) -> bool {
        let Some(l) = self.legs.get_mut(&leg) else { return false };
        let was = l.agreed.as_ref().and_then(|r| r.ice.as_ref());
        let restarts = was.zip(theirs.checks()).is_some_and(|(was, now)| was.ufrag != now.ufrag || was.pwd != now.pwd);
        if restarts {
            l.ice = Some(policy::credentials(&mut self.rng));
        }
        restarts
    }

    /// Puts the peer on hold by signalling, or takes it back. While an offer is out the wish waits for its answer.
    pub(super) fn hold(&mut self, now: Now, leg: LegId, on: bool, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get_mut(&leg).filter(|l| matches!(l.state, State::Up) && l.hold != on) else { return };
        l.hold = on;
        if l.offered.is_none() {
            self.offer_hold(now, leg, out);
        }
    }

    fn offer_hold(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        let Some(local) = self.local_media(leg, None) else { return };
        let Some(l) = self.legs.get_mut(&leg) else { return };
        let (Some(dialog), Some(last)) = (l.dialog, &l.ours) else { return };
        let offer = sdp::reoffer(last, &local.media());
        l.offered = Some((offer.clone(), l.hold));
        self.sip(now, stack::Action::Reinvite { dialog, body: body(&offer) }, out);
    }

    /// The peer keeps the media as they were; so does the hold.
    pub(super) fn rerefused(&mut self, dialog: DialogKey, code: u16) {
        let Some(l) = self.dialogs.get(&dialog).and_then(|leg| self.legs.get_mut(leg)) else { return };
        tracing::info!(?dialog, code, "the peer keeps the media as they were");
        if let Some((_, hold)) = l.offered.take() {
            l.hold = !hold;
        }
    }

    pub(super) fn reanswered(&mut self, now: Now, dialog: DialogKey, answer: Option<Body>, out: &mut Vec<Output>) {
        let Some(&leg) = self.dialogs.get(&dialog) else { return };
        let Some(l) = self.legs.get_mut(&leg) else { return };
        // Nothing of ours was offered: the session timer said once more what stands, and the peer may have moved.
        let refresh = l.ours.clone().map(|ours| (ours, l.hold));
        let Some((ours, hold)) = l.offered.take().or(refresh) else { return };
        let theirs = answer.as_ref().and_then(|(_, b)| sdp::parse(b).ok());
        if let Some(theirs) = theirs {
            let nat = self.nat(leg, &theirs);
            if let Ok(agreed) = sdp::agreed(&ours, &theirs, nat) {
                self.agree(leg, agreed, out);
            }
        }
        let Some(l) = self.legs.get_mut(&leg) else { return };
        l.ours = Some(ours);
        let again = l.hold != hold;
        self.tell_dialog(leg, out);
        if again {
            // Somebody changed their mind while the offer was out.
            self.offer_hold(now, leg, out);
        }
    }
}
