"""IPv6 beside IPv4: an agent's phone on the newer, callers on either, by baresip and sipp."""

import time

from harness import LOUD, TONES, VOICES, Phone, Sipp, check, ipv6, names, near
import sound


def tell(world):
    if not ipv6():
        return world.note("this machine has no IPv6")
    server = world.server(v6=True)
    anna = Phone(server, "anna", v6=True)
    for number, v6 in (("+15550004601", True), ("+15550004602", False)):
        server.ready("anna")
        caller = Phone(server, number, voice="caller", registers=False, v6=v6)
        since = anna.mark()
        caller.tell("dial", f"sip:4201@{caller.at};transport=udp")
        anna.accept(since)
        talk = server.wait_contact(number, "talking")["id"]
        time.sleep(2.0)  # what is said is measured below
        caller.hang_up()
        anna.wait("CALL_CLOSED", since=since)
        for phone, voice in ((anna, "caller"), (caller, "anna")):
            heard = phone.heard()
            tones = sound.order(sound.listen(heard.channels[0], TONES, heard.rate))
            check(tones[-1:] == [VOICES[voice]], f"{phone.user} heard {names(tones)}")
            near(sound.level_of(heard.channels[0], VOICES[voice], heard.rate), LOUD, 1.0, f"{voice} at {phone.user}'s ear, dBFS")
        server.api.post(f"/api/v1/interactions/{talk}/wrap-up-done", {"agent": "anna"})
        server.wait_state("anna", "ready", work=[])
    for number, transport in (("+15550004603", "u1"), ("+15550004604", "t1")):
        since = anna.mark()
        caller = Sipp(server, "caller", "4201", caller=number, stays_ms=1500, transport=transport, v6=True)
        anna.accept(since)
        talk = server.wait_contact(number, "talking")["id"]
        caller.end()
        anna.wait("CALL_CLOSED", since=since)
        server.api.post(f"/api/v1/interactions/{talk}/wrap-up-done", {"agent": "anna"})
        server.wait_state("anna", "ready", work=[])
    server.wait_empty()
