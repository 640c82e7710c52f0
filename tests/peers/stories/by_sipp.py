"""A caller that is sipp: another stack, A-law, keys from a capture; over UDP, and over TCP as a carrier's gateway, which puts its
own signalling (ISUP) beside the description."""

import time

from harness import LOUD, TONES, VOICES, Phone, Sipp, check, names, near
import sound

TALK_MS = 3000
GATEWAY = {
    "Content-Type: application/sdp\nContent-Length: [len]\n\n":
        "MIME-Version: 1.0\nContent-Type: multipart/mixed;boundary=ISUP-and-SDP\nContent-Length: [len]\n\n"
        "--ISUP-and-SDP\nContent-Type: application/isup;version=itu-t92+;base=itu-t92+\n"
        "Content-Disposition: signal;handling=optional\n\n01 00 20 01 0a 00\n"
        "--ISUP-and-SDP\nContent-Type: application/sdp\nContent-Disposition: session\n\n",
    "a=ptime:20\n]]>": "a=ptime:20\n--ISUP-and-SDP--\n]]>",
}


def tell(world):
    server = world.server()
    anna = Phone(server, "anna")
    server.ready("anna")
    for number, transport, marks in (("+15550003001", "u1", {}), ("+15550003002", "t1", GATEWAY)):
        since = anna.mark()
        if Sipp.RAW:
            caller = Sipp(server, "caller", "4000", caller=number, key="1", voice="second", stays_ms=3000 + TALK_MS, transport=transport, marks=marks)
        else:
            caller = Sipp(server, "caller", "4200", caller=number, stays_ms=2000 + TALK_MS, transport=transport, marks=marks)
        anna.accept(since)
        talking = server.wait_contact(number, "talking")
        began = time.monotonic()
        caller.end()
        spoke = time.monotonic() - began
        anna.wait("CALL_CLOSED", since=since)
        closed = server.wait_fact(talking["id"], "interaction_closed")
        check(closed["by"] == "customer", f"ended by {closed['by']}")
        server.wait_fact(talking["id"], "recording_ended")
        kept = server.recording(talking["id"])
        near(sound.level_of(kept.channels[1], VOICES["anna"], kept.rate), LOUD, 1.0, "Anna in the recording, dBFS")
        if Sipp.RAW:
            heard = anna.heard()
            tones = sound.order(sound.listen(heard.channels[0], TONES, heard.rate))
            check(tones == [VOICES["second"]], f"Anna heard {names(tones)}")
            db = sound.level_of(heard.channels[0], VOICES["second"], heard.rate)
            near(db, LOUD, 1.0, "sipp's voice at Anna's ear, dBFS")
            near(sound.level_of(kept.channels[0], VOICES["second"], kept.rate), LOUD, 1.0, "sipp's voice in the recording, dBFS")
            world.note(f"{transport}: talked {spoke:.1f} s, heard at {db:.1f} dB")
        legs = [f for f in server.timeline(talking["id"]) if f["fact"] == "leg_ended"]
        # Without root sipp is mute, and Anna's phone is sent what it says: nothing.
        check(max(leg["quality"]["packets_out"] for leg in legs) > 100, f"too little was sent: {legs}")
        server.api.post(f"/api/v1/interactions/{talking['id']}/wrap-up-done", {"agent": "anna"})
        server.wait_state("anna", "ready", work=[])
    server.wait_empty()


def midcall(world):
    """Another stack's session timer, UPDATE, hold and REFER."""
    server = world.server()
    for transport in ("u1", "t1"):
        Sipp(server, "midcall", "4000", caller="+15550003003", transport=transport).end()
    server.wait_empty()
