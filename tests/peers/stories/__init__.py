"""The stories, in the order in which they start: the long ones first, so that all end together."""

from . import (
    at_a_mobile, by_name, by_sipp, called_back, carrier, crowd, dialling_out, families, first_call, full_disk, handing_over, hang_ups, lamps, live_copy, load,
    logged_in, no_answer, no_database, restart, sealed, seeing, spoken, strangers, too_many, torture,
)

ALL = [
    ("torture messages over UDP", torture.over_udp),
    ("torture messages over TCP", torture.over_tcp),
    ("two calls of one customer, from the greeting to the ticket", first_call.tell),
    ("no answer, nobody there, too many: the next agent or a message", no_answer.tell),
    ("one call through many hands", handing_over.tell),
    ("calls to the outside", dialling_out.tell),
    ("an agent at a mobile, who presses 1", at_a_mobile.tell),
    ("a caller who is called back", called_back.tell),
    ("a carrier found by its name", by_name.tell),
    ("Kamailio as the carrier: registered, both ways, and one of two dies", carrier.tell),
    ("a caller by sipp, over UDP and TCP", by_sipp.tell),
    ("session timer, hold and REFER by sipp, over UDP and TCP", by_sipp.midcall),
    ("an exchange that logs in, by sipp: called where it has registered, and calling by its password", logged_in.tell),
    ("lamps by sipp, over UDP and TCP", lamps.by_sipp),
    ("the lamp of waiting messages by baresip", lamps.by_baresip),
    ("the presence of a colleague by baresip", lamps.presence_by_baresip),
    ("IPv6 beside IPv4 by baresip and sipp", families.tell),
    ("100rel both ways and a REFER that is taken, by sipp", lamps.handed_on),
    ("the database is away in the middle of calls", no_database.tell),
    ("the power goes in the middle of calls", restart.tell),
    ("sealed: TLS, keys in the signalling, keys by a handshake", sealed.tell),
    ("a caller says where to go, and the talk is written down", spoken.tell),
    ("a call is seen afterwards: every message, and why nobody was heard", seeing.tell),
    ("a call is copied while it is spoken", live_copy.tell),
    ("strangers", strangers.tell),
    ("strangers with a stopwatch", strangers.with_a_stopwatch),
    ("the disk is full", full_disk.tell),
    ("callers who leave at any moment", hang_ups.tell),
    ("more callers than ports", crowd.tell),
    ("a hundred calls, twenty a second", load.tell),
    # Last: it takes the processors for itself.
    ("more callers than the loop can carry", too_many.tell),
]
