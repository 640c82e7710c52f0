//! The whole center in virtual time, from one seed: phones that are real user agents, agents, visitors, a network, a fake
//! engine that keeps the books, a store that loses what it has not written. A scenario that takes a day takes a millisecond.
//!
//! ```text
//! let mut w = World::new(1);
//! let anna = w.agent("anna").ready();
//! let caller = w.phone("+3265551234").dials("4001");
//! w.until(|w| w.rings(anna));
//! w.answers(anna);
//! w.until(|w| w.hear_each_other(caller, anna));
//! ```
//!
//! | file | subject |
//! |---|---|
//! | `world` | time, and what happens next |
//! | `people` | what agents, callers and visitors do |
//! | `look` | what can be seen: who hears whom, stories, tickets |
//! | `phone` | a telephone |
//! | `net` | the network |
//! | `media` | the engine's stand-in |
//! | `ears` | who is listened to, and what is understood |
//! | `store` | the journal, and how it crashes |
//! | `tape` | what the center was given, given again |
//! | `business` | the configuration and the flow |
//! | `invariants` | what must hold after every step |
//! | `walk` | people who do anything at any time |

pub mod business;
pub mod ears;
pub mod invariants;
pub mod look;
pub mod media;
pub mod net;
mod pace;
pub mod people;
pub mod phone;
pub mod store;
pub mod tape;
pub mod walk;
pub mod world;

#[cfg(test)]
mod tests;

pub use net::Net;
pub use people::{Guest, Who};
pub use phone::{Manner, Stage, Takes, Watching};
pub use world::World;
