//! Stories about queues and the people at both ends, in virtual time.

mod floor;
mod hours;
mod offers;
mod overflow;
mod people;
mod random;
mod strategies;
mod theory;
