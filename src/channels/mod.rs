//! Outside messages to text and back. Each channel has its own door and speaks to the center through the same commands.

pub mod webchat;
