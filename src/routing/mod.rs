//! Queues, agents, offers.
