"""The stories, in the order in which they start: the long ones first, so that all end together."""

from . import by_sipp, first_call, hang_ups, load

ALL = [
    ("two calls of one customer, from the greeting to the ticket", first_call.tell),
    ("a caller by sipp, over UDP and TCP", by_sipp.tell),
    ("callers who leave at any moment", hang_ups.tell),
    ("a hundred calls, twenty a second", load.tell),
]
