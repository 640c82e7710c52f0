"""Nobody picks up: the next agent is rung and the caller keeps the place. Nobody is there, the queue is full, the wait is too long: the
caller leaves a message, which is on a ticket before the line is cold."""

import time

from harness import BEEP, LOUD, PROMPTS, TONES, VOICES, Phone, Sipp, check, names, near, until
import sound

RING_S = 5


def tell(world):
    server = world.server()
    anna, ben = Phone(server, "anna"), Phone(server, "ben")
    rings_out(server, world, anna, ben)
    messages(server, world)
    server.wait_empty()


def rings_out(server, world, anna, ben):
    server.ready("anna")
    server.ready("ben")
    caller = Phone(server, "+15550004001", voice="caller", registers=False)
    caller.dial("4200")
    began = time.monotonic()
    anna.wait("CALL_INCOMING")
    call = until("the call", lambda: server.contact_of(caller.user))["id"]
    check(not ben.saw("CALL_INCOMING"), "both phones rang")
    anna.wait("CALL_CLOSED", RING_S + 3)
    near(time.monotonic() - began, RING_S, 1.0, "Anna's phone rang for, s")
    ben.accept()
    state = server.wait_state("anna", "not_ready")
    check(state["reason"] == "no_answer", f"Anna is not ready because of {state['reason']}")
    server.wait_contact(caller.user, "talking")
    facts = server.timeline(call)
    queued = [f["entry"]["since"] for f in facts if f["fact"] == "queued"]
    opened = next(f["at"] for f in facts if f["fact"] == "interaction_opened")
    check(len(set(queued)) == 1, f"the age was not kept: {queued}")
    offers = [(f["agent"], f["why"]) for f in facts if f["fact"] == "offer_ended"]
    check(offers == [("anna", "no_answer"), ("ben", "accepted")], f"offers: {offers}")
    waited = next(f["waited_ms"] for f in facts if f["fact"] == "unqueued")
    check(waited >= RING_S * 1000, f"waited {waited} ms: the time Anna's phone rang is missing")
    caller.hang_up()
    ben.wait("CALL_CLOSED")
    server.wait_fact(call, "wrap_up", agent="ben")
    world.note(f"arrived {opened[17:23]}, anna rang {RING_S} s, ben talked after {waited / 1000:.1f} s")


def messages(server, world):
    """Three callers at once: a team that is not there, a wait that is too long, a queue that is full."""
    first = Sipp(server, "caller", "4000", caller="+15550004010", key="5", stays_ms=8_000) if Sipp.RAW else None
    voices = ("caller", "second", "third")
    callers = [Phone(server, f"+1555000402{n}", voice=v, registers=False) for n, v in enumerate(voices)]
    if first:
        server.wait_contact("+15550004010", "waiting")
    for caller, key in zip(callers, ("4", "3", "5" if first else "4")):
        caller.dial("4000")
        id = until("the call", lambda c=caller: server.contact_of(c.user))["id"]
        server.wait_fact(id, "flow_entered", node="office/menu")
        caller.key(key)
    calls = [server.wait_contact(c.user, "voicemail", 12)["id"] for c in callers]
    time.sleep(2.2)  # the message
    callers[0].hang_up()
    for caller in callers[1:]:
        since = caller.mark()
        caller.key("#")
        caller.wait("CALL_CLOSED", since=since)
    if first:
        first.end()

    for caller, call, voice, why in zip(callers, calls, voices, ("no_agents", "timeout", "full" if first else "no_agents")):
        heard = caller.heard()
        heard = sound.listen(heard.channels[0], TONES, heard.rate)
        tones = sound.order(heard)
        for name in ("greeting", "menu", "all_busy", "leave_message"):
            check(PROMPTS[name][0] in tones, f"{caller.user} did not hear {name}: {names(tones)}")
        beep = tones.index(BEEP) if BEEP in tones else -1
        check(beep > 0 and tones[beep - 1] == PROMPTS["leave_message"][0], f"{caller.user}: no beep after the prompt: {names(tones)}")
        if caller is not callers[0]:
            check(tones[-1] == PROMPTS["thanks"][0], f"{caller.user} was not thanked: {names(tones)}")
        left = server.wait_fact(call, "voicemail_left")
        check(left["ms"] >= 1500, f"a message of {left['ms']} ms")
        kinds = server.timeline(call)
        check(why in str([f for f in kinds if f["fact"] in ("unqueued", "counted", "flow_entered")]) or why == "no_agents", f"{why}: {kinds}")
        kept = server.recording(call)
        spoken = sound.level_of(kept.channels[0], VOICES[voice], kept.rate)
        near(spoken, LOUD, 1.0, "the message, dBFS")
        record = until("the record", lambda c=call: server.record(c)["record"])
        ticket = server.api.get(f"/api/v1/tickets/{record['ticket']}")
        text = str(ticket)
        check("'queue': 'desk'" in text, f"the ticket is not in the desk's queue: {text[:400]}")
        check(f"Message {caller.user}" in text, f"the ticket's title: {text[:400]}")
    world.note(f"3 messages of {', '.join(str(server.wait_fact(c, 'voicemail_left')['ms']) for c in calls)} ms, beep heard, tickets in desk")
