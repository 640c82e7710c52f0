//! The scenarios: a day in a contact center each, in the words of the people in it.

mod calls;
mod chats;
mod crashes;
mod handing;
mod random;
mod shop;
mod sound;
mod streams;
mod trunks;
