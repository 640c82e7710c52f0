"""A call is copied to a program outside while it is spoken: each side on its own channel, silent while card digits are read out,
taken up again after the line to the program broke."""

import time

from ears import Ears
from harness import LOUD, VOICES, Phone, check, near, until
import sound

CALLER = "+15550007001"


def tell(world):
    ears = Ears(world)
    streams = f'streams:\n      ears: {{url: "{ears.url}", token_secret: ears}}\n      other: {{url: "ws://127.0.0.1:9/"}}\n    stream_talks: ears\n    recording: always'
    server = world.server(
        replace={"recording: always": streams}, env={"RINGDESK_SECRET_EARS": "a-token"}, settings=f'[media]\nstreams_allow = ["{ears.url}"]\n'
    )
    anna = Phone(server, "anna")
    caller = Phone(server, CALLER, voice="caller", registers=False)
    server.ready("anna")
    caller.dial("4200")
    anna.accept()
    call = server.wait_contact(CALLER, "talking")["id"]
    until("the copy is connected", lambda: ears.copies)
    copy = ears.copies[0]
    check(copy.headers.get("authorization") == "Bearer a-token", f"shown as token: {copy.headers}")
    until("two seconds are copied", lambda: len(copy.sound) > 2 * 8000 * 4)
    start = copy.words[0]
    check(start["event"] == "start" and start["interaction"] == call and start["rate"] == 8000, f"told at the start: {start}")
    measured = []
    for n, who in ((0, "caller"), (1, "anna")):
        db = sound.level_of(copy.channel(n)[8000:], VOICES[who])
        other = sound.level_of(copy.channel(n)[8000:], VOICES["anna" if who == "caller" else "caller"])
        near(db, LOUD, 1.0, f"{who} in the copy, dBFS")
        check(other == -100.0, f"{who}'s channel has the other voice, too")
        measured.append(db)
    world.note(f"copied at {measured[0]:.1f} and {measured[1]:.1f} dB")

    server.api.post(f"/api/v1/interactions/{call}/recording", {"action": "pause"})
    time.sleep(0.5)  # what was on its way is out
    quiet = len(copy.sound)
    until("half a second of the secret", lambda: len(copy.sound) > quiet + 16_000)
    check(not any(copy.sound[quiet:]), "the copy is not silent while the recording is paused")
    server.api.post(f"/api/v1/interactions/{call}/recording", {"action": "resume"})

    ears.cut()
    until("the copy is taken up again", lambda: len(ears.copies) == 2 and ears.copies[1].words)
    check(ears.copies[1].words[0]["resumed"], "the second connection does not say that it goes on")
    until("a second is copied again", lambda: len(ears.copies[1].sound) > 8000 * 4)
    near(sound.level_of(ears.copies[1].channel(0), VOICES["caller"]), LOUD, 1.0, "the caller after the break, dBFS")

    # An address nobody allowed: the call is not touched.
    server.api.ask("PUT", f"/api/v1/interactions/{call}/streams/other")
    ended = server.wait_fact(call, "flow_event", name="stream_ended")
    check("streams_allow" in ended["data"]["why"], f"why it was not copied: {ended}")
    caller.hang_up()
    until("the program is told of the end", lambda: ears.copies[1].words[-1]["event"] == "stop")
    server.wait_empty()
