"""Phones with lamps: a colleague's calls, messages that wait; and what a desk phone does with a call it is given.
The phones are sipp and baresip."""

import time

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


def by_baresip(world):
    """The lamp of messages that wait: dark, and lit by the message of a caller nobody was there for."""
    server = world.server()
    Phone(server, "ben", modules=("mwi",))

    def told():
        with open(world.log("phone-ben"), errors="replace") as f:
            return f.read().split("MWI for")[-1]

    until("no message waits", lambda: "Messages-Waiting: no" in told())
    writer = Phone(server, "+15550007402", voice="second", registers=False)
    writer.dial("4000")
    call = until("the call", lambda: server.contact_of(writer.user))["id"]
    server.wait_fact(call, "flow_entered", node="office/menu")
    # A team that is not there: a message is asked for.
    writer.key("4")
    server.wait_contact(writer.user, "voicemail", 12)
    time.sleep(2.2)  # the message
    since = writer.mark()
    writer.key("#")
    writer.wait("CALL_CLOSED", since=since)
    until("the lamp is lit", lambda: "Messages-Waiting: yes" in told() and "Voice-Message: 1/0" in told())
    server.wait_empty()


def presence_by_baresip(world):
    """What a phone shows of a colleague: gone, there, in a call, there, in a break, there, without a phone."""
    server = world.server()
    anna = Phone(server, "anna")
    ben = Phone(server, "ben", modules=("contact", "presence"), contacts=("anna",))

    def shown(word):
        until(f"Anna is shown as {word}", lambda: f" {word} anna " in " ".join(ben.ask("contacts").split()))

    until("he asks about her", lambda: server.metrics()["ringdesk_sip_subscriptions"] == 1)
    shown("Offline")
    server.ready("anna")
    shown("Online")
    caller = Phone(server, "+15550007501", voice="caller", registers=False)
    since = anna.mark()
    caller.tell("dial", f"sip:4201@{server.address};transport=udp")
    anna.wait("CALL_INCOMING", since=since)
    shown("Busy")
    anna.accept(since)
    caller.hang_up()
    shown("Online")
    # Who is there and not to be had is Offline in its words.
    server.api.ask("PUT", "/api/v1/agents/anna/state", {"state": "not_ready", "reason": "break"})
    shown("Offline")
    server.ready("anna")
    shown("Online")
    anna.stop()
    shown("Offline")
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
