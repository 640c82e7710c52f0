"""Nobody on the way can read along: phones that signal over TLS, their sound protected by keys in the signalling or by a handshake.

Ben calls Anna, and Chen calls Anna; Chen's phone shakes hands (DTLS-SRTP), Ben's and Anna's send their keys (SDES). The office takes no
call in the clear, which a fourth phone finds out.
"""

import socket
import ssl
import time

from harness import LOUD, TONES, Phone, check, names, near
import sound

TALK = 2.0


def tell(world):
    server = world.server(tls=True, replace={"    routes:\n": "    media: {srtp: required}\n    routes:\n"})
    certificate(server)
    anna = Phone(server, "anna", transport="tls", keys="srtp")
    ben = Phone(server, "ben", transport="tls", keys="srtp")
    chen = Phone(server, "chen", transport="tls", keys="dtls_srtp")
    server.ready("anna")
    for caller in (ben, chen):
        server.wait_state("anna", "ready", work=[])
        talk(world, server, caller, anna)
    clear_is_refused(server)
    server.wait_empty()
    m = server.metrics()
    check(m["ringdesk_net_handshakes_failed"] == 0, f"{m['ringdesk_net_handshakes_failed']:.0f} TLS handshakes failed")


def certificate(server):
    """The pages and the phones see one certificate, made at the start, for the names this machine is called by."""
    context = ssl.create_default_context(cafile=f"{server.data}/tls-cert.pem")
    seen = []
    for port in (server.sip_tls, server.https_port):
        with socket.create_connection(("127.0.0.1", port), 5) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as stream:
                seen.append(stream.getpeercert(True))
                check(stream.version() == "TLSv1.3", f"{stream.version()} on port {port}")
                if port == server.https_port:
                    stream.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    check(b"200 OK" in stream.recv(4096), "the pages are not served over https")
    check(seen[0] == seen[1], "two certificates")
    check(server.metrics()["ringdesk_tls_expires_unix_s"] > time.time(), "the certificate has ended")


def talk(world, server, caller, anna):
    since = (anna.mark(), caller.mark())
    caller.tell("dial", f"sip:4201@{caller.at};transport=tls")
    anna.accept(since[0])
    caller.wait("CALL_ESTABLISHED", since=since[1])
    time.sleep(TALK)  # measured below
    caller.hang_up()
    anna.wait("CALL_CLOSED", since=since[0])
    for phone, who in ((anna, caller), (caller, anna)):
        it = phone.heard()
        heard = sound.listen(it.channels[0], TONES, it.rate)
        spoken, db = sound.seconds_of(heard, who.voice), sound.level_of(it.channels[0], who.voice, it.rate)
        check(spoken >= TALK - 0.7, f"{phone.user} heard {names(sound.order(heard))}, {who.user} for {spoken:.1f} s of {TALK}")
        near(db, LOUD, 1.0, f"{who.user} at {phone.user}, dBFS")
        world.note(f"{phone.user} hears {who.user} {spoken:.2f} s at {db:.1f} dB")


def clear_is_refused(server):
    """Without keys there is no call here; so those above had them."""
    plain = Phone(server, "susan")
    since = plain.mark()
    plain.tell("dial", f"sip:4000@{plain.at}")
    plain.wait("CALL_CLOSED", since=since)
    check(not plain.saw("CALL_ESTABLISHED", since=since), "a call in the clear was answered")
