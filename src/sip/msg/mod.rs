//! SIP messages: parse, read, write.
