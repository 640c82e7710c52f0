"""The torture messages of RFC 4475 and RFC 5118 on the wire: each gets an answer the index allows, and the server lives on.

Answers go to the source address and the port of the Via (RFC 3261 section 18.2.2), so this binds the ports named there on a loopback
address of its own.
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
PORTS = (5060, 5050, 5061, 6050)  # 5061: a Via that says TLS and no port


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
    sockets = claim(world) if over is udp else [datagram("127.0.0.1", 0)]
    results, seen = [], set()
    for m in index:
        # Many share a branch. A server that has seen it takes the next one for a retransmission, as it should: it has to forget.
        top = re.search(rb"(?ims)^([A-Z]+) .*?^(?:via|v)[ \t]*:[ \t\r\n]*([^,\r\n]*)", read(m))
        if over is udp and top and top.groups() in seen:
            server.kill()
            server.start()
            seen.clear()
        seen.add(top and top.groups())
        results.append((m, over(server, sockets, m)))
    good = sum(verdict == "ok" for _, verdict in results)
    world.note(f"{good}/{len(index)} in the index")
    problems = [f"{m['section']} {m['name']}: {verdict}" for m, verdict in results if verdict != "ok"]
    check(not problems, "outside the index:\n    " + "\n    ".join(problems))


def claim(world):
    """Sockets on PORTS of a loopback address nobody else has; where somebody listens on these ports of every address, on one other port."""
    for attempt in range(20):
        address = f"127.{random.randrange(2, 250)}.{random.randrange(250)}.{random.randrange(2, 250)}"
        ports = PORTS if attempt < 10 else (0,)
        sockets = []
        try:
            for port in ports:
                sockets.append(datagram(address, port))
        except OSError:
            for s in sockets:
                s.close()
            continue
        world.ends.extend(s.close for s in sockets)
        if ports is not PORTS:
            world.note("port 5060 is in use on this machine: asked by rport to answer elsewhere")
        return sockets
    raise Failed("no loopback address to send from")


def datagram(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.bind((address, port))
    except OSError:
        s.close()
        raise
    return s


def read(message):
    with open(os.path.join(MESSAGES, message["file"]), "rb") as f:
        return f.read()


def alive(server, sockets):
    """An OPTIONS is answered."""
    address, port = sockets[0].getsockname()
    for _ in range(3):
        mark = f"alive{random.getrandbits(48):x}"
        text = (
            f"OPTIONS sip:{server.address} SIP/2.0\r\nVia: SIP/2.0/UDP {address}:{port};branch=z9hG4bK{mark};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:t@{address}>;tag=1\r\nTo: <sip:{server.address}>\r\nCall-ID: {mark}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
        sockets[0].sendto(text.encode(), ("127.0.0.1", server.sip))
        end = time.monotonic() + 2
        while (left := end - time.monotonic()) > 0:
            for s in select.select(sockets, [], [], left)[0]:
                if mark.encode() in s.recv(65535):
                    return True
    return False


def verdict(server, sockets, message, codes, stream):
    check(alive(server, sockets), f"{message['name']} ({message['section']}): the server does not answer any more")
    final = [c for c in codes if c >= 200]
    wanted = message["uas_status"]
    if message["kind"] == "response":
        return "ok" if not final else f"a response was answered: {codes}"
    if not final:
        # A stream waits for the rest of a message that is shorter than it says, or has no end of its headers.
        unfinished = stream and message["name"] in ("clerr", "baddn")
        return "ok" if "any" in wanted or unfinished else f"no answer, expected {wanted}"
    if "any" in wanted or "normal" in wanted or final[0] in wanted:
        return "ok"
    return f"{codes}, expected {wanted}"


def udp(server, sockets, message):
    raw = read(message)
    elsewhere = False
    if len(sockets) == 1:
        asked = re.sub(rb"(?i)(branch *= *[^\s;,]+)", rb"\1;rport", raw, count=1)
        # Without a branch that can be told at sight the answer goes where we cannot hear it.
        elsewhere, raw = message["name"] in ("longreq", "badinv01", "ltgtruri") or asked == raw, asked
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
    if elsewhere and not codes:
        check(alive(server, sockets), f"{message['name']} ({message['section']}): the server does not answer any more")
        return "ok"
    return verdict(server, sockets, message, codes, stream=False)


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
    return verdict(server, sockets, message, [int(x) for x in re.findall(rb"(?m)^SIP/2\.0 (\d{3})", data)], stream=True)
