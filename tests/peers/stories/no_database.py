"""The database is away: who talks goes on talking, nobody new comes in, and what happened meanwhile is on record afterwards, once.

It is away as a disk that hangs is: somebody else holds the lock without which nothing can be written.
"""

import contextlib
import glob
import sqlite3
import time

from harness import LOUD, TONES, VOICES, Phone, check, near, until
import sound

CALLER, EARLIER, LATER = "+15550013001", "+15550013002", "+15550013003"
# From when it is noticed: a commit waits five seconds for its lock before it has failed.
AWAY = 15.0


def tell(world):
    server = world.server()
    anna = Phone(server, "anna")
    caller, earlier, later = (
        Phone(server, number, voice=voice, registers=False) for number, voice in ((CALLER, "caller"), (EARLIER, "second"), (LATER, "second"))
    )
    server.ready("anna")
    since = anna.mark()
    caller.dial("4200")
    anna.accept(since)
    call = server.wait_contact(CALLER, "talking")["id"]
    began = time.monotonic()
    with away(server):
        # Somebody calls in the moment it goes, and what is to be written of it cannot be.
        earlier.dial("4000")
        until("it is noticed", lambda: server.api.raw("GET", "/healthz")[0] == 503, 20)
        later.tell("dial", f"sip:4200@{later.at}")
        later.wait("CALL_CLOSED")
        check(not later.saw("CALL_ESTABLISHED"), "a new call was taken that could not have been written down")
        time.sleep(AWAY)  # they talk, which is measured below
        for phone in (anna, caller):
            check(not phone.saw("CALL_CLOSED", since if phone is anna else 0), f"{phone.user}'s call was dropped")
        caller.hang_up()
        talked = time.monotonic() - began
        anna.wait("CALL_CLOSED", since=since)
        earlier.hang_up()
        waiting = server.metrics()["ringdesk_journal_backlog"]
        check(waiting > 0, "nothing waits to be written")
    back = time.monotonic()
    until("all is written", lambda: server.metrics()["ringdesk_journal_backlog"] == 0 and server.healthy(), 30)
    world.note(f"{waiting:.0f} facts waited, written {time.monotonic() - back:.1f} s after it was back")

    closed = server.wait_fact(call, "interaction_closed")
    check((closed["by"], closed["cause"]) == ("customer", "normal"), f"closed: {closed}")
    rows = {number: [r for r in server.history() if r["from"] == number] for number in (CALLER, EARLIER, LATER)}
    check([len(r) for r in rows.values()] == [1, 1, 0], f"on record: {rows}")
    ended = server.wait_fact(call, "talk_ended")
    near(ended["talk_ms"] / 1000, talked, 1.5, "the talk in the record, s")
    for phone, other in ((anna, "caller"), (caller, "anna")):
        it = phone.heard()
        heard = sound.listen(it.channels[0], TONES, it.rate)
        near(sound.level_of(it.channels[0], VOICES[other], it.rate), LOUD, 1.0, f"{other} at {phone.user}, dBFS")
        check(sound.seconds_of(heard, VOICES[other]) >= AWAY, f"{phone.user} heard {other} too briefly: {heard}")

    # And the next call is one as ever.
    server.api.post(f"/api/v1/interactions/{call}/wrap-up-done", {"agent": "anna"})
    server.wait_state("anna", "ready", work=[])
    since = anna.mark()
    later.dial("4200")
    anna.accept(since)
    later.hang_up()
    anna.wait("CALL_CLOSED", since=since)
    server.wait_empty()


@contextlib.contextmanager
def away(server):
    """Nobody but us can write."""
    [path] = glob.glob(f"{server.data}/ringdesk.sqlite")
    with contextlib.closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            db.execute("ROLLBACK")
