"""Two calls of one customer, with real phones at both ends.

The first waits with music, hears its place, reaches Anna when she becomes ready, and is ended by the caller. The second asks for a level
that Ben has not; of the two who have it Chen has been idle longer. Chen hangs up. Both calls join one ticket.
"""

import time

from harness import LOUD, TONES, VOICES, PROMPTS, Phone, check, names, near, until
import sound

CALLER = "+15550001001"
TALK = 3.0


def tell(world):
    server = world.server()
    anna, ben, chen = (Phone(server, who) for who in ("anna", "ben", "chen"))
    caller = Phone(server, CALLER, voice="caller", registers=False)
    first = waits_and_reaches_anna(server, world, caller, anna)
    second = asks_for_a_level_and_reaches_chen(server, world, caller, ben, chen)
    one_ticket(server, first, second)
    server.wait_empty()


def waits_and_reaches_anna(server, world, caller, anna):
    caller.dial("4000")
    call = server.wait_contact(CALLER, "flow")["id"]
    server.wait_fact(call, "flow_entered", node="office/menu")
    caller.key("1")
    waiting = server.wait_contact(CALLER, "waiting")
    check(waiting["queue"] == "desk", f"key 1 leads to {waiting['queue']}")
    check(waiting["position"] == 1, f"position {waiting['position']}")
    time.sleep(3.2)  # long enough in the queue to hear music, the place after two seconds, and music again

    server.ready("anna")
    began = time.monotonic()
    anna.accept()
    world.note(f"anna talking {1000 * (time.monotonic() - began):.0f} ms after she is ready")
    server.wait_contact(CALLER, "talking")
    server.wait_state("anna", "ready", work=["talking"])
    time.sleep(TALK)  # what is said is measured below
    caller.hang_up()
    anna.wait("CALL_CLOSED")

    server.wait_state("anna", "ready", work=["wrap_up"])
    server.api.post(f"/api/v1/interactions/{call}/dispose", {"code": "solved", "note": "all is well", "agent": "anna"})
    server.api.post(f"/api/v1/interactions/{call}/wrap-up-done", {"agent": "anna"})
    server.wait_state("anna", "ready", work=[])

    heard_by_caller(world, caller, "anna", ["greeting", "menu", "connecting", "music", "place", "music"])
    heard_by_agent(world, anna)
    kept(server, world, call, "anna")
    in_order(server, call, [
        "interaction_opened", "flow_started", "queued", "offered", "unqueued", "connected", "recording_started",
        "talk_ended", "wrap_up", "disposed", "wrap_up_over",
    ])
    closed = server.wait_fact(call, "interaction_closed")
    check(closed["by"] == "customer", f"ended by {closed['by']}")
    return call


def asks_for_a_level_and_reaches_chen(server, world, caller, ben, chen):
    # Ben has been idle longest but knows orders at 3 only. Anna, who has 5, came back after Chen.
    server.ready("ben")
    server.ready("chen")
    server.api.ask("PUT", "/api/v1/agents/anna/state", {"state": "not_ready", "reason": "break"})
    server.wait_state("anna", "not_ready")
    server.ready("anna")
    since = chen.mark()
    caller.dial("4000")
    call = server.wait_contact(CALLER, "flow")["id"]
    server.wait_fact(call, "flow_entered", node="office/menu")
    caller.key("2")
    offered = server.wait_fact(call, "offered")
    check(offered["agent"] == "chen", f"offered to {offered['agent']}, not to chen")
    chen.accept(since)
    server.wait_contact(CALLER, "talking")
    time.sleep(TALK)  # what is said is measured below
    at = caller.mark()
    chen.hang_up()
    caller.wait("CALL_CLOSED", since=at)  # after the flow has thanked
    server.wait_fact(call, "wrap_up", agent="chen")
    over = server.wait_fact(call, "wrap_up_over", agent="chen")
    check(over["timed_out"], "the wrap-up of one second did not end by the clock")
    server.wait_state("chen", "ready", work=[])
    check(not ben.saw("CALL_INCOMING"), "Ben's phone rang")

    heard_by_caller(world, caller, "chen", ["greeting", "menu"], after=["thanks"])
    kept(server, world, call, "chen")
    ended = server.wait_fact(call, "talk_ended")
    check(ended["by"] == "agent", f"the talk was ended by {ended['by']}")
    why_chen(server, world, call)
    return call


def why_chen(server, world, call):
    """The record says what spoke for Chen, and what kept each of the others back."""
    decisions = server.api.get(f"/api/v1/interactions/{call}/decisions")["decisions"]
    check(len(decisions) == 1, f"{len(decisions)} decisions")
    decision = decisions[0].get("decision", decisions[0])
    check(decision["agent"] == "chen" and decision["strategy"] == "longest_idle", f"{decision}")
    check(decision["needs"] == [["orders", 4]], f"needs: {decision['needs']}")
    verdicts = {c["agent"]: str(c["verdict"]) for c in decision["candidates"]}
    check(set(verdicts) == {"anna", "ben", "chen"}, f"candidates: {verdicts}")
    check("orders" in verdicts["ben"] and "3" in verdicts["ben"], f"what kept Ben back: {verdicts['ben']}")
    world.note(f"why chen: {decision['tie_break']}")


def heard_by_caller(world, caller, agent, before, after=()):
    sound_heard = caller.heard()
    samples = sound_heard.channels[0]
    heard = sound.listen(samples, TONES, sound_heard.rate)
    tones = sound.order(heard)
    wanted = [PROMPTS[n][0] for n in before] + [VOICES[agent]] + [PROMPTS[n][0] for n in after]
    check(tones == wanted, f"the caller heard {names(tones)}, expected {names(wanted)}: {heard}")
    near(sound.level_of(samples, VOICES[agent], sound_heard.rate), LOUD, 1.0, f"{agent}'s level at the caller, dBFS")
    spoken = sound.seconds_of(heard, VOICES[agent])
    check(spoken >= TALK - 0.6, f"the caller heard {agent} for {spoken:.1f} s of {TALK}")
    world.note(f"caller hears {agent} {spoken:.2f} s at {sound.level_of(samples, VOICES[agent], sound_heard.rate):.1f} dB")


def heard_by_agent(world, phone):
    it = phone.heard()
    heard = sound.listen(it.channels[0], TONES, it.rate)
    tones = sound.order(heard)
    check(tones == [VOICES["caller"]], f"{phone.user} heard {names(tones)}: {heard}")
    db = sound.level_of(it.channels[0], VOICES["caller"], it.rate)
    near(db, LOUD, 1.0, f"the caller's level at {phone.user}, dBFS")
    world.note(f"{phone.user} hears caller {sound.seconds_of(heard, VOICES['caller']):.2f} s at {db:.1f} dB")


def kept(server, world, call, agent):
    """The recording: the customer on the left, the agent on the right, neither in the other's ear."""
    server.wait_fact(call, "recording_ended")
    it = server.recording(call)
    check(len(it.channels) == 2, f"{len(it.channels)} channels recorded")
    near(it.seconds, TALK, 1.2, "length of the recording, s")
    for side, channel, who in (("left", it.channels[0], "caller"), ("right", it.channels[1], agent)):
        tones = sound.order(sound.listen(channel, TONES, it.rate))
        check(tones == [VOICES[who]], f"recorded on the {side}: {names(tones)}, expected {who}")
        near(sound.level_of(channel, VOICES[who], it.rate), LOUD, 1.0, f"recorded level on the {side}, dBFS")
    world.note(f"recording {it.seconds:.2f} s")


def in_order(server, call, wanted):
    kinds = server.kinds(call)
    at = -1
    for kind in wanted:
        check(kind in kinds[at + 1 :], f"no `{kind}` after `{wanted[wanted.index(kind) - 1]}` in: {' '.join(kinds)}")
        at = kinds.index(kind, at + 1)


def one_ticket(server, first, second):
    tickets = [until("the record", lambda c=c: server.record(c)["record"]["ticket"]) for c in (first, second)]
    check(tickets[0] == tickets[1], f"two calls, two tickets: {tickets}")
