"""An agent who works at a mobile: a number the carrier reaches. The customer is put through when somebody has pressed 1 there, not
before; the desk hangs up what the mobile talks in; and a mailbox gets nobody.
"""

import time

from harness import LOUD, PORTS, TONES, VOICES, Phone, check, names, near, until
import sound

TALK = 2.0
CALLER = "+15550001009"


def tell(world):
    port = PORTS.one(row=2)
    server = world.server(replace={"127.0.0.1:9": f"127.0.0.1:{port}"})
    mobile = Phone(server, "01234567", voice="second", registers=False, port=port)
    caller = Phone(server, CALLER, voice="caller", registers=False)
    server.ready("anna")
    server.api.ask("PUT", "/api/v1/agents/anna/endpoint", {"kind": "number", "number": "901234567"})
    until("the number can be called", lambda: server.agent("anna")["phone"])
    talked(server, world, caller, mobile)
    a_mailbox(server, world, caller, mobile)
    server.wait_empty(seconds=15)


def talked(server, world, caller, mobile):
    caller.dial("4200")
    call = server.wait_contact(CALLER, "offered")["id"]
    mobile.accept()
    time.sleep(1.0)  # whoever answers is asked; the customer still waits
    check(server.record(call)["now"]["stage"] == "offered", "the customer was put through before anybody pressed 1")
    began = time.monotonic()
    mobile.key("1")
    server.wait_contact(CALLER, "talking")
    world.note(f"together {1000 * (time.monotonic() - began):.0f} ms after the key")
    time.sleep(TALK)  # measured below
    server.api.post(f"/api/v1/interactions/{call}/finish")
    mobile.wait("CALL_CLOSED")
    caller.wait("CALL_CLOSED")
    for phone, who in ((mobile, "caller"), (caller, "second")):
        it = phone.heard()
        heard = sound.listen(it.channels[0], TONES, it.rate)
        check(VOICES[who] in sound.order(heard), f"{phone.user} heard {names(sound.order(heard))}: {heard}")
        check(sound.seconds_of(heard, VOICES[who]) >= TALK - 0.5, f"{phone.user} heard {who} for {sound.seconds_of(heard, VOICES[who]):.1f} s")
        near(sound.level_of(it.channels[0], VOICES[who], it.rate), LOUD, 1.0, f"{who} at {phone.user}, dBFS")
    server.wait_state("anna", "ready", work=["wrap_up"])
    server.api.post(f"/api/v1/interactions/{call}/dispose", {"code": "solved", "note": "", "agent": "anna"})
    server.api.post(f"/api/v1/interactions/{call}/wrap-up-done", {"agent": "anna"})
    server.wait_state("anna", "ready", work=[])


def a_mailbox(server, world, caller, mobile):
    since = (caller.mark(), mobile.mark())
    caller.dial("4200")
    call = server.wait_contact(CALLER, "offered")["id"]
    mobile.accept(since[1])
    # The queue rings for five seconds; nobody presses anything.
    mobile.wait("CALL_CLOSED", seconds=12, since=since[1])
    server.wait_state("anna", "not_ready")
    check(server.record(call)["now"]["stage"] == "waiting", "the customer does not wait any more")
    check("connected" not in server.kinds(call), "a mailbox was given the customer")
    caller.hang_up()
    server.wait_fact(call, "interaction_closed")
