"""Kamailio as the far side of trunks: registration with digest, calls both ways with sound, and one of two carriers dies."""

import glob
import os
import signal
import time

from harness import HERE, PORTS, TONES, VOICES, Phone, Process, check, names, until
import sound

TALK = 2.0
PASSWORD = "carriers-secret"


class Carrier:
    """Kamailio on a port of its own; `phone` is where the telephones of the world are."""

    def __init__(self, world, name, phone):
        self.port, self.realm = PORTS.one(), f"{name}.example"
        run = world.path(name)
        os.makedirs(run)
        modules = glob.glob("/usr/lib/*/kamailio/modules/")[0]
        with open(os.path.join(HERE, "kamailio.config")) as f:
            config = f.read()
        for mark, value in {
            "@SIP@": str(self.port), "@PHONE@": str(phone), "@REALM@": self.realm, "@PASSWORD@": PASSWORD, "@MODULES@": modules,
        }.items():
            config = config.replace(mark, value)
        with open(os.path.join(run, "kamailio.cfg"), "w") as f:
            f.write(config)
        command = ["kamailio", "-f", os.path.join(run, "kamailio.cfg"), "-DD", "-E", "-m", "64", "-M", "8", "-Y", run]
        self.process = Process(name, command, world.log(name), cwd=run)
        world.ends.append(self.process.stop)

    def dies(self):
        """All of its processes at once: those that answer outlive the one that was started."""
        os.killpg(self.process.p.pid, signal.SIGKILL)

    def trunk(self):
        return (
            f'{{host: "127.0.0.1:{self.port}", username: shop, password_secret: carrier, realm: {self.realm}, '
            'caller_id: "4200", register: {expires_s: 120}, options: {every_s: 5, patience_ms: 1000}}'
        )


def tell(world):
    port = PORTS.one(row=2)
    first, second = Carrier(world, "kamailio-one", port), Carrier(world, "kamailio-two", port)
    trunks = (
        f"      carrier: {first.trunk()}\n      spare: {second.trunk()}\n"
        "    trunk_groups:\n      outside: [{trunk: carrier, priority: 1}, {trunk: spare, priority: 2}]\n"
    )
    replace = {'      carrier: {host: "127.0.0.1:9"}\n': trunks, "{trunk: {trunk: carrier, strip": "{trunk: {trunk: outside, strip"}
    server = world.server(replace=replace, env={"RINGDESK_SECRET_CARRIER": PASSWORD})
    line = lambda name: server.api.get("/api/v1/trunks")[name]
    for name in ("carrier", "spare"):
        until(f"{name} is registered", lambda: line(name)["registration"] == "registered")
        until(f"{name} is up", lambda: line(name)["state"] == "up")
    tested = server.api.post("/api/v1/trunks/carrier/test")
    check(tested["reachable"], f"the test says {tested}")
    world.note(f"OPTIONS {tested['rtt_ms']:.1f} ms")

    outside = Phone(server, "01234567", voice="second", registers=False, port=port)
    anna = Phone(server, "anna")
    server.ready("anna")
    talk_out(server, anna, outside)
    check(line("carrier")["answered"] == 1 and line("spare")["attempts"] == 0, "the call did not go by the first carrier")
    talk_in(server, first, anna, outside)

    first.dies()
    began = time.monotonic()
    talk_out(server, anna, outside)
    check(line("spare")["answered"] == 1, "the call did not go by the spare carrier")
    world.note(f"by the spare carrier, talked and hung up after {time.monotonic() - began:.1f} s")
    until("the dead carrier is seen to be down", lambda: line("carrier")["state"] == "down", 30)
    server.wait_empty()


def talk_out(server, anna, outside):
    since = (anna.mark(), outside.mark())
    server.api.post("/api/v1/agents/anna/dial", {"number": "901234567"})
    anna.accept(since[0])
    outside.accept(since[1])
    until("they talk", lambda: [r for r in server.live() if r["stage"] == "talking"])
    time.sleep(TALK)  # measured below
    outside.hang_up()
    anna.wait("CALL_CLOSED", since=since[0])
    heard_both(anna, outside)
    server.wait_state("anna", "ready", work=[])


def talk_in(server, carrier, anna, outside):
    since = (anna.mark(), outside.mark())
    outside.tell("dial", f"sip:4201@127.0.0.1:{carrier.port}")
    anna.accept(since[0])
    outside.wait("CALL_ESTABLISHED", since=since[1])
    time.sleep(TALK)  # measured below
    outside.hang_up()
    anna.wait("CALL_CLOSED", since=since[0])
    heard_both(anna, outside)
    server.wait_state("anna", "ready", seconds=70)


def heard_both(anna, outside):
    for phone, who in ((anna, "second"), (outside, "anna")):
        it = phone.heard()
        heard = sound.listen(it.channels[0], TONES, it.rate)
        check(VOICES[who] in sound.order(heard), f"{phone.user} heard {names(sound.order(heard))}: {heard}")
        check(sound.seconds_of(heard, VOICES[who]) >= TALK - 0.5, f"{phone.user} heard {who} too briefly: {heard}")
