"""A hundred callers, twenty a second, each answered, spoken to and bid farewell."""

import time

from harness import Sipp, check, until

CALLS = 100


def tell(world):
    server = world.server(rtp=260)
    before = server.rss_mb()
    began = time.monotonic()
    callers = Sipp(server, "caller", "4100", end="stay", calls=CALLS, rate=20)
    most = 0
    while callers.process.running() and time.monotonic() - began < 60:
        most = max(most, server.metrics()["ringdesk_legs"])
        time.sleep(0.2)  # a look at the gauge now and then
    callers.end()
    took = time.monotonic() - began
    server.wait_empty()
    m = server.metrics()
    rows = until("all are on record", lambda: [r for r in server.history() if r["to"] == "4100"][CALLS - 1 :] and server.history())
    closed = [r for r in rows if r.get("closed_at")]
    check(len(closed) == CALLS, f"{len(closed)} of {CALLS} closed")
    world.note(
        f"{CALLS} calls in {took:.1f} s, {most:.0f} at once, 0 failed; RSS {before:.0f} -> {server.rss_mb():.0f} MB; "
        f"slowest round of the loop {m['ringdesk_loop_round_max_us'] / 1000:.1f} ms, commit {m['ringdesk_journal_commit_max_us'] / 1000:.1f} ms"
    )
