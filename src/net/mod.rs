//! SIP over sockets.
