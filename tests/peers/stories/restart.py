"""The power goes: kill -9 with one call talking, one caller waiting. Everything that can be kept is kept, the rest is ended properly."""

import time

from harness import LOUD, TONES, VOICES, Phone, check, names, near, until
import sound


def tell(world):
    server = world.server()
    anna = Phone(server, "anna")
    ben = Phone(server, "ben")
    talker = Phone(server, "+15550005001", voice="caller", registers=False)
    waiter = Phone(server, "+15550005002", voice="second", registers=False)
    direct = Phone(server, "+15550005003", voice="third", registers=False)
    server.ready("anna")
    server.api.post("/api/v1/agents/ben/sign-in")
    server.api.ask("PUT", "/api/v1/agents/ben/state", {"state": "not_ready", "reason": "break"})
    server.wait_state("ben", "not_ready")

    talker.dial("4200")
    anna.accept()
    talking = server.wait_contact(talker.user, "talking")["id"]
    began = time.monotonic()
    waiter.dial("4000")
    waiting = until("the call", lambda: server.contact_of(waiter.user))["id"]
    server.wait_fact(waiting, "flow_entered", node="office/menu")
    waiter.key("1")
    server.wait_contact(waiter.user, "waiting")
    direct.dial("4200")
    waiting_direct = server.wait_contact(direct.user, "waiting")["id"]
    since = {id: server.wait_fact(id, "queued")["entry"]["since"] for id in (waiting, waiting_direct)}
    time.sleep(max(0.0, 4.0 - (time.monotonic() - began)))  # four seconds of talk to be found again

    marks = {p: p.mark() for p in (anna, ben, talker, waiter, direct)}
    server.kill()
    talked = time.monotonic() - began
    back = server.start()
    check(back < 5, f"{back:.1f} s until healthy")

    for phone in (anna, talker, waiter, direct):
        phone.wait("CALL_CLOSED", 8, since=marks[phone])
    for id in (talking, waiting, waiting_direct):
        # The phones are told while the facts are still being written.
        server.wait_fact(id, "interaction_closed")
        until(f"every leg of {id} has ended", lambda: server.kinds(id).count("leg_opened") == server.kinds(id).count("leg_ended"))
        closed = [f for f in server.timeline(id) if f["fact"] == "interaction_closed"]
        check([f["cause"] for f in closed] == ["server_restart"], f"closed: {closed}")

    ended = server.wait_fact(talking, "recording_ended")
    check(ended["trouble"] == "server_restart", f"the recording: {ended}")
    kept = server.recording(talking)
    check(talked - 1.5 <= kept.seconds <= talked + 0.5, f"{kept.seconds:.2f} s recorded of {talked:.2f}")
    near(ended["ms"] / 1000, kept.seconds, 0.1, "length on record, s")
    for side, channel, who in (("left", kept.channels[0], "caller"), ("right", kept.channels[1], "anna")):
        heard = sound.listen(channel, TONES, kept.rate)
        check(sound.order(heard) == [VOICES[who]], f"recorded on the {side}: {names(sound.order(heard))}")
        near(sound.level_of(channel, VOICES[who], kept.rate), LOUD, 1.0, f"level on the {side}, dBFS")
        check(sound.seconds_of(heard, VOICES[who]) >= talked - 2, f"{who} is there for {sound.seconds_of(heard, VOICES[who]):.1f} s")

    check(server.agent("ben")["state"] == "not_ready" and server.agent("ben")["reason"] == "break", f"Ben: {server.agent('ben')}")
    check(server.agent("anna")["state"] == "ready" and not server.agent("anna")["work"], f"Anna: {server.agent('anna')}")
    server.wait_empty()

    # Whoever was waiting stands where they stood.
    server.api.ask("PUT", "/api/v1/agents/anna/state", {"state": "not_ready", "reason": "break"})
    anna.stop()
    waiter.dial("4000")
    again = until("the call", lambda: server.contact_of(waiter.user))["id"]
    server.wait_fact(again, "flow_entered", node="office/menu")
    waiter.key("1")
    entry = server.wait_fact(again, "queued")["entry"]
    check(entry["since"] == since[waiting], f"the age: {entry['since']}, was {since[waiting]}")
    direct.dial("4200")
    id = server.wait_contact(direct.user, "waiting")["id"]
    entry = server.wait_fact(id, "queued")["entry"]
    check(entry["since"] == since[waiting_direct], f"the age in the queue dialled directly: {entry['since']}, was {since[waiting_direct]}")
    # And is served first, although the other one has just called as well: Anna's phone has registered anew.
    anna = Phone(server, "anna")
    server.ready("anna")
    anna.accept()
    first = until("somebody talks", lambda: [r for r in server.live() if r["stage"] == "talking"])
    check([r["from"] for r in first] == [waiter.user], f"served first: {first[0]['from']}, not {waiter.user}, who has waited longest")
    waiter.hang_up()
    direct.hang_up()
    server.wait_empty()
    world.note(f"healthy after {back:.1f} s; {kept.seconds:.2f} s recorded of {talked:.2f}; place kept")
