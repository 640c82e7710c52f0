"""What strangers learn and reach: nothing. Neither who exists here, nor a number that is not public, nor a trunk, nor a call's sound."""

import re
import select
import socket
import statistics
import struct
import threading
import time
from hashlib import md5

from harness import LOUD, PORTS, TONES, VOICES, Failed, Phone, check, names, near, until
import sound


class Wire:
    """A UDP socket that speaks SIP by hand."""

    def __init__(self, server, port=0):
        self.server = server
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.bind(("127.0.0.1", port))
        self.port = self.s.getsockname()[1]
        self.count = 0

    def ask(self, method, uri, user, authorization="", seconds=3):
        """Sends a request and gives its final answer. An INVITE's is acknowledged."""
        self.count += 1
        branch = f"z9hG4bKstranger{self.port}x{self.count}"
        host = self.server.address
        to = f"<sip:{user}@{host}>" if method == "REGISTER" else f"<{uri}>"
        head = (
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={branch};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:{user}@{host}>;tag=s{self.count}\r\nTo: %s\r\nCall-ID: {branch}\r\nCSeq: 1 %s\r\n"
        )
        rest = f"Contact: <sip:{user}@127.0.0.1:{self.port}>\r\n{authorization}Content-Length: 0\r\n\r\n"
        self.s.sendto((f"{method} {uri} SIP/2.0\r\n" + head % (to, method) + rest).encode(), ("127.0.0.1", self.server.sip))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not select.select([self.s], [], [], max(0, end - time.monotonic()))[0]:
                break
            text = self.s.recv(65535).decode()
            if branch not in text or text.startswith("SIP/2.0 1"):
                continue
            if method == "INVITE":
                got = re.search(r"(?im)^To: *(.*)\r$", text).group(1)
                self.s.sendto((f"ACK {uri} SIP/2.0\r\n" + head % (got, "ACK") + "Content-Length: 0\r\n\r\n").encode(), ("127.0.0.1", self.server.sip))
            return text
        return ""


def credentials(registrar, user, answer, password="wrong"):
    """The answer to a challenge, as a header line."""
    h = lambda t: md5(t.encode()).hexdigest()
    realm, nonce = (re.search(rf'{w}="([^"]*)"', answer).group(1) for w in ("realm", "nonce"))
    response = h(f'{h(f"{user}:{realm}:{password}")}:{nonce}:00000001:abc:auth:{h(f"REGISTER:{registrar}")}')
    return (
        f'Authorization: Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{registrar}", response="{response}", '
        f'algorithm=MD5, qop=auth, nc=00000001, cnonce="abc"\r\n'
    )


def shape(answer):
    """What an answer tells, without what is different every time or was in the question."""
    lines = [l for l in answer.split("\r\n") if not re.match(r"(?i)(via|from|to|call-id|cseq|date):", l)]
    return re.sub(r'nonce="[^"]*"', 'nonce=""', "\n".join(lines))


def tell(world):
    trunk = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    trunk.bind(("127.0.0.1", PORTS.one()))
    world.ends.append(trunk.close)
    server = world.server(replace={"127.0.0.1:9": f"127.0.0.1:{trunk.getsockname()[1]}"})
    wire = Wire(server)
    world.ends.append(wire.s.close)
    nobody_logs_in(server, world, wire)
    nothing_is_told(server, world, wire)
    nothing_goes_out(server, world, wire, trunk)
    no_foreign_sound(server, world)
    server.wait_empty()


def nobody_logs_in(server, world, wire):
    registrar = f"sip:{server.address}"
    shapes = set()
    for user in ("anna", "nobody"):
        first = wire.ask("REGISTER", registrar, user)
        check(first.startswith("SIP/2.0 401"), f"{user} without a password: {first[:60]!r}")
        second = wire.ask("REGISTER", registrar, user, credentials(registrar, user, first))
        check(second.startswith("SIP/2.0 401"), f"{user} with a wrong password: {second[:60]!r}")
        shapes |= {shape(first), shape(second)}
    check(len(shapes) == 1, f"the answers tell users apart: {shapes}")
    right = wire.ask("REGISTER", registrar, "susan", credentials(registrar, "susan", wire.ask("REGISTER", registrar, "susan"), server.credentials["sip_passwords"]["susan"]))
    check(right.startswith("SIP/2.0 200"), f"the right password: {right[:60]!r}")
    world.note("REGISTER: wrong password and unknown user get the same 401")


def nothing_is_told(server, world, wire):
    # A socket of its own: from where somebody has registered, everybody is asked who they are.
    wire = Wire(server)
    answers = {n: wire.ask("INVITE", f"sip:{n}@{server.address}", "+15550006000") for n in ("4300", "4999", "anna", "nobody", "901234567")}
    shapes = {n: shape(a) for n, a in answers.items()}
    check(all(a for a in answers.values()), f"no answer: {[n for n, a in answers.items() if not a]}")
    check(len(set(shapes.values())) == 1, f"a stranger can tell numbers apart: {shapes}")
    world.note(f"strangers get {answers['4300'].split(chr(13))[0][8:11]} for every number that is not public")
    wire.s.close()


def nothing_goes_out(server, world, wire, trunk):
    check(not select.select([trunk], [], [], 0.3)[0], "something went to the trunk for a stranger")
    # That the trunk would see it: one of ours may.
    anna = Phone(server, "anna")
    anna.tell("dial", f"sip:901234567@{server.address}")
    check(select.select([trunk], [], [], 5)[0], "an agent's call did not reach the trunk")
    invite, source = trunk.recvfrom(65535)
    text = invite.decode()
    check(text.startswith("INVITE sip:01234567@"), f"the trunk got {text[:60]!r}")
    lines = [l for l in text.split("\r\n") if re.match(r"(?i)(via|from|call-id|cseq|to):", l)]
    busy = "SIP/2.0 486 Busy Here\r\n" + "\r\n".join(l + (";tag=t1" if l.lower().startswith("to:") else "") for l in lines) + "\r\nContent-Length: 0\r\n\r\n"
    trunk.sendto(busy.encode(), source)
    anna.wait("CALL_CLOSED", 8)
    anna.stop()
    server.wait_empty()


def no_foreign_sound(server, world):
    ben = Phone(server, "ben")
    caller = Phone(server, "+15550006001", voice="caller", registers=False)
    server.ready("ben")
    caller.dial("4200")
    ben.accept()
    call = server.wait_contact(caller.user, "talking")["id"]
    before = server.metrics()["ringdesk_media_foreign_total"]
    foreign = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    foreign.bind(("127.0.0.1", 0))
    noise = sound.alaw_encode(sound.sine(3000, 0.05, -3))[: sound.FRAME]
    sent = 0
    for n in range(75):  # a second and a half of noise at every port there is
        for kind in (0, 8):
            packet = struct.pack("!BBHII", 0x80, kind, n, n * sound.FRAME, 0xBAD) + noise
            for port in range(server.rtp_low, server.rtp_high + 1):
                foreign.sendto(packet, ("127.0.0.1", port))
                sent += 1
        time.sleep(0.02)  # the pace of a stream
    check(not select.select([foreign], [], [], 0.3)[0], "a stranger got an answer from an RTP port")
    foreign.close()
    counted = server.metrics()["ringdesk_media_foreign_total"] - before
    caller.hang_up()
    ben.wait("CALL_CLOSED")
    server.wait_fact(call, "recording_ended")
    check(counted >= 250, f"only {counted:.0f} foreign packets counted of some 300 that met a leg")
    for phone, who in ((ben, "caller"), (caller, "ben")):
        it = phone.heard()
        heard = sound.listen(it.channels[0], TONES + [3000], it.rate)
        tones = [t for t in sound.order(heard) if t not in (1580,)]
        check(tones == [VOICES[who]], f"{phone.user} heard {names(tones)}: {heard}")
        strange = sum(h.seconds for h in heard if h.hz is None)
        check(strange <= 0.2, f"{phone.user} heard {strange:.2f} s of something else: {heard}")
        near(sound.level_of(it.channels[0], VOICES[who], it.rate), LOUD, 1.0, f"{who} at {phone.user}, dBFS")
    world.note(f"{sent} foreign packets sent, {counted:.0f} met a leg and were dropped, none answered, none heard")


def with_a_stopwatch(world):
    """Whether somebody exists is not told by how long the answer takes, either: with a guessed password for a user of ours and for
    nobody, in turns, the medians of two thousand each lie within five percent. What else the machine does disturbs that now and
    then, so one quiet round of five is enough; a difference that comes from us would be in all of them."""
    server = world.server(settings="[sip]\nrequests_per_s = 0\nban_after = 0\n")
    wire = Wire(server)
    world.ends.append(wire.s.close)
    registrar = f"sip:{server.address}"
    challenge = wire.ask("REGISTER", registrar, "anna")
    guess = {user: credentials(registrar, user, challenge) for user in ("anna", "nora")}
    apart = []
    for _ in range(5):
        took = {user: [] for user in guess}
        for n in range(4_000):
            user = ("anna", "nora")[n % 2]
            began = time.perf_counter()
            answer = wire.ask("REGISTER", registrar, user, guess[user])
            took[user].append(time.perf_counter() - began)
            check(answer.startswith("SIP/2.0 401"), f"{user} with a guessed password: {answer[:60]!r}")
        known, unknown = (statistics.median(took[user]) for user in ("anna", "nora"))
        apart.append(abs(known - unknown) / min(known, unknown))
        if apart[-1] < 0.05:
            return world.note(f"medians of 2,000 each: known {1e6 * known:.0f} us, unknown {1e6 * unknown:.0f} us")
    raise Failed(f"the answers for known and unknown users are apart by {[f'{100 * a:.1f} %' for a in apart]}")
