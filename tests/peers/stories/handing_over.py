"""One call through many hands: declined, taken by the next, held by the desk and by the phone, handed to a colleague, put back into
the queue. The caller always hears what they should, and nobody hears what is not theirs."""

import time

from harness import PROMPTS, TONES, VOICES, Phone, check, names, until
import sound

BIT = 1.6  # seconds of everything that is to be heard


def tell(world):
    server = world.server()
    anna, ben, chen = (Phone(server, who) for who in ("anna", "ben", "chen"))
    caller = Phone(server, "+15550007001", voice="caller", registers=False)
    server.ready("anna")
    server.ready("ben")

    caller.dial("4200")
    call = until("the call", lambda: server.contact_of(caller.user))["id"]
    anna.reject()
    ben.accept()
    ended = server.wait_fact(call, "offer_ended", agent="anna")
    check(ended["why"] == "declined", f"Anna's offer ended: {ended['why']}")
    server.wait_contact(caller.user, "talking")
    time.sleep(BIT)  # heard

    server.api.post(f"/api/v1/interactions/{call}/hold", {"on": True})
    server.wait_contact(caller.user, "hold")
    time.sleep(BIT)  # music
    server.api.post(f"/api/v1/interactions/{call}/hold", {"on": False})
    server.wait_contact(caller.user, "talking")
    time.sleep(BIT)  # heard again

    ben.tell("hold")
    time.sleep(BIT)  # whatever a phone on hold gives the caller: not Ben's voice
    ben.tell("resume")
    time.sleep(BIT)  # heard again

    since = chen.mark()
    server.ready("chen")
    server.api.post(f"/api/v1/interactions/{call}/transfer", {"to": {"kind": "agent", "agent": "chen"}})
    chen.accept(since)
    ben.wait("CALL_CLOSED")
    until("chen has it", lambda: (server.contact_of(caller.user) or {}).get("agent") == "chen")
    time.sleep(BIT)  # heard
    server.wait_fact(call, "wrap_up", agent="ben")

    server.api.post(f"/api/v1/interactions/{call}/transfer", {"to": {"kind": "queue", "queue": "desk"}})
    # Anna declined this very call a moment ago and is spared for a while; Ben is busy with what is to be written down.
    server.wait_contact(caller.user, "waiting")
    chen.wait("CALL_CLOSED")
    time.sleep(BIT)  # music
    caller.hang_up()
    server.wait_empty()

    heard = caller.heard()
    listened = sound.listen(heard.channels[0], TONES, heard.rate)
    tones = [t for t in sound.order(listened)]
    music = PROMPTS["music"][0]
    world.note(f"caller heard {names(tones)}")
    ben_s, chen_s = VOICES["ben"], VOICES["chen"]
    # Between them music again while Chen's phone rings, if it rings long enough to hear it.
    told = tones[1:] if tones[0] == music else tones
    check(told in ([ben_s, music, ben_s, chen_s, music], [ben_s, music, ben_s, music, chen_s, music]), f"the caller heard {names(tones)}: {listened}")
    at_chen = chen.heard()
    tones = sound.order(sound.listen(at_chen.channels[0], TONES, at_chen.rate))
    check(tones == [VOICES["caller"]], f"Chen heard {names(tones)}")
    at_ben = ben.heard()
    tones = sound.order(sound.listen(at_ben.channels[0], TONES, at_ben.rate))
    check(set(tones) == {VOICES["caller"]} or music in tones, f"Ben heard {names(tones)}")
    world.note(f"ben heard {names(tones)}")
    facts = server.timeline(call)
    check([f["on"] for f in facts if f["fact"] == "held"] == [True, False], "held and taken back")
    queued = {f["entry"]["since"] for f in facts if f["fact"] == "queued"}
    check(len(queued) == 1, f"the age was lost on the way: {queued}")
    check([f["agent"] for f in facts if f["fact"] == "connected"] == ["ben", "chen"], "connected with Ben, then Chen")
