//! ringdesk: a contact center in one program.
//!
//! # The floor plan
//!
//! Imports go downwards only, and rooms on one floor do not know each other (`call` and `center` are listed in order: the
//! center stands on the calls). `tests/it/tidy.rs` reads this table and holds the imports against it.
//!
//! | floor | room | what lives there |
//! |---|---|---|
//! | 0 ground | `base` | ids, time as a value, deadlines, seeded chance, named limits, redaction, numbers |
//! | 1 machines | `sip` | messages, the four transactions, dialogs, digest, registrar, the stack |
//! | 1 machines | `sdp` | session descriptions, offer and answer |
//! | 1 machines | `ivr` | the flow language: parse, check, run, test |
//! | 1 machines | `routing` | queues, agents, skills, offers, hours, service level, the decision record |
//! | 1 machines | `text` | conversations: order, receipts, redelivery, idle timers |
//! | 1 machines | `ticket` | tickets, their journal, SLA clocks |
//! | 1 machines | `customer` | who it is: identities across channels |
//! | 1 machines | `webhook` | what programs outside are told: signed, in order, again |
//! | 2 meeting | `call` | legs, bridges, trunks, routes, recording, causes |
//! | 3 center | `center` | interactions; commands in, facts and views out; replay |
//! | 4 edges | `net` | SIP over UDP, TCP, TLS and WebSocket |
//! | 4 edges | `studio` | the desk in front of the media engine: files, speech, clips |
//! | 4 edges | `store` | the journal and its projections in SQLite or PostgreSQL |
//! | 4 edges | `vault` | files people send each other, by content |
//! | 4 edges | `speech` | text to speech, and speech to words |
//! | 5 doors | `channels` | outside messages to text and back: web chat |
//! | 5 doors | `api` | REST, events, auth, pages |
//! | 5 doors | `courier` | facts carried to webhooks |
//! | 6 roof | `app` | settings, wiring, the loop, recovery, command line |
//! | 7 shed | `sim` | the whole center in virtual time |
//!
//! Floors 0 to 3 are sans-I/O: they build with `--no-default-features`, where no socket, clock, thread or database exists.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod base;

pub mod customer;
pub mod ivr;
pub mod routing;
pub mod sdp;
pub mod sip;
pub mod text;
pub mod ticket;
pub mod webhook;

pub mod call;

pub mod center;

#[cfg(feature = "server")]
pub mod api;
#[cfg(feature = "server")]
pub mod channels;
#[cfg(feature = "server")]
pub mod courier;
#[cfg(feature = "server")]
pub mod net;
#[cfg(feature = "server")]
pub mod speech;
#[cfg(feature = "server")]
pub mod store;
#[cfg(feature = "server")]
pub mod studio;
#[cfg(feature = "server")]
pub mod vault;

#[cfg(feature = "server")]
pub mod app;

pub mod sim;
