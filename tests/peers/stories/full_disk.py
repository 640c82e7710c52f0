"""The disk is full: nothing is recorded, people are told at once, and not one call is the worse for it.

The data folder is a disk of its own, too small to record on (a quarter of a gigabyte has to be free) and roomy enough for the database.
Mounting one takes root.
"""

import base64
import json
import os
import socket
import subprocess
import threading
import time

from harness import LOUD, PROMPTS, TONES, VOICES, Failed, Phone, check, names, near, until
import sound

CALLER = "+15550012001"
TALK = 3.0
ALARM = "recording_disk_full"


def tell(world):
    if os.geteuid() != 0:
        if os.environ.get("CI"):
            raise Failed("mounting a small disk takes root")
        return world.note("not told: mounting a small disk takes root")
    data = world.path("data")
    os.makedirs(data)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "small", data], capture_output=True, text=True)
    check(mounted.returncode == 0, f"the small disk: {mounted.stderr.strip()}")
    # Ended after the server, which is ended after the phones. Lazily: nothing may keep it mounted.
    world.ends.append(lambda: subprocess.run(["umount", "-l", data], check=True))

    server = world.server()
    console = Console(server)
    anna = Phone(server, "anna")
    caller = Phone(server, CALLER, voice="caller", registers=False)
    server.ready("anna")
    alarm = a_call_as_ever(server, console, caller, anna)
    world.note(f"alarm {1000 * alarm:.0f} ms after the answer")
    a_call_as_ever(server, console, caller, anna)  # which does not raise it again
    alarms = [(a["code"], a["on"]) for a in console.saw("alarm")]
    check(alarms == [(ALARM, True)], f"alarms: {alarms}")
    picture = until("the picture", lambda: [f for f in Console(server).frames(2) if f["type"] == "snapshot"])[0]
    check(list(picture["view"]["alarms"]) == [ALARM], f"alarms in the picture: {picture['view']['alarms']}")
    server.wait_empty()


def a_call_as_ever(server, console, caller, anna):
    since = {p: p.mark() for p in (anna, caller)}
    caller.dial("4200")
    anna.accept(since[anna])
    began = time.monotonic()
    call = server.wait_contact(CALLER, "talking")["id"]
    until(f"the alarm {ALARM}", lambda: [a for a in console.saw("alarm") if a["code"] == ALARM and a["on"]], 5)
    alarm_after = time.monotonic() - began
    check(server.healthy(), "healthz")
    time.sleep(max(0.0, TALK - (time.monotonic() - began)))  # what is said is measured below
    check(server.contact_of(CALLER, "talking"), "the call is not talking any more")
    for phone in (anna, caller):
        check(not phone.saw("CALL_CLOSED", since[phone]), f"{phone.user}'s call was dropped")

    caller.hang_up()
    anna.wait("CALL_CLOSED", since=since[anna])
    closed = server.wait_fact(call, "interaction_closed")
    check((closed["by"], closed["cause"]) == ("customer", "normal"), f"closed: {closed}")
    ended = server.wait_fact(call, "recording_ended")
    check((ended["trouble"], ended["bytes"]) == ("disk_full", 0), f"the recording: {ended}")
    server.api.post(f"/api/v1/interactions/{call}/wrap-up-done", {"agent": "anna"})
    server.wait_state("anna", "ready", work=[])
    check(server.healthy(), "healthz after the call")

    for phone, other in ((caller, "anna"), (anna, "caller")):
        it = phone.heard()
        heard = sound.listen(it.channels[0], TONES, it.rate)
        tones = [t for t in sound.order(heard) if t != PROMPTS["music"][0]]
        check(tones == [VOICES[other]], f"{phone.user} heard {names(tones)}: {heard}")
        near(sound.level_of(it.channels[0], VOICES[other], it.rate), LOUD, 1.0, f"{other}'s level at {phone.user}, dBFS")
        check(sound.seconds_of(heard, VOICES[other]) >= TALK - 0.6, f"{phone.user} heard {other} too briefly: {heard}")
    return alarm_after


class Console:
    """The live events, as a supervisor's console hears them (RFC 6455, as much of it as that takes)."""

    def __init__(self, server):
        self.heard = []
        self.socket = socket.create_connection(("127.0.0.1", server.http_port), 10)
        server.world.ends.append(self.socket.close)
        self.socket.sendall(
            f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{server.http_port}\r\nAuthorization: Bearer {server.api.key}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n".encode()
        )
        self.stream = self.socket.makefile("rb")
        status = self.stream.readline().decode()
        check(" 101 " in status, f"the live events: {status}")
        while self.stream.readline().strip():
            pass
        self.socket.settimeout(None)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while head := self.stream.read(2):
                size = head[1] & 127
                if size > 125:
                    size = int.from_bytes(self.stream.read(2 if size == 126 else 8), "big")
                body = self.stream.read(size)
                if head[0] == 0x81:  # a whole text; the server sends no others
                    self.heard.append(json.loads(body))
        except (OSError, ValueError):
            return  # the story is over

    def frames(self, least):
        return until("the live events", lambda: len(self.heard) >= least and list(self.heard))

    def saw(self, fact):
        return [f for f in list(self.heard) if f.get("fact") == fact]
