"""Phones with lamps: a colleague's calls, presence, messages that wait; and what a desk phone does with a call it is given."""

from harness import PORTS, Phone, Sipp, check, until


def told(phone, kind, words, since=0):
    """An event of this kind that says so."""
    return any(e["type"] == kind and words in str(e.get("param", "")) for e in phone.events[since:])


def tell(world):
    """baresip: messages by its module mwi, colleagues by its module presence."""
    server = world.server()
    anna = Phone(server, "anna", watches="ben")
    until("no message waits", lambda: told(anna, "MWI_NOTIFY", "Messages-Waiting: no"))
    ben = Phone(server, "ben")

    def shows(word):
        anna.answers.clear()
        anna.tell("contacts")
        return until("the list of contacts", lambda: next((a for a in list(anna.answers) if "ben" in str(a)), None), 5) and any(
            word in str(a) for a in anna.answers)

    until("Ben is seen to be signed out", lambda: shows("Offline"))
    server.ready("ben")
    until("Ben is seen to be there", lambda: shows("Online"))
    caller = Phone(server, "+15550007101", voice="caller", registers=False)
    since = ben.mark()
    caller.dial("4200")
    until("Ben is seen to be on the phone", lambda: shows("Busy"))
    ben.accept(since)
    server.wait_contact(caller.user, "talking")
    check(shows("Busy"), "Ben talks, and is not shown so")
    caller.tell("hangup")
    ben.wait("CALL_CLOSED", since=since)
    server.wait_empty()


def by_sipp(world):
    """sipp as the phone: a busy lamp on a number, and the lamp for messages."""
    server = world.server()
    anna = Phone(server, "anna")
    server.ready("anna")
    secret = server.credentials["sip_passwords"]["ben"]
    for n, transport in enumerate(("u1", "t1")):
        marks = {"@EVENT@": "dialog", "@FIRST@": "terminated", "@THEN@": "early", "@USER@": "ben", "@SECRET@": secret}
        lamp = Sipp(server, "lamp", "4201", transport=transport, marks=marks)
        until("the lamp is set", lambda: server.metrics()["ringdesk_sip_subscriptions"] == 1)
        caller = Phone(server, f"+1555000720{n}", voice="caller", registers=False)
        since = anna.mark()
        caller.dial("4201")
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
        desk = Sipp(server, "desk", "ben", transport=transport, marks=marks, port=port)
        Sipp(server, "register", "anna", transport=transport, marks=marks).end()
        server.ready("anna", "ben")
        since = ben.mark()
        caller = Sipp(server, "reliable", "4201", caller="+15550007301", stays_ms=4000, transport=transport)
        ben.accept(since)
        server.wait_contact("+15550007301", "talking")
        desk.end()
        caller.end()
        ben.wait("CALL_CLOSED", since=since)
        for who in ("anna", "ben"):
            for work in server.agent(who)["work"]:
                server.api.post(f"/api/v1/interactions/{work['interaction']}/wrap-up-done", {"agent": who})
    server.wait_empty()
