"""A phone with a lamp on a colleague, and what a desk phone does with a call it is given. The phones are sipp."""

from harness import PORTS, Phone, Sipp, until


def by_sipp(world):
    """A busy lamp, set on the number of a colleague, while the colleague is rung."""
    server = world.server()
    anna = Phone(server, "anna")
    server.ready("anna")
    secret = server.credentials["sip_passwords"]["ben"]
    for n, transport in enumerate(("u1", "t1")):
        marks = {"@EVENT@": "dialog", "@FIRST@": "terminated", "@THEN@": "early", "@USER@": "ben", "@SECRET@": secret}
        lamp = Sipp(server, "lamp", "4201", transport=transport, marks=marks, auth_uri=f"4201@{server.address}")
        until("the lamp is set", lambda: server.metrics()["ringdesk_sip_subscriptions"] == 1)
        caller = Phone(server, f"+1555000720{n}", voice="caller", registers=False)
        since = anna.mark()
        caller.tell("dial", f"sip:4201@{server.address};transport=udp")
        anna.wait("CALL_INCOMING", since=since)
        lamp.end()
        caller.tell("hangup")
        anna.wait("CALL_CLOSED", since=since)
        until("no lamp is left", lambda: server.metrics()["ringdesk_sip_subscriptions"] == 0)
    server.wait_empty()


def handed_on(world):
    """sipp as a caller that requires 100rel, and as a desk phone that does, and hands the caller on."""
    server = world.server()
    ben = Phone(server, "ben")
    secret = server.credentials["sip_passwords"]["anna"]
    for transport in ("u1", "t1"):
        port = PORTS.one()
        marks = {"@USER@": "anna", "@SECRET@": secret, "@PORT@": str(port), "@TO@": "ben"}
        # A phone is called where its REGISTER came from: both runs have the same port, one after the other.
        Sipp(server, "register", "anna", transport="u1", marks=marks, port=port).end()
        # (By UDP: when two NOTIFYs come in one piece of a stream, sipp cannot take the second.)
        desk = Sipp(server, "desk", "ben", transport="u1", marks=marks, port=port)
        server.ready("anna", "ben")
        since = ben.mark()
        caller = Sipp(server, "reliable", "4201", caller="+15550007301", stays_ms=4000, transport=transport)
        ben.accept(since)
        server.wait_contact("+15550007301", "talking")
        desk.end()
        caller.end()
        ben.wait("CALL_CLOSED", since=since)
        for who in ("anna", "ben"):
            server.wait_state(who, "ready", work=[])
    server.wait_empty()
