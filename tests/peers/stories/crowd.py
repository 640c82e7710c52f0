"""More callers than there are ports: who does not fit is told so at once and politely, who fits is served, and afterwards all is free."""

from harness import Sipp, check, until

CALLERS, PAIRS = 12, 5


def tell(world):
    server = world.server(rtp=2 * PAIRS)
    callers = Sipp(server, "caller", "4200", stays_ms=2500, calls=CALLERS, rate=20, crowd=True)
    until("the house is full", lambda: server.metrics()["ringdesk_media_port_pairs_free"] == 0)
    status, health = server.api.raw("GET", "/healthz")
    check(status == 503, f"health says {status} while no port is free: {health[:200]}")
    callers.end()
    server.wait_empty()
    records = server.history()
    kinds = {r["id"]: server.kinds(r["id"]) for r in records}
    served = [r for r in records if "queued" in kinds[r["id"]]]
    check(PAIRS <= len(served) < CALLERS, f"{len(served)} of {CALLERS} were served by {PAIRS} port pairs")
    turned = [f for r in records if r not in served for f in server.timeline(r["id"]) if f["fact"] == "interaction_closed"]
    check(all(f["cause"] == "congestion" for f in turned), f"{turned}")
    check(all(r.get("closed_at") for r in records), "a record is open still")
    # And the next one is served as ever.
    Sipp(server, "caller", "4100", end="stay").end()
    server.wait_empty()
    world.note(f"{len(served)} of {CALLERS} served by {PAIRS} port pairs, {len(records)} on record, the others turned away with 503")
