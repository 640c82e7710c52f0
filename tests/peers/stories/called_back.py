"""A caller who asks to be called back: the place is kept, the agent is rung first, then the caller through the carrier. Who refuses is
called once more, and then they talk.
"""

import time

from harness import LOUD, PORTS, TONES, VOICES, Phone, check, names, near, until
import sound

TALK = 2.0
CALLER = "+15550001009"


def tell(world):
    port = PORTS.one(row=2)
    server = world.server(replace={
        "127.0.0.1:9": f"127.0.0.1:{port}",
        '{match: "90*", to: {trunk: {trunk: carrier, strip: 1, prefix: ""}}}': '{match: "+*", to: {trunk: {trunk: carrier}}}',
        '{match: "4100", to: {flow: hello}, from: public}': '{match: "4100", to: {flow: called-back}, from: public}',
    })
    caller = Phone(server, CALLER, voice="caller", registers=False, port=port)
    caller.dial("4100")
    call = server.wait_contact(CALLER, "waiting")["id"]
    caller.key("1")
    caller.wait("CALL_CLOSED")
    server.wait_fact(call, "interaction_closed")
    check("unqueued" in server.kinds(call), "the call never left its queue")
    back = server.wait_contact(CALLER, "waiting")
    check(back["callback"]["number"] == CALLER, f"it is not called back: {back}")
    anna = Phone(server, "anna", voice="anna")
    server.ready("anna")
    refused(server, back["id"], caller, anna)
    talked(server, back["id"], caller, anna)
    server.wait_empty(seconds=15)


def refused(server, back, caller, anna):
    anna.accept()
    caller.reject(0)
    anna.wait("CALL_CLOSED")
    tried = server.wait_fact(back, "callback_tried")
    check(tried["attempt"] == 1 and tried["again_at"], f"it is not tried again: {tried}")
    check("connected" not in server.kinds(back), "nobody was connected")
    server.api.post(f"/api/v1/interactions/{back}/dispose", {"code": "follow_up", "note": "", "agent": "anna"})
    server.api.post(f"/api/v1/interactions/{back}/wrap-up-done", {"agent": "anna"})


def talked(server, back, caller, anna):
    since = (caller.mark(), anna.mark())
    # The gap is ten seconds.
    anna.wait("CALL_INCOMING", seconds=20, since=since[1])
    anna.accept(since[1])
    caller.accept(since[0])
    server.wait_contact(CALLER, "talking")
    server.wait_fact(back, "connected")
    time.sleep(TALK)  # measured below
    server.api.post(f"/api/v1/interactions/{back}/finish")
    for phone, who, at in ((caller, "anna", since[0]), (anna, "caller", since[1])):
        phone.wait("CALL_CLOSED", since=at)
        it = phone.heard()
        heard = sound.listen(it.channels[0], TONES, it.rate)
        check(VOICES[who] in sound.order(heard), f"{phone.user} heard {names(sound.order(heard))}: {heard}")
        check(sound.seconds_of(heard, VOICES[who]) >= TALK - 0.5, f"{phone.user} heard {who} for {sound.seconds_of(heard, VOICES[who]):.1f} s")
        near(sound.level_of(it.channels[0], VOICES[who], it.rate), LOUD, 1.0, f"{who} at {phone.user}, dBFS")
    until("it is over", lambda: "interaction_closed" in server.kinds(back))
