//! The roof: settings of the process, the wiring of the edges, the loop, recovery, and the command line.
//!
//! | file | subject |
//! |---|---|
//! | `cli` | arguments and what each command prints |
//! | `config` | `ringdesk.toml`, environment, flags: one layered set of process settings |
//! | `clock` | the only place that reads the system's clocks |
//! | `driver` | the loop: inputs in, outputs to the edges; the only caller of `Center::handle` |
//! | `front` | the center's door as edges hold it |
//! | `business` | the business configuration: compiled, applied, watched |
//! | `flows` | flow files and what `ringdesk flow` does with them |
//! | `ask` | outside HTTP questions of flows |
//! | `carrier` | the courier of webhooks, with what it needs |
//! | `vouch` | who vouches for callers, looked at beside the loop |
//! | `streams` | live copies of calls, by WebSocket to programs outside |
//! | `ears` | calls listened to: utterances cut and recognised |
//! | `keeper` | contents of files no message names |
//! | `retention` | what is older than it is kept |
//! | `people` | logins made from the command line |
//! | `demo` | a shop to try everything with, credentials made on the spot |
//! | `metrics` | the text of `/metrics` |
//! | `reports` | reports that come by themselves |
//! | `serve` | all of it put together |

pub mod cli;

mod ask;
mod business;
mod carrier;
mod clock;
mod config;
mod demo;
mod driver;
mod ears;
mod flows;
mod front;
mod keeper;
mod ladder;
mod metrics;
mod people;
mod recall;
mod reports;
mod retention;
mod secure;
mod serve;
mod streams;
mod vouch;
mod why;

pub use config::Config;
pub use demo::DemoCredentials;
pub use serve::{Running, start};
