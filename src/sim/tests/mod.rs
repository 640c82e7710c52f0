//! The scenarios: a day in a contact center each, in the words of the people in it.

mod calls;
mod chats;
mod crashes;
mod early;
mod handing;
mod handing_by_phone;
mod random;
mod shop;
mod sound;
mod streams;
