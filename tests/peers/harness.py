"""What the stories are told with: a server of their own, phones that are real programs, and sounds that are measured.

A story is a function `tell(world)`. Its world starts what it needs on ports nobody else has, and ends it all at the end. Every wait
names what it waits for and for how long at most; there is nothing to tune when a machine is slow but those bounds.
"""

import glob
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import sound

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# Frequencies: multiples of 20 Hz, none near a multiple of another, so that no two are taken for each other.
PROMPTS = {
    "greeting": (420, 0.6),
    "menu": (540, 1.0),
    "connecting": (660, 0.5),
    "place": (780, 0.6),
    "all_busy": (860, 0.5),
    "leave_message": (1140, 0.5),
    "thanks": (1260, 0.5),
    "hello": (1380, 0.6),
    "music": (1580, 20.0),
}
BEEP = 1000
VOICES = {"caller": 1820, "anna": 2060, "ben": 2300, "chen": 2540, "susan": 2780, "second": 1940, "third": 2180}
TONES = sorted([hz for hz, _ in PROMPTS.values()] + list(VOICES.values()) + [BEEP])
NAMES = {**{hz: name for name, (hz, _) in PROMPTS.items()}, **{hz: name for name, hz in VOICES.items()}, BEEP: "beep"}
LOUD = -12.0  # of everything we play
SLOW = float(os.environ.get("RINGDESK_PEERS_SLOW", "1"))  # multiplies every bound, for a machine under load


class Failed(Exception):
    """A story did not go as told."""


def names(tones):
    return " ".join(NAMES.get(t, str(t)) for t in tones)


def check(fact, said):
    if not fact:
        raise Failed(said)


def near(value, wanted, within, what):
    check(abs(value - wanted) <= within, f"{what}: {value:.2f}, expected {wanted} within {within}")


def until(what, condition, seconds=10.0, every=0.05):
    """Waits until `condition()` gives something true, and gives that."""
    end = time.monotonic() + seconds * SLOW
    last = None
    while True:
        try:
            got = condition()
            if got:
                return got
        except (OSError, urllib.error.URLError, KeyError, IndexError) as e:
            last = e
        if time.monotonic() > end:
            raise Failed(f"after {seconds * SLOW:.0f} s still not: {what}" + (f" ({last})" if last else ""))
        time.sleep(every)


def ipv6():
    """Whether this machine has a loopback of IPv6."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


class Ports:
    """Ports nobody uses, each given once in this run. RTP ranges are taken below the ports the kernel gives away by itself."""

    def __init__(self):
        self.lock = threading.Lock()
        self.given = set()
        self.next_range = random.randrange(12_000, 26_000, 200)

    @staticmethod
    def free(port):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(socket.AF_INET, kind) as s:
                try:
                    s.bind(("127.0.0.1", port))
                except OSError:
                    return False
        return True

    def one(self, row=1):
        """A port; with `row` the first of so many."""
        with self.lock:
            while True:
                port = random.randrange(26_200, 32_000)
                ports = range(port, port + row)
                if all(p not in self.given and self.free(p) for p in ports):
                    self.given.update(ports)
                    return port

    def many(self, count):
        """An even port with `count` free ones from it on."""
        with self.lock:
            while True:
                low = self.next_range
                self.next_range = 12_000 if low + count + 2 > 26_000 else low + (count + 3) // 2 * 2
                if all(self.free(p) for p in range(low, low + count)):
                    return low


PORTS = Ports()


class Process:
    """A program of ours, in a process group of its own, with its output in a file."""

    def __init__(self, name, command, log, cwd=None, env=None):
        self.name, self.log = name, log
        self.file = open(log, "ab")
        self.p = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.file, stderr=self.file, cwd=cwd, start_new_session=True,
            env={**os.environ, **(env or {})},
        )

    def running(self):
        return self.p.poll() is None

    def stop(self, how=signal.SIGTERM, patience=5.0):
        if self.running():
            self.p.send_signal(how)
            try:
                self.p.wait(patience)
            except subprocess.TimeoutExpired:
                self.p.kill()
                self.p.wait()
        self.file.close()


class World:
    """What one story plays in."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.ends, self.figures, self.logs = [], [], []
        self.count = 0

    def note(self, figure):
        """A figure for the line this story prints."""
        self.figures.append(figure)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def log(self, name):
        path = self.path(f"{name}.log")
        if path not in self.logs:
            self.logs.append(path)
        return path

    def close(self):
        for end in reversed(self.ends):
            try:
                end()
            except Exception as e:  # the next one has to be ended too
                print(f"  while ending {self.name}: {e}")

    def server(self, **more):
        return Server(self, **more)

    def tone(self, who, seconds=120):
        """A file with a voice: the tone of `who`, long enough for any story."""
        path = self.path(f"voice-{who}.wav")
        if not os.path.exists(path):
            sound.write_wav(path, sound.sine(VOICES[who], seconds, LOUD))
        return path


class Api:
    """The HTTP interface, with the key of the demo."""

    def __init__(self, base, key):
        self.base, self.key = base, key

    def raw(self, method, path, body=None, kind="application/json", timeout=10):
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method)
        request.add_header("authorization", f"Bearer {self.key}")
        if data is not None:
            request.add_header("content-type", kind)
        try:
            with urllib.request.urlopen(request, timeout=timeout * SLOW) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as e:
            return e.code, e.read()

    def ask(self, method, path, body=None, **more):
        status, text = self.raw(method, path, body, **more)
        if status >= 300:
            raise Failed(f"{method} {path}: {status} {text.decode(errors='replace')[:300]}")
        return json.loads(text) if text else None

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, body=None):
        return self.ask("POST", path, body)


class Server:
    """ringdesk with its own data, ports, flows and business. With `v6` it is on the loopback of IPv6 as well."""

    def __init__(self, world, rtp=80, replace=None, env=None, tls=False, settings="", v6=False):
        self.world, self.env = world, env
        self.sip6 = PORTS.one() if v6 else None
        if v6:
            settings += '[sip]\npublic = "127.0.0.1"\n'
            settings += "".join(f'[[sip.listen]]\ntransport = "{t}"\nbind = "[::1]:{self.sip6}"\n' for t in ("udp", "tcp"))
            settings += '[media]\nbind = "::"\n'
        self.settings = world.path("ringdesk.toml")
        with open(self.settings, "w") as f:
            f.write(settings)
        self.sip, self.http_port = PORTS.one(), PORTS.one()
        self.sip_tls, self.https_port = (PORTS.one(), PORTS.one()) if tls else (None, None)
        self.rtp_low = PORTS.many(rtp)
        self.rtp_high = self.rtp_low + rtp - 1
        self.data = world.path("data")
        flows = world.path("flows")
        os.makedirs(flows)
        for source in glob.glob(os.path.join(ROOT, "ivr-flows", "*.yaml")) + glob.glob(os.path.join(HERE, "flows", "*.yaml")):
            shutil.copy(source, flows)
        for name, (hz, seconds) in PROMPTS.items():
            sound.write_wav(os.path.join(flows, f"{name}.wav"), sound.sine(hz, seconds, LOUD))
        self.flows = flows
        self.process = None
        world.ends.append(lambda: self.process and self.process.stop())
        self.start()
        with open(os.path.join(self.data, "demo-credentials.json")) as f:
            self.credentials = json.load(f)
        self.api = Api(self.http, self.credentials["api_key"])
        with open(os.path.join(HERE, "business.yaml")) as f:
            business = f.read()
        for old, new in (replace or {}).items():
            business = business.replace(old, new)
        self.api.ask("PUT", "/api/v1/config", business.encode(), kind="application/yaml")
        until("the business is in force", lambda: "desk" in self.api.get("/api/v1/queues"))

    @property
    def http(self):
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def address(self):
        return f"127.0.0.1:{self.sip}"

    @property
    def address6(self):
        return f"[::1]:{self.sip6}"

    def start(self):
        command = [
            os.environ["RINGDESK_BIN"], "serve", "--config", self.settings, "--demo", "--data", self.data, "--flows", self.flows,
            "--sip-bind", self.address, "--http-bind", f"127.0.0.1:{self.http_port}",
            "--rtp-ports", f"{self.rtp_low}-{self.rtp_high}", "--media-threads", "1",
        ]
        if self.sip_tls:
            command += ["--sip-tls", f"127.0.0.1:{self.sip_tls}", "--http-tls", f"127.0.0.1:{self.https_port}"]
        began = time.monotonic()
        self.process = Process("ringdesk", command, self.world.log("ringdesk"), cwd=self.world.folder, env=self.env)
        until("the server is healthy", self.healthy, 30)
        return time.monotonic() - began

    def healthy(self):
        check(self.process.running(), "the server ended")
        with urllib.request.urlopen(self.http + "/healthz", timeout=2) as answer:
            return answer.status == 200

    def kill(self):
        self.process.stop(signal.SIGKILL)

    # ---- the picture ----

    def metrics(self):
        _, text = self.api.raw("GET", "/metrics")
        rows = (line.split() for line in text.decode().splitlines() if line and not line.startswith("#"))
        return {row[0]: float(row[1]) for row in rows}

    def empty(self):
        """No leg is left, neither in the center nor in the engine, and every port is free."""
        m = self.metrics()
        return (
            m["ringdesk_legs"] == 0 and m["ringdesk_media_legs"] == 0 and m["ringdesk_media_recordings"] == 0
            and m["ringdesk_media_port_pairs"] == m["ringdesk_media_port_pairs_free"]
        )

    def wait_empty(self, seconds=8):
        try:
            until("no legs", self.empty, seconds)
        except Failed:
            m = self.metrics()
            raise Failed("left behind: " + ", ".join(f"{k} {v:.0f}" for k, v in m.items() if "legs" in k or "pairs" in k))

    def rss_mb(self):
        with open(f"/proc/{self.process.p.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024

    def live(self):
        return self.api.get("/api/v1/interactions?live=true")["interactions"]

    def contact_of(self, number, stage=None):
        for row in self.live():
            if row["from"].endswith(number.lstrip("+")) and (stage is None or row["stage"] == stage):
                return row
        return None

    def wait_contact(self, number, stage, seconds=10):
        return until(f"the call from {number} is in stage `{stage}`", lambda: self.contact_of(number, stage), seconds)

    def history(self):
        """Every record, newest first."""
        return self.api.get("/api/v1/interactions?limit=200")["interactions"]

    def record(self, id):
        return self.api.get(f"/api/v1/interactions/{id}")

    def timeline(self, id):
        return self.api.get(f"/api/v1/interactions/{id}/timeline")["facts"]

    def kinds(self, id):
        return [f["fact"] for f in self.timeline(id)]

    def wait_fact(self, id, kind, seconds=10, **fields):
        def found():
            for f in self.timeline(id):
                if f["fact"] == kind and all(f.get(k) == v for k, v in fields.items()):
                    return f
        return until(f"fact {kind} {fields or ''} of {id}", found, seconds)

    def recording(self, id):
        """The recording as a player gets it."""
        status, data = self.api.raw("GET", f"/api/v1/interactions/{id}/recording")
        check(status == 200, f"the recording of {id}: {status} {data[:200]}")
        path = self.world.path(f"recording-{id}.wav")
        with open(path, "wb") as f:
            f.write(data)
        return sound.read_wav(path)

    # ---- the agents ----

    def agent(self, who):
        return self.api.get("/api/v1/agents")[who]

    def ready(self, *who):
        for w in who:
            self.api.post(f"/api/v1/agents/{w}/sign-in")
            self.api.ask("PUT", f"/api/v1/agents/{w}/state", {"state": "ready"})
            # Apart, so that who has been idle longest is plain.
            until(f"{w} is ready", lambda: self.agent(w)["state"] == "ready")

    def wait_state(self, who, state, seconds=10, work=None):
        def so():
            a = self.agent(who)
            works = [w["work"] for w in a["work"]]
            return a if a["state"] == state and (work is None or works == work) else None
        return until(f"{who} is {state}" + ("" if work is None else f" with work {work}"), so, seconds)


class Phone:
    """baresip: says one tone, writes down what it hears, does what it is told.

    `modules` are more of baresip's, `contacts` those whose presence it shows, `v6` puts it on IPv6. `transport` is how it signals; `keys` how its sound is protected: `srtp` (keys in the signalling) or `dtls_srtp` (a handshake).
    """

    def __init__(self, server, user, voice=None, registers=True, port=None, transport="udp", keys=None, modules=(),
                 contacts=(), v6=False):
        world = server.world
        world.count += 1
        self.user, self.server, self.voice = user, server, VOICES[voice or user]
        self.folder = world.path(f"p{world.count}")
        os.makedirs(self.folder)
        password = server.credentials["sip_passwords"].get(user, "")
        login = f";auth_user={user};auth_pass={password};regint=60" if registers else ";regint=0"
        self.at = f"127.0.0.1:{server.sip_tls}" if transport == "tls" else server.address6 if v6 else server.address
        self.v6 = v6
        self.transport = transport
        login += f";mediaenc={keys}" if keys else ""
        login += ";mwi=yes" if "mwi" in modules else ""
        account = f"<sip:{user}@{self.at};transport={transport}>{login};answermode=manual;audio_codecs=pcmu/8000/1,pcma/8000/1\n"
        self.write("accounts", account)
        self.write("contacts", "".join(f'"{who}" <sip:{who}@{self.at}>;presence=p2p\n' for who in contacts))
        self.modules = modules
        self.process = self.socket = None
        self.events, self.answers = [], []
        self.changed = threading.Condition()
        world.ends.append(self.stop)
        for left in (2, 1, 0):
            if self.start(world, voice or user, port, left):
                break
        threading.Thread(target=self.read, daemon=True).start()
        if registers:
            until(f"{user}'s phone is registered", lambda: server.agent(user)["phone"])

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as f:
            f.write(text)

    def start(self, world, voice, port, tries_left):
        """Starts baresip. It may find a port taken that was free a moment ago, and then ends; another try has other ports."""
        # The port after its own is its TLS port.
        self.port, control, rtp = port or PORTS.one(row=2), PORTS.one(), PORTS.many(20)
        with open(os.path.join(HERE, "baresip.config")) as f:
            config = f.read()
        for mark, value in {
            "@SIP@": f"{'[::1]' if self.v6 else '127.0.0.1'}:{self.port}", "@IP@": "::1" if self.v6 else "127.0.0.1", "@CONTROL@": f"127.0.0.1:{control}", "@RTP@": f"{rtp}-{rtp + 19}",
            "@VOICE@": world.tone(voice), "@FOLDER@": self.folder, "@MODULES@": modules(),
        }.items():
            config = config.replace(mark, value)
        if self.transport == "tls":
            # It takes our certificate and no other.
            config += f"sip_cafile {self.server.data}/tls-cert.pem\n"
        config += "".join(f"module_app {name}.so\n" for name in self.modules)
        self.write("config", config)
        log = world.log(f"phone-{self.user.lstrip('+')}")
        self.process = Process("baresip", ["baresip", "-6" if self.v6 else "-4", "-f", self.folder], log, cwd=self.folder)

        def connected():
            if not self.process.running():
                return "ended"
            return socket.create_connection(("127.0.0.1", control), 1)
        try:
            self.socket = until("the phone's control port", connected, 4 if tries_left else 10)
        except Failed:
            self.socket = "ended"
        if self.socket != "ended":
            self.socket.settimeout(None)
            return True
        self.socket = None
        self.process.stop()
        if not tries_left:
            raise Failed(f"{self.user}'s phone does not start (exit {self.process.p.returncode})")
        return False

    def read(self):
        buffer = b""
        while True:
            try:
                more = self.socket.recv(65536)
            except OSError:
                more = b""
            if not more:
                return
            buffer += more
            while b":" in buffer:
                size, rest = buffer.split(b":", 1)
                if len(rest) < int(size) + 1:
                    break
                message, buffer = json.loads(rest[: int(size)]), rest[int(size) + 1 :]
                with self.changed:
                    (self.events if message.get("event") else self.answers).append(message)
                    self.changed.notify_all()

    def tell(self, command, params=""):
        message = json.dumps({"command": command, "params": params, "token": "t"}).encode()
        self.socket.sendall(b"%d:%s," % (len(message), message))

    def ask(self, command):
        """What it prints, without colours."""
        with self.changed:
            said = len(self.answers)
            self.tell(command)
            check(self.changed.wait_for(lambda: len(self.answers) > said, 5 * SLOW), f"{self.user}'s phone does not answer {command}")
            return re.sub(r"\x1b\[[\d;]*m", "", self.answers[-1]["data"])

    def mark(self):
        """A place in the events: what has happened is not waited for again."""
        return len(self.events)

    def wait(self, kind, seconds=10, since=0):
        end = time.monotonic() + seconds * SLOW
        with self.changed:
            while True:
                for e in self.events[since:]:
                    if e["type"] == kind:
                        return e
                left = end - time.monotonic()
                if left <= 0:
                    seen = " ".join(e["type"] for e in self.events)
                    raise Failed(f"{self.user}'s phone: no {kind} within {seconds * SLOW:.0f} s; it saw: {seen}")
                self.changed.wait(left)

    def saw(self, kind, since=0):
        return [e for e in self.events[since:] if e["type"] == kind]

    def dial(self, number):
        since = self.mark()
        self.tell("dial", f"sip:{number}@{self.at};transport={self.transport}")
        self.wait("CALL_ESTABLISHED", since=since)

    def accept(self, since=0):
        self.wait("CALL_INCOMING", since=since)
        at = self.mark()
        self.tell("accept")
        self.wait("CALL_ESTABLISHED", since=at)

    def reject(self, since=0):
        self.wait("CALL_INCOMING", since=since)
        at = self.mark()
        self.tell("hangup")
        self.wait("CALL_CLOSED", since=at)

    def key(self, digit):
        """One key, pressed and let go (RFC 4733)."""
        self.tell("sndcode", digit)
        time.sleep(0.12)  # how long a finger stays on it
        self.tell("sndcode", "\x04")

    def hang_up(self):
        since = self.mark()
        self.tell("hangup")
        self.wait("CALL_CLOSED", since=since)

    def heard(self, nth=-1):
        """What came out of the earpiece in the nth call: baresip finishes the file when the call is over."""
        def closed():
            files = sorted(glob.glob(os.path.join(self.folder, "dump-*-dec.wav")), key=os.path.getctime)
            return files and sound.read_wav(files[nth])
        return until("the phone's recording", closed, 5)

    def stop(self):
        if self.socket:
            self.socket.close()
        if self.process:
            self.process.stop()


def modules():
    for folder in glob.glob("/usr/lib/baresip/modules") + glob.glob("/usr/lib/*/baresip/modules") + glob.glob("/usr/local/lib/baresip/modules"):
        return folder
    raise Failed("baresip's modules are not installed: scripts/bootstrap.sh --test")


class Sipp:
    """One run of sipp. `key` is pressed after the answer, then `voice` is heard; `end` is `leave` (after `stays_ms`) or `stay`.

    sipp plays captures through a raw socket, which only root may open; RAW says whether that works here.
    """

    RAW = os.geteuid() == 0

    def __init__(self, server, scenario, number, caller="+15550001000", key=None, voice=None, end="leave", stays_ms=1000,
                 calls=1, rate=None, transport="u1", crowd=False, marks=None, port=None, auth_uri=None, v6=False):
        world = server.world
        world.count += 1
        self.name = f"sipp-{world.count}-{scenario}"
        self.port, rtp = port or PORTS.one(), PORTS.many(8)
        with open(os.path.join(HERE, "sipp", f"{scenario}.xml")) as f:
            text = f.read()
        if "@END@" in text:
            with open(os.path.join(HERE, "sipp", f"{end}.part")) as f:
                text = text.replace("@END@", f.read())
            with open(os.path.join(HERE, "sipp", "turned-away.part")) as f:
                turned = f.read()
            # In a crowd 503 is an answer a caller can live with.
            text = text.replace("@CROWD@", ' <recv response="503" optional="true" next="turned"/>\n' if crowd else "")
            text = text.replace("@TURNED@", turned if crowd else "")
            text = text.replace("@SOUND@", "".join(
                f' <pause milliseconds="{wait}"/>\n <nop><action><exec play_pcap_audio="{capture}"/></action></nop>\n'
                for wait, capture in self.captures(world, key, voice)
            ))
        for mark, value in (marks or {}).items():
            text = text.replace(mark, value)
        path = world.path(f"{self.name}.xml")
        with open(path, "w") as f:
            f.write(text)
        here = "::1" if v6 else "127.0.0.1"
        command = [
            "sipp", server.address6 if v6 else server.address, "-sf", path, "-s", number, "-t", transport, "-i", here, "-p",
            str(self.port), "-mi", here, "-mp", str(rtp), "-m", str(calls), "-d", str(stays_ms), "-nostdin", "-key", "caller", caller,
            "-recv_timeout", str(int(20_000 * SLOW)), "-timeout", f"{int(60 * SLOW)}", "-timeout_error",
            "-trace_err", "-error_file", world.log(f"{self.name}-errors"),
        ]
        if auth_uri:
            # Without it sipp's digest leaves out whom the request is for.
            command += ["-auth_uri", auth_uri]
        if rate:
            command += ["-r", str(rate), "-l", str(calls)]
        self.process = Process("sipp", command, world.log(self.name), cwd=world.folder)
        world.ends.append(self.process.stop)

    @staticmethod
    def captures(world, key, voice):
        if not Sipp.RAW and (key or voice):
            raise Failed("sipp plays captures as root only")
        if key:
            yield 300, f"/usr/share/sip-tester/dtmf_2833_{key}.pcap"
        if voice:
            path = world.path(f"{voice}.pcap")
            tone = sound.alaw_encode(sound.sine(VOICES[voice], 1, LOUD))
            frames = [tone[i : i + sound.FRAME] for i in range(0, len(tone), sound.FRAME)] * 20
            sound.write_pcap(path, frames, 8)
            yield 700, path

    def end(self, seconds=30):
        """Waits until it is through; it has to be content."""
        until(f"{self.name} is through", lambda: not self.process.running(), seconds)
        if self.process.p.returncode != 0:
            raise Failed(f"{self.name} is not content (exit {self.process.p.returncode}): see its log")


# ---- telling ----

class Told:
    def __init__(self, name, seconds, figures, error, world):
        self.name, self.seconds, self.figures, self.error, self.world = name, seconds, figures, error, world


def tell(name, story, folder):
    # A short name: baresip cuts the paths of its recordings.
    world = World(name, tempfile.mkdtemp(prefix="s", dir=folder))
    began, error = time.monotonic(), None
    try:
        story(world)
    except Failed as e:
        error = str(e)
    except Exception as e:  # a mistake in the story itself
        import traceback
        error = "".join(traceback.format_exception(e))
    world.close()
    return Told(name, time.monotonic() - began, world.figures, error, world)


def print_logs(world, lines=60):
    for path in world.logs:
        if os.path.exists(path) and os.path.getsize(path):
            with open(path, errors="replace") as f:
                tail = f.read().splitlines()[-lines:]
            print(f"  ---- {os.path.basename(path)}")
            for line in tail:
                print(f"  | {line[:300]}")
