"""A carrier found by its name: the name servers say which hosts it has (SRV); at the first nobody listens, the second takes the call.

The first is found out by what the network gives back (ICMP), not by waiting.
"""

import socket
import struct
import threading
import time

from harness import LOUD, PORTS, TONES, VOICES, Phone, check, near
import sound

TALK = 1.5
A, SRV = 1, 33


def tell(world):
    dead, there = PORTS.one(), PORTS.one(row=2)
    names = NameServer({
        ("_sip._udp.carrier.example", SRV): [srv(10, dead, "a.carrier.example"), srv(20, there, "b.carrier.example")],
        ("a.carrier.example", A): [bytes([127, 0, 0, 1])],
        ("b.carrier.example", A): [bytes([127, 0, 0, 1])],
    })
    world.ends.append(names.stop)
    server = world.server(
        replace={"127.0.0.1:9": "carrier.example"}, settings=f'[dns]\nservers = ["127.0.0.1:{names.port}"]\n',
    )
    outside = Phone(server, "01234567", voice="second", registers=False, port=there)
    anna = Phone(server, "anna")
    server.ready("anna")
    began = time.monotonic()
    anna.tell("dial", f"sip:901234567@{server.address}")
    outside.wait("CALL_INCOMING")
    rang = time.monotonic() - began
    check(rang < 2.0, f"the second host rang after {rang:.1f} s: the first was waited for")
    outside.accept()
    anna.wait("CALL_ESTABLISHED")
    time.sleep(TALK)  # measured below
    anna.hang_up()
    outside.wait("CALL_CLOSED")
    for phone, who in ((anna, "second"), (outside, "anna")):
        it = phone.heard()
        spoken = sound.seconds_of(sound.listen(it.channels[0], TONES, it.rate), VOICES[who])
        check(spoken >= TALK - 0.6, f"{phone.user} heard {who} for {spoken:.1f} s of {TALK}")
        near(sound.level_of(it.channels[0], VOICES[who], it.rate), LOUD, 1.0, f"{who} at {phone.user}, dBFS")
    check(server.metrics()["ringdesk_net_undelivered"] >= 1, "nothing came back from the first host")
    asked, since = len(names.asked), outside.mark()
    anna.tell("dial", f"sip:901234567@{server.address}")
    outside.accept(since)
    outside.hang_up()
    check(len(names.asked) == asked, f"the second call asked again: {names.asked[asked:]}")
    server.wait_empty()
    world.note(f"the second host rang after {1000 * rang:.0f} ms; {asked} questions to the name server")


def srv(priority, port, host):
    return struct.pack("!HHH", priority, 0, port) + wire(host)


def wire(name):
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


class NameServer:
    """Answers what it has, and that there is no such name to everything else."""

    def __init__(self, zone):
        self.zone, self.asked = zone, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                packet, client = self.socket.recvfrom(1500)
            except OSError:
                return
            at, parts = 12, []
            while packet[at]:
                parts.append(packet[at + 1 : at + 1 + packet[at]].decode().lower())
                at += 1 + packet[at]
            question = packet[12 : at + 5]
            name, kind = ".".join(parts), struct.unpack("!H", packet[at + 1 : at + 3])[0]
            self.asked.append(f"{name} {kind}")
            found = self.zone.get((name, kind), [])
            flags = 0x8180 if found else 0x8183
            answer = packet[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0) + question
            for data in found:
                answer += struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(data)) + data
            self.socket.sendto(answer, client)

    def stop(self):
        self.socket.close()
