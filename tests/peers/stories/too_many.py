"""Far more calls than the loop can carry: some are turned away with 503, the call in progress does not notice, and then all is as before."""

from harness import Phone, Sipp, check, until

CALLS, RATE = 3000, 1000


def tell(world):
    # All of it comes from one address, which is one too many for the gate.
    server = world.server(rtp=400, settings="[sip]\nrequests_per_s = 0\n")
    anna = Phone(server, "anna")
    server.ready("anna")
    since = anna.mark()
    talker = Sipp(server, "caller", "4200", caller="+15550004001", stays_ms=45_000)
    anna.accept(since)
    talking = server.wait_contact("+15550004001", "talking")

    crowd = Sipp(server, "caller", "4100", caller="+15550004002", end="stay", calls=CALLS, rate=RATE, crowd=True)
    until("callers are turned away", lambda: server.metrics()["ringdesk_overload_shed_total"] > 0, 30)
    crowd.end(90)
    m = server.metrics()
    check(talker.process.running(), "the call in progress was lost")
    check(not [f for f in server.timeline(talking["id"]) if f["fact"] == "interaction_closed"], "the call in progress was ended")

    until("everybody is let in again", lambda: server.metrics()["ringdesk_overload_shed_permille"] == 0, 30)
    health = server.api.get("/healthz")
    loop = next(c for c in health["components"] if c["name"] == "loop")
    check("every new call is taken" in loop["detail"], f"health says {loop}")
    Sipp(server, "caller", "4100", caller="+15550004003", end="stay").end()
    talker.end(60)
    anna.wait("CALL_CLOSED", since=since)
    server.wait_empty()
    world.note(
        f"{CALLS} calls, {RATE} a second: {m['ringdesk_overload_shed_total']:.0f} answers of 503 by load, "
        f"slowest round {m['ringdesk_loop_round_max_us'] / 1000:.0f} ms"
    )
