"""What is kept of a call's signalling, and what it tells: Ben calls Anna by sealed phones and every message is there, without a key or a
login; a phone that announces a private address and sends nothing is named as the reason why nobody heard it.
"""

import re
import socket
import sqlite3
import struct
import time

from harness import PORTS, Phone, check, until

SILENT = "+15550006001"


def tell(world):
    # Ben has to log in for this number: what he shows for it must not be kept.
    server = world.server(tls=True, replace={'to: {agent: anna}, from: public}': 'to: {agent: anna}}'})
    sealed(world, server)
    silent(world, server)
    server.wait_empty()


def sealed(world, server):
    anna, ben = (Phone(server, who, transport="tls", keys="srtp") for who in ("anna", "ben"))
    server.ready("anna")
    ben.tell("dial", f"sip:4201@{ben.at};transport=tls")
    anna.accept()
    ben.wait("CALL_ESTABLISHED")
    call = until("the call", lambda: server.live())[0]["id"]
    path = f"/api/v1/interactions/{call}/ladder"
    titles = [m["title"] for m in server.api.get(path)["messages"]]
    check("INVITE (SDP)" in titles and "BYE" not in titles, f"while the call goes on: {titles}")
    ben.hang_up()
    anna.wait("CALL_CLOSED")

    def stored():
        with sqlite3.connect(f"file:{server.data}/ringdesk.sqlite?mode=ro", uri=True) as db:
            rows = db.execute("SELECT messages, body FROM ladders WHERE interaction = ?", (call,)).fetchall()
        return rows and rows[0]
    count, body = until("the ladder is stored", stored, 20)
    ladder = server.api.get(path)
    check(len(ladder["messages"]) == count, f"{len(ladder['messages'])} messages of {count}")
    check({p["role"] for p in ladder["parties"]} == {"customer", "agent"}, f"parties: {ladder['parties']}")
    text = "\n".join(m["text"] for m in ladder["messages"])
    for where, kept in (("the answer", text), ("the database", body.replace('\\"', '"'))):
        keys = re.findall(r"inline:([^|\s\"\\]+)", kept)
        check(keys and all(set(k) == {"*"} for k in keys), f"keys in {where}: {keys}")
        logins = re.findall(r"\bresponse=\"([^\"]*)\"", kept)
        check(logins and all(login == "***" for login in logins), f"logins in {where}: {logins}")
    passwords = server.credentials["sip_passwords"].values()
    check(not any(p in body for p in passwords), "a password is in the database")
    byes = [m for m in ladder["messages"] if m["method"] == "BYE"]
    check([m["status"] for m in byes if "status" in m] == [200, 200], f"both legs' ends: {[m['title'] for m in byes]}")

    status, drawn = server.api.raw("GET", path + "?format=text")
    check(status == 200 and b" 180 Ringing " in drawn and b"ringdesk" in drawn, drawn[:500])
    status, file = server.api.raw("GET", path + "?format=pcap")
    packets = list(read(file))
    check([p[2] for p in packets] == [m["text"].encode() for m in ladder["messages"]], "the capture holds other messages")
    check(all(a[0] <= b[0] for a, b in zip(packets, packets[1:])), "the capture's times go back")
    found = server.api.get(f"/api/v1/interactions/{call}/why")["findings"]
    check(not any(f["fault"] for f in found), f"a call that went well: {found}")
    world.note(f"{count} messages in {len(body)} bytes stored, {len(text)} on the wire, no key and no login in them")


def read(file):
    """The datagrams of a capture: time, length of the frame, payload."""
    magic, _, _, _, _, _, link = struct.unpack("<IHHiIII", file[:24])
    check((magic, link) == (0xA1B2C3D4, 1), f"no capture of Ethernet: {magic:x}, {link}")
    at = 24
    while at < len(file):
        seconds, us, kept, whole = struct.unpack("<IIII", file[at:at + 16])
        frame = file[at + 16:at + 16 + kept]
        check(kept == whole == len(frame), "a frame is cut off")
        check(frame[12:14] == b"\x08\x00" and frame[14] == 0x45 and frame[23] == 17, "no UDP over IPv4")
        check(total(frame[14:34]) == 0xFFFF, "the checksum of a header is wrong")
        udp = frame[34:]
        check(struct.unpack("!H", udp[4:6])[0] == len(udp), "a length is wrong")
        pseudo = frame[26:34] + b"\0\x11" + udp[4:6]
        check(total(pseudo + udp) == 0xFFFF, "the checksum of a datagram is wrong")
        yield seconds + us / 1e6, kept, udp[8:]
        at += 16 + kept


def total(data):
    words = struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2))
    whole = sum(words)
    while whole >> 16:
        whole = (whole & 0xFFFF) + (whole >> 16)
    return whole


def silent(world, server):
    """Signalling from here, sound announced from a private network, and none is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", PORTS.one()))
        phone.settimeout(10)
        port = phone.getsockname()[1]
        sdp = "v=0\r\no=- 1 1 IN IP4 192.168.77.7\r\ns=-\r\nc=IN IP4 192.168.77.7\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"

        def say(method, seq, tag="", body=""):
            to = f"<sip:4000@{server.address}>" + (f";tag={tag}" if tag else "")
            kind = "Content-Type: application/sdp\r\n" if body else ""
            text = (
                f"{method} sip:4000@{server.address} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{method}{seq}\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:{SILENT}@127.0.0.1>;tag=here\r\nTo: {to}\r\nCall-ID: silent-{port}\r\n"
                f"CSeq: {seq} {method}\r\nContact: <sip:{SILENT}@127.0.0.1:{port}>\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}"
            )
            phone.sendto(text.encode(), ("127.0.0.1", server.sip))

        def final():
            while True:
                answer = phone.recv(65535).decode()
                if not answer.startswith("SIP/2.0 1"):
                    return answer

        say("INVITE", 1, body=sdp)
        answer = final()
        check(answer.startswith("SIP/2.0 200"), answer[:200])
        tag = re.search(r"^To:.*;tag=([^\s;]+)", answer, re.M).group(1)
        say("ACK", 1, tag)
        call = until("the call", lambda: server.contact_of(SILENT))["id"]
        time.sleep(2.5)  # a shorter call says nothing about its sound
        say("BYE", 2, tag)
        final()
    server.wait_fact(call, "leg_ended")
    why = server.api.get(f"/api/v1/interactions/{call}/why")["findings"]
    first = why[0]
    check((first["code"], first["side"], first["step"]) == ("behind_nat", "peer", "media"), f"why: {why}; {[f for f in server.timeline(call) if 'leg' in f['fact']]}")
    check("192.168.77.7" in first["en"] and "192.168.77.7" in first["zh"] and "127.0.0.1" in first["en"], first["en"])
    world.note(f"“{first['en'][:60]}…”")
