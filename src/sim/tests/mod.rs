//! The scenarios: a day in a contact center each, in the words of the people in it.

mod calls;
mod random;
