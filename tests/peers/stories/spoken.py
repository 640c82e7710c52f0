"""A caller says where to go and is understood; what caller and agent say is written down. Real speech recognition, by the small
model of tests/asr."""

import array
import os
import subprocess

from harness import ROOT, Phone, check, until
import sound

CALLER = "+15550007101"
ASR = os.path.join(ROOT, "tests", "asr")
MODEL = os.path.join(ASR, "ivr-tiny.en-q5_0.bin")


def can_hear(world):
    """Whether the program was built with a recogniser. scripts/test.sh insists on it."""
    asked = subprocess.run(
        [os.environ["RINGDESK_BIN"], "check", "--data", world.path("nothing"), "--speech-recogniser", "whisper", "--speech-model", MODEL],
        capture_output=True, text=True,
    )
    if "was built without" in asked.stderr and not os.environ.get("RINGDESK_MUST_HEAR"):
        world.note("not played: the program was built without `whisper`")
        return False
    check("whisper" in asked.stdout and "good" in asked.stdout, f"the recogniser: {asked.stdout} {asked.stderr}")
    return True


def voice(world, who, clip, first):
    """A phone's voice: silence, then the phrase every eight seconds."""
    phrase = sound.read_wav(os.path.join(ASR, clip)).channels[0]
    quiet = array.array("h", bytes(2 * sound.RATE * 8))
    all_of_it = quiet[: int(first * sound.RATE)]
    while len(all_of_it) < 110 * sound.RATE:
        all_of_it += phrase + quiet[: 8 * sound.RATE - len(phrase)]
    sound.write_wav(world.path(f"voice-{who}.wav"), all_of_it)


def tell(world):
    if not can_hear(world):
        return
    voice(world, "caller", "0017_phrase.wav", 3)
    voice(world, "chen", "0015_phrase.wav", 2)
    server = world.server(
        replace={
            "    recording: always": '    transcripts: {numbers: ["4500"]}\n    recording: always',
            '      - {match: "4100"': '      - {match: "4500", to: {flow: spoken}, from: public}\n      - {match: "4100"',
        },
        settings=f'[speech]\nrecogniser = "whisper"\nmodel = "{MODEL}"\n',
    )
    with open(world.log("ringdesk")) as f:
        check("speech is recognised by whisper" in f.read(), "the program does not say what recognises speech")
    chen = Phone(server, "chen")
    server.ready("chen")
    caller = Phone(server, CALLER, voice="caller", registers=False)
    caller.dial("4500")
    # Only who asks for an order comes to the queue whose agent this is; silence and nonsense lead to the desk.
    call = server.wait_contact(CALLER, "offered", seconds=40)
    check(call["queue"] == "skilled", f"the caller was understood as one for {call['queue']}")
    call = call["id"]
    chen.accept()

    def lines():
        return server.api.get(f"/api/v1/interactions/{call}/transcript")["facts"]

    def said(by, words):
        return [f for f in lines() if f["by"] == by and f["text"] == words]

    heard = until("the caller's words are written down", lambda: said("customer", "where is my order"))[0]
    check(heard["confidence"] > 0.5 and heard["ms"] > 500, f"the line: {heard}")
    # Clips in the middle of a talk are not all understood, but most are.
    answer = until("the agent's words are written down", lambda: said("agent", "repeat that"), 40)[0]
    check(answer["agent"] == "chen" and answer["since"] > heard["since"], f"the agent's line: {answer}")
    caller.hang_up()
    server.wait_empty()
    check(said("customer", "where is my order"), "the transcript is gone with the call")
    m = server.metrics()
    check(m["ringdesk_speech_failed_total"] == 0 and m["ringdesk_speech_dropped_total"] == 0, "utterances were lost")
    busy = m["ringdesk_speech_busy_us_total"] / max(1, m["ringdesk_speech_recognised_total"]) / 1000
    world.note(f"{m['ringdesk_speech_recognised_total']:.0f} utterances, {busy:.0f} ms each, the first {heard['confidence']:.2f} sure")
    if any("unknown" not in f["text"] and f["text"] not in ("where is my order", "repeat that") for f in lines()):
        world.note("others: " + ", ".join(sorted({f["text"] for f in lines()})))
