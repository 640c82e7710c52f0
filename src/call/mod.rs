//! Legs: one party's attachment each, a dialog and a media port behind one handle.
//!
//! [`Calls`] hides SIP, offer/answer and the handshake with the media engine; the center works on legs only. Why legs belong
//! together, who rings whom and what is played is decided upstairs.
//!
//! ```text
//! incoming   Arrived ──Answer──▶ opening ──Opened──▶ answering ──ACK──▶ up ──▶ closing ──▶ Ended
//!               └────EarlyMedia──▶ opening ──183──▶ early ──Answer──▶ answering
//! outgoing   Ring ──▶ opening ──Opened──▶ ringing ──2xx──▶ up ──▶ closing ──▶ Ended
//! ```
//! Whatever happens when, [`Event::Ended`] comes exactly once for every leg, after its media port is free again.
//!
//! | file | subject |
//! |---|---|
//! | `api` | what legs may be told and what they say |
//! | `cause` | one table of reasons: ours, SIP, Q.850 |
//! | `route` | number patterns and where they lead |
//! | `calls` | the machine: inputs, dispatch, the end of a leg |
//! | `incoming`, `outgoing` | how a leg comes up |
//! | `midcall` | re-offers, hold |
//! | `digits` | keys sent, as events, tones or in INFO |
//! | `policy` | what is spoken with whom: codecs, encryption, digits |
//! | `lamps` | the calls of a user, for whoever watches |
//! | `redirect` | calls sent on by a 3xx |
//! | `refer` | handing on by signalling: a phone asks us, we ask a carrier |
//! | `trunk` | carriers: registration, health, groups, limits |
//! | `ladder` | the messages of a leg, for whoever asks later |
//! | `quality` | how legs sounded, and whether anything is heard of them |
//! | `spans` | the same as a course over time |

pub mod cause;
pub mod route;
pub mod trunk;

mod api;
mod calls;
mod digits;
mod incoming;
mod ladder;
mod lamps;
mod midcall;
mod outgoing;
mod policy;
mod quality;
mod redirect;
mod refer;
mod spans;
#[cfg(test)]
mod tests;

pub use api::{
    Action, Arrival, By, CallSettings, Endpoint, Event, Input, LegSnapshot, MediaAddrs, Output, Party, Place, Prompt,
    TrunkTarget,
};
pub use calls::Calls;
pub use cause::Cause;
pub use media::wire::LegId;
pub use policy::{CODECS, Dtmf, MediaPolicy, PhonePolicies};
pub use quality::{Figures, Handshake, Histogram, Quality};
pub use spans::{Span, Spans};
