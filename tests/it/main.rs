//! The walks: what concerns several rooms at once, and the rules of the house itself.

mod tidy;
