//! The scenarios: a day in a contact center each, in the words of the people in it.

mod calls;
mod chats;
mod consult;
mod crashes;
mod early;
mod floor;
mod handing;
mod handing_by_phone;
mod overload;
mod random;
mod reattach;
mod shop;
mod sound;
mod streams;
mod trunks;
