//! The flow language: what a caller or a visitor meets before (and instead of) a person.
//!
//! A flow is a YAML file: a graph of nodes with one verb each. [`Flow::parse`] reads it into types and says line and column of
//! whatever it cannot read; [`check`] proves what can be proved before a customer finds out; [`Run`] executes it, one caller a
//! run, as a pure machine; [`test`] plays the stories written in the file against the same machine; [`graph`] draws it.
//!
//! ```text
//! text ─parse─▶ Flow ─check─▶ findings
//!                └─start─▶ Run: Input ─▶ handle ─▶ Output   (say, ask, enqueue, ..: `center` does them)
//! ```
//!
//! Who plays prompts, recognises words, routes, records and makes tickets is upstairs, in `center`; opening hours are asked of
//! whoever implements [`Hours`]. The language itself is described in `ivr-flows/README.md`.

pub mod check;
mod edges;

pub mod expr;
pub mod flow;
mod graph;
pub mod machine;
mod parse;
pub mod template;
pub mod test;
mod yaml;

pub use check::{CalendarInfo, Catalog, Finding, PromptInfo, Severity, check};
pub use expr::Value;
pub use flow::Flow;
pub use graph::graph;
pub use machine::{
    Answer, AskId, Callback, CallbackResult, End, Enqueue, Env, Hours, HoursState, HttpAsk, HttpError, HttpResult, Input,
    Library, Method, Output, Prompt, QueueResult, Record, ResumeError, Run, RunState, SayReason, TicketRequest, TransferResult,
    TransferTo,
};
pub use parse::{FlowError, ParseErrors};
pub use yaml::Pos;
