//! Conversations in writing: the order of messages, receipts, redelivery after a broken connection, idle visitors.
//!
//! [`Conversation`] is the machine of one text interaction. It does not know which channel carries the words (web page,
//! messenger) nor who should answer; `center` joins agents to it, journals what it asks to store, and hands its events to
//! the edges. What it needs remembered is a list of [`Record`]s: the same records folded give the same conversation.

mod conversation;
pub mod file;
mod io;
mod message;
mod pace;

pub use conversation::Conversation;
pub use io::{Idle, Input, Output, TextError};
pub use message::{ClientId, CloseWhy, Event, Message, Party, Progress, Record, Refusal, Sender, Tab, Tick, clean};
pub use pace::Pace;
