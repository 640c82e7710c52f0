//! The routing core: which waiting interaction goes to which agent, when, and why. Calls and chats alike.
//!
//! One [`Router`] per tenant, single writer, sans-I/O: `handle(now, input, &mut out)` and `deadline()`. It knows interactions
//! and agents by id only; how an agent is rung, what the caller hears and where facts are kept is decided upstairs.
//!
//! ```text
//!  Enqueue ─▶ waiting ──offer──▶ alerting ──accept──▶ connected ──ended──▶ wrap-up ──done/timeout──▶ over
//!               ▲  │                │
//!               │  │                ├─ decline, no answer, endpoint failed: back, keeping place and age
//!               └──┼────────────────┘
//!                  └─ Withdraw (hung up, callback taken ..) or Exit (timeout, no agents, full)
//! ```
//!
//! | file | subject |
//! |---|---|
//! | `plan` | the business configuration: queues, agents, codes; its checks |
//! | `hours` | calendars: weekly hours, holidays, overrides, emergency |
//! | `contract` | inputs, outputs, refusals, views |
//! | `router` | the machine: state and the one `match` over inputs |
//! | `dispatch` | indexes of waiting and free; who is matched with whom |
//! | `offers` | the life of an offer: a lease with a deadline |
//! | `people` | sign-in, states, wrap-up |
//! | `decision` | the record that answers "why this agent" and can be evaluated again |
//! | `record` | how a decision record is filled |
//! | `metrics` | counters and service levels as pure folds over events |
//! | `report` | figures by interval, queue and agent |
//! | `estimate` | expected waiting time |
//! | `erlang` | the B, C and A formulas |

pub mod contract;
pub mod decision;
pub mod erlang;
pub mod hours;
pub mod metrics;
pub mod plan;
pub mod report;

mod agent;
mod dispatch;
mod estimate;
mod offers;
mod people;
mod record;
mod router;
mod views;

#[cfg(test)]
mod tests;

pub use contract::*;
pub use decision::{Candidate, Decision, Filter, Rival};
pub use estimate::{Confidence, Ewt};
pub use metrics::{ExitKind, MetricEvent, QueueCounts};
pub use plan::{AgentPlan, AgentQueue, Plan, QueuePlan, Strategy};
pub use router::Router;
