"""The torture messages of RFC 4475 and RFC 5118 on the wire: each gets an answer the index allows, and the server lives on.

Answers go to the source address and the port of the Via (RFC 3261 section 18.2.2), so this binds 5060 and 5050 on a loopback address of its own.
"""

import json
import os
import random
import re
import select
import socket
import time

from harness import ROOT, Failed, check

MESSAGES = os.path.join(ROOT, "tests", "data", "torture")
WAIT = 0.5


def over_udp(world):
    tell(world, udp)


def over_tcp(world):
    # A server of its own: a message it has seen by UDP would be a retransmission, answered where the first one came from.
    tell(world, tcp)


def tell(world, over):
    server = world.server(replace={"name: Tone Office": "name: Tone Office\n    domains: [example.com, \"*\"]"})
    server.api.post("/api/v1/users", {"login": "user", "role": "agent"})
    with open(os.path.join(MESSAGES, "index.json")) as f:
        index = [m for m in json.load(f)["messages"] if not m["file"].startswith("rfc5118/")]
    sockets = claim(world)
    results = [(m, over(server, sockets, m)) for m in index]
    good = sum(verdict == "ok" for _, verdict in results)
    world.note(f"{good}/{len(index)} in the index")
    problems = [f"{m['section']} {m['name']}: {verdict}" for m, verdict in results if verdict != "ok"]
    check(not problems, "outside the index:\n    " + "\n    ".join(problems))


def claim(world):
    """Sockets on 5060 and 5050 of a loopback address nobody else has."""
    for _ in range(20):
        address = f"127.{random.randrange(2, 250)}.{random.randrange(250)}.{random.randrange(2, 250)}"
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        try:
            for s, port in zip(sockets, (5060, 5050)):
                s.bind((address, port))
        except OSError:
            for s in sockets:
                s.close()
            continue
        world.ends.extend(s.close for s in sockets)
        return sockets
    raise Failed("no loopback address with free ports 5060 and 5050")


def read(message):
    with open(os.path.join(MESSAGES, message["file"]), "rb") as f:
        return f.read()


def alive(server, sockets):
    """An OPTIONS is answered."""
    address = sockets[0].getsockname()[0]
    for _ in range(3):
        mark = f"alive{random.getrandbits(48):x}"
        text = (
            f"OPTIONS sip:{server.address} SIP/2.0\r\nVia: SIP/2.0/UDP {address}:5060;branch=z9hG4bK{mark};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:t@{address}>;tag=1\r\nTo: <sip:{server.address}>\r\nCall-ID: {mark}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
        sockets[0].sendto(text.encode(), ("127.0.0.1", server.sip))
        end = time.monotonic() + 2
        while (left := end - time.monotonic()) > 0:
            for s in select.select(sockets, [], [], left)[0]:
                if mark.encode() in s.recv(65535):
                    return True
    return False


def verdict(server, sockets, message, codes):
    check(alive(server, sockets), f"{message['name']} ({message['section']}): the server does not answer any more")
    final = [c for c in codes if c >= 200]
    wanted = message["uas_status"]
    if message["kind"] == "response":
        return "ok" if not final else f"a response was answered: {codes}"
    if not final:
        return "ok" if "silent" in wanted or "drop" in wanted else f"no answer, expected {wanted}"
    if "any" in wanted or "normal" in wanted or final[0] in wanted:
        return "ok"
    return f"{codes}, expected {wanted}"


def udp(server, sockets, message):
    raw = read(message)
    sockets[0].sendto(raw, ("127.0.0.1", server.sip))
    named = re.search(rb"(?im)^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]+)", raw)
    codes, end = [], time.monotonic() + WAIT
    while (left := end - time.monotonic()) > 0 and not any(c >= 200 for c in codes):
        for s in select.select(sockets, [], [], left)[0]:
            data = s.recv(65535)
            if named and named.group(1).strip() not in data and re.search(rb"(?im)^(call-id|i)[ \t]*:", data):
                continue  # an older answer, sent again
            status = re.match(rb"SIP/2\.0 (\d{3})", data)
            codes.append(int(status.group(1)) if status else 999)
    return verdict(server, sockets, message, codes)


def tcp(server, sockets, message):
    data = b""
    with socket.create_connection(("127.0.0.1", server.sip), 3, source_address=(sockets[0].getsockname()[0], 0)) as c:
        c.sendall(read(message))
        end = time.monotonic() + WAIT
        while (left := end - time.monotonic()) > 0 and not re.search(rb"(?m)^SIP/2\.0 [2-6]", data):
            c.settimeout(left)
            try:
                more = c.recv(65536)
            except (TimeoutError, ConnectionResetError):
                break
            if not more:
                break
            data += more
    return verdict(server, sockets, message, [int(x) for x in re.findall(rb"(?m)^SIP/2\.0 (\d{3})", data)])
