"""A caller may leave at any moment. Whenever it is, nothing is left behind: no leg, no port, no ringing phone."""

from harness import Phone, Sipp, check, until


def tell(world):
    server = world.server()
    anna = Phone(server, "anna")
    server.ready("anna")

    # Before the answer: the agent's own number, which rings.
    since = anna.mark()
    caller = Sipp(server, "cancel", "4201", caller="+15550002001", stays_ms=400)
    anna.wait("CALL_INCOMING", since=since)
    caller.end()
    anna.wait("CALL_CLOSED", since=since)
    gone(server, "+15550002001", "cancelled while it rang")
    server.wait_state("anna", "ready", work=[])

    # In the greeting, then in the menu.
    for number, wait, node in (("+15550002002", 200, "office/greeting"), ("+15550002003", 1300, "office/menu")):
        Sipp(server, "caller", "4000", caller=number, stays_ms=wait).end()
        id = gone(server, number, f"left in {node}")
        left = [f for f in server.timeline(id) if f["fact"] == "flow_event"]
        check(left and left[0]["data"]["at"] == node.split("/")[1], f"the flow says: {left}")

    # In the queue, while nobody is there.
    server.api.ask("PUT", "/api/v1/agents/anna/state", {"state": "not_ready", "reason": "break"})
    server.wait_state("anna", "not_ready")
    caller = Sipp(server, "caller", "4200", caller="+15550002004", stays_ms=1000)
    server.wait_contact("+15550002004", "waiting")
    caller.end()
    id = gone(server, "+15550002004", "left the queue")
    why = [f["why"] for f in server.timeline(id) if f["fact"] == "unqueued"]
    check(why == ["abandoned"], f"left the queue: {why}")
    check(server.api.get("/api/v1/queues")["desk"]["waiting"] == 0, "somebody waits still")

    # While the agent's phone rings.
    server.ready("anna")
    since = anna.mark()
    caller = Sipp(server, "caller", "4200", caller="+15550002005", stays_ms=1000)
    anna.wait("CALL_INCOMING", since=since)
    caller.end()
    anna.wait("CALL_CLOSED", since=since)
    id = gone(server, "+15550002005", "left while the phone rang")
    why = [f["why"] for f in server.timeline(id) if f["fact"] == "offer_ended"]
    check(why == ["caller_left"] or why == ["withdrawn"], f"the offer ended: {why}")
    server.wait_state("anna", "ready", work=[])
    check(len(anna.saw("CALL_ESTABLISHED")) == 0, "a call of nobody was connected")
    m = server.metrics()
    world.note(f"5 ways to leave, {m['ringdesk_media_port_pairs_free']:.0f} of {m['ringdesk_media_port_pairs']:.0f} port pairs free")


def gone(server, number, what):
    """No trace of the call but its record, which is closed once."""
    server.wait_empty()
    until(f"{what}: no live contact", lambda: server.contact_of(number) is None)
    rows = [r for r in server.history() if r["from"] == number]
    check(len(rows) == 1, f"{what}: {len(rows)} records")
    id = rows[0]["id"]
    kinds = server.kinds(id)
    check(kinds.count("interaction_closed") == 1, f"{what}: {kinds}")
    check(kinds.count("leg_opened") == kinds.count("leg_ended"), f"{what}: legs opened and not ended: {kinds}")
    return id
