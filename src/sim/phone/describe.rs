//! How a phone describes its side of a session.

use std::net::SocketAddr;

use media::wire::Direction;

use super::Phone;
use crate::sdp::{self, LocalMedia, Offering, Session, Srtp, Web};

impl Phone {
    pub(super) fn local(&self, rtp: SocketAddr, version: u64) -> LocalMedia<'_> {
        LocalMedia {
            addr: self.inside.unwrap_or(rtp.ip()),
            rtp_port: rtp.port(),
            session_id: u64::from(rtp.port()),
            version,
            codecs: &self.codecs,
            dtmf: true,
            comfort_noise: true,
            ptime_ms: 20,
            direction: Direction::SendRecv,
            srtp: if self.speaks == Offering::Sdes { Srtp::Required } else { Srtp::Optional },
            keys: if self.speaks == Offering::Plain { &[] } else { &self.keys },
            ice: (self.speaks == Offering::Web).then_some(&self.ice),
            web: (self.speaks == Offering::Web).then_some(Web { fingerprint: self.fingerprint, role: None }),
        }
    }

    /// What we write is what a lite agent says; a browser is a full one: it has credentials in every description of its own.
    pub(super) fn as_browser(&self, rtp: SocketAddr, mut ours: Session) -> Session {
        if self.speaks == Offering::Web {
            ours.ice_lite = false;
            for m in ours.media.iter_mut().filter(|m| m.port != 0) {
                m.transport.ice = Some(self.ice.clone());
                m.candidates = vec![sdp::Candidate { kind: "host".into(), priority: 1, addr: rtp }];
                m.rtcp_mux = true;
            }
        }
        ours
    }
}
