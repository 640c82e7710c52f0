//! Who it is: one person, several identities.
