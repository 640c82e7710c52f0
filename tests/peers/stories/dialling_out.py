"""Calls to the outside: from the desk, where the agent's phone rings first, and from the phone itself; answered, and refused."""

import time

from harness import LOUD, PORTS, TONES, VOICES, Phone, check, names, near, until
import sound

TALK = 2.0


def tell(world):
    port = PORTS.one(row=2)
    server = world.server(replace={"127.0.0.1:9": f"127.0.0.1:{port}"})
    outside = Phone(server, "01234567", voice="second", registers=False, port=port)
    anna = Phone(server, "anna")
    server.ready("anna")
    call = from_the_desk(server, anna, outside)
    talked(server, world, call, anna, outside)
    call = from_the_phone(server, anna, outside)
    talked(server, world, call, anna, outside)
    refused(server, anna, outside)
    server.wait_empty()


def from_the_desk(server, anna, outside):
    call = server.api.post("/api/v1/agents/anna/dial", {"number": "901234567"})["interaction"]
    anna.accept()
    outside.accept()
    until("they talk", lambda: (server.record(call)["now"] or {}).get("stage") == "talking")
    time.sleep(TALK)  # measured below
    outside.hang_up()
    anna.wait("CALL_CLOSED")
    return call


def from_the_phone(server, anna, outside):
    since = (anna.mark(), outside.mark())
    anna.tell("dial", f"sip:901234567@{server.address}")
    outside.accept(since[1])
    anna.wait("CALL_ESTABLISHED", since=since[0])
    call = until("they talk", lambda: [r for r in server.live() if r["stage"] == "talking"])[0]["id"]
    time.sleep(TALK)  # measured below
    anna.hang_up()
    outside.wait("CALL_CLOSED", since=since[1])
    return call


def refused(server, anna, outside):
    since = (anna.mark(), outside.mark())
    anna.tell("dial", f"sip:901234567@{server.address}")
    outside.reject(since[1])
    anna.wait("CALL_CLOSED", since=since[0])
    check(not anna.saw("CALL_ESTABLISHED", since=since[0]), "a refused call was answered")


def talked(server, world, call, anna, outside):
    server.wait_fact(call, "interaction_closed")
    for phone, who in ((anna, "second"), (outside, "anna")):
        it = phone.heard()
        heard = sound.listen(it.channels[0], TONES, it.rate)
        check(VOICES[who] in sound.order(heard), f"{phone.user} heard {names(sound.order(heard))}: {heard}")
        check(sound.seconds_of(heard, VOICES[who]) >= TALK - 0.5, f"{phone.user} heard {who} for {sound.seconds_of(heard, VOICES[who]):.1f} s")
        near(sound.level_of(it.channels[0], VOICES[who], it.rate), LOUD, 1.0, f"{who} at {phone.user}, dBFS")
    server.wait_fact(call, "recording_ended")
    kept = server.recording(call)
    for channel, who in zip(kept.channels, ("second", "anna")):
        tones = sound.order(sound.listen(channel, TONES, kept.rate))
        check(tones == [VOICES[who]], f"recorded: {names(tones)}, expected {who}")
    # A call no queue asked for has no wrap-up.
    server.wait_state("anna", "ready", work=[])
    world.note(f"recorded {kept.seconds:.2f} s")
