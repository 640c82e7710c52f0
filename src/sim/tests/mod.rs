//! The scenarios: a day in a contact center each, in the words of the people in it.

mod callback;
mod calls;
mod chats;
mod consult;
mod crashes;
mod early;
mod ears;
mod endpoint;
mod floor;
mod handing;
mod handing_by_phone;
mod ladder;
mod lamps;
mod logged_in;
mod overload;
mod random;
mod reattach;
mod recall;
mod sent_on;
mod shop;
mod sound;
mod streams;
mod taken_away;
mod toll;
mod trunks;
mod vouched;
