"""The engines under test: how each is installed in a folder of its own, started, and stopped.

Both serve the same three numbers on loopback:

    PROMPT   answers and plays a prompt from a file of its own format, without end
    QUEUE    answers and puts the caller into a queue of the agents agent1..agentN
    SET_UP   answers and waits; the caller hangs up
"""

import hashlib
import math
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

PROMPT, QUEUE, SET_UP = "1000", "2000", "3000"
PASSWORD = "bench-password"
# Below the kernel's ephemeral range; callblast has its ports above it.
PORTS = (6000, 31999)
PROMPT_SECONDS = 60


def agents(count):
    return [f"agent{n}" for n in range(1, count + 1)]


class Engine:
    """One engine, installed for a number of agents. `with engine.running(...) as pid`."""

    name = ""
    sip = ("127.0.0.1", 0)

    def __init__(self, folder, core, priority):
        self.folder, self.core, self.priority = Path(folder), core, priority
        self.process = None

    def version(self):
        raise NotImplementedError

    def install(self, agents_max):
        """Writes the whole installation; what an earlier one left is gone."""
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def start(self, agents_max, seconds_max=30):
        self.install(agents_max)
        log = open(self.folder / "output.log", "wb")
        self.process = subprocess.Popen(
            pinned(self.core, self.priority, self.command()),
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self.environment(),
        )
        log.close()
        deadline = time.monotonic() + seconds_max
        while not answers(self.sip):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self.name} did not start; see {self.folder / 'output.log'}")
        return self.process.pid

    def stop(self, patience=5):
        """Ends the process, by its own id only."""
        process, self.process = self.process, None
        if process is None:
            return
        for how in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                process.send_signal(how)
                try:
                    process.wait(patience)
                except subprocess.TimeoutExpired:
                    pass

    def environment(self):
        return dict(os.environ)


class Hotline(Engine):
    name = "hotline"
    sip = ("127.0.0.1", 5070)

    def __init__(self, folder, core, priority, binary):
        super().__init__(folder, core, priority)
        self.binary = Path(binary).resolve()

    def version(self):
        return text_of([self.binary, "--version"])

    def command(self):
        return [self.binary, "--config", self.folder / "config/hotline.toml", "run", "--quiet", "--log", "warn"]

    def install(self, agents_max):
        fresh(self.folder)
        for folder in ("config/flows", "prompts/en"):
            (self.folder / folder).mkdir(parents=True)
        write = lambda path, text: (self.folder / path).write_text(text)
        write("config/hotline.toml", HOTLINE_TOML.format(
            host=self.sip[0], port=self.sip[1], first=PORTS[0], last=PORTS[1],
            prompt=PROMPT, queue=QUEUE, set_up=SET_UP,
        ))
        ha1 = lambda hash, who: hash(f"{who}:hotline:{PASSWORD}".encode()).hexdigest()
        write("config/agents.toml", "".join(
            f'[agent.{who}]\npool = "all"\nsecret = {{ ha1_md5 = "{ha1(hashlib.md5, who)}", '
            f'ha1_sha256 = "{ha1(hashlib.sha256, who)}" }}\n'
            for who in agents(max(1, agents_max))
        ))
        write("config/flows/prompt.toml", PROMPT_FLOW)
        write("config/flows/queue.toml", QUEUE_FLOW)
        write("config/flows/set-up.toml", SET_UP_FLOW)
        write("prompts/prompts.toml", '[prompt.bench]\nen = "A signal for measuring."\n')
        (self.folder / "prompts/en/bench.wav").write_bytes(wav(signal_samples()))


HOTLINE_TOML = """
[engine]
listen = ["udp:{host}:{port}"]
languages = {{ en = [] }}
calls_max = 6000

[media]
ports = "{first}-{last}"
codecs = ["pcma", "pcmu"]
threads = 1

[check]
audio_before_person = "10m"

[number.{prompt}]
flow = "prompt"
[number.{queue}]
flow = "queue"
[number.{set_up}]
flow = "set-up"

[pool.all]
rank = 1

[queue.bench]
promise = {{ P0 = "1m", P1 = "1m", P2 = "1m", P3 = "1m" }}
length_max = 5000
"""

PROMPT_FLOW = """
[flow]
name = "prompt"
start = "prompt"
language = "en"

[step.prompt]
play = ["bench"]
next = "prompt"
"""

QUEUE_FLOW = """
[flow]
name = "queue"
start = "queue"
language = "en"

[step.queue]
queue = "bench"
on_timeout = "bye"
on_full = "bye"
on_no_agents = "bye"
next = "bye"

[step.bye]
hangup = true
"""

SET_UP_FLOW = """
[flow]
name = "set-up"
start = "wait"
language = "en"

[step.wait]
play = [{ silence = "60s" }]
next = "bye"

[step.bye]
hangup = true
"""


class Asterisk(Engine):
    """Asterisk, on this system or in the folder of another one (debootstrap)."""

    name = "Asterisk"
    sip = ("127.0.0.1", 5080)

    def __init__(self, folder, core, priority, root):
        self.root = Path(root)
        super().__init__(self.root / str(folder).lstrip("/"), core, priority)
        self.inside = Path("/") / self.folder.relative_to(self.root)

    def enter(self, command):
        return command if self.root == Path("/") else ["chroot", self.root, *command]

    def version(self):
        return text_of(self.enter(["asterisk", "-V"]))

    def command(self):
        return self.enter(["asterisk", "-f", "-C", self.inside / "asterisk.conf"])

    def know_own_name(self):
        """A bare debootstrap has no hosts file, and Asterisk would ask the network for the machine's name with each
        call, to no good but at a cost that is not its own."""
        hosts = self.root / "etc/hosts"
        if not hosts.exists():
            hosts.write_text(f"127.0.0.1 localhost {socket.gethostname()}\n")

    def install(self, agents_max):
        fresh(self.folder)
        self.know_own_name()
        for folder in ("var", "db", "keys", "spool", "run", "log"):
            (self.folder / folder).mkdir()
        modules = next(self.root.glob("usr/lib/*/asterisk/modules"))
        write = lambda path, text: (self.folder / path).write_text(text)
        write("asterisk.conf", ASTERISK_CONF.format(
            etc=self.inside, modules=Path("/") / modules.relative_to(self.root)))
        write("modules.conf", "[modules]\nautoload = no\n" + "".join(
            f"load = {module}.so\n" for module in ASTERISK_MODULES if (modules / f"{module}.so").exists()))
        write("logger.conf", "[general]\n[logfiles]\n")
        write("rtp.conf", f"[general]\nrtpstart = {PORTS[0]}\nrtpend = {PORTS[1]}\n")
        write("pjproject.conf", "[startup]\nlog_level = 0\n")
        write("pjsip.conf", PJSIP_CONF.format(host=self.sip[0], port=self.sip[1]) + "".join(
            PJSIP_AGENT.format(who=who, password=PASSWORD) for who in agents(agents_max)))
        write("queues.conf", QUEUES_CONF + "".join(f"member => PJSIP/{who}\n" for who in agents(agents_max)))
        write("extensions.conf", EXTENSIONS_CONF.format(
            sound=self.inside / "bench", prompt=PROMPT, queue=QUEUE, set_up=SET_UP))
        for empty in ("features.conf", "musiconhold.conf", "indications.conf", "cli.conf", "acl.conf", "ccss.conf",
                      "udptl.conf", "cdr.conf", "cel.conf", "manager.conf", "http.conf", "stasis.conf"):
            write(empty, {"cdr.conf": "[general]\nenable = no\n", "manager.conf": "[general]\nenabled = no\n",
                          "musiconhold.conf": MUSIC_CONF.format(etc=self.inside)}.get(empty, ""))
        (self.folder / "music").mkdir()
        samples = bytes(alaw(s) for s in signal_samples())
        (self.folder / "bench.alaw").write_bytes(samples)
        (self.folder / "music/bench.alaw").write_bytes(samples)


ASTERISK_CONF = """
[directories]
astetcdir => {etc}
astmoddir => {modules}
astvarlibdir => {etc}/var
astdbdir => {etc}/db
astkeydir => {etc}/keys
astdatadir => /usr/share/asterisk
astagidir => {etc}/var
astspooldir => {etc}/spool
astrundir => {etc}/run
astlogdir => {etc}/log
astsbindir => /usr/sbin

[options]
documentation_language = en_US
maxfiles = 20000
"""

ASTERISK_MODULES = """
res_sorcery_config res_sorcery_memory res_sorcery_astdb res_pjproject res_timing_timerfd res_rtp_asterisk
res_pjsip res_pjsip_pubsub res_pjsip_session res_pjsip_sdp_rtp res_pjsip_caller_id res_pjsip_nat res_pjsip_dtmf_info
res_pjsip_endpoint_identifier_user res_pjsip_endpoint_identifier_anonymous res_pjsip_authenticator_digest
res_pjsip_outbound_authenticator_digest res_pjsip_registrar chan_pjsip
codec_alaw codec_ulaw format_pcm bridge_simple bridge_native_rtp bridge_holding bridge_builtin_features
res_musiconhold pbx_config app_playback app_queue app_dial app_echo app_stack func_channel
""".split()

# The anonymous endpoint answers everybody; agents are known by name and password.
PJSIP_CONF = """
[global]
type = global
endpoint_identifier_order = username,anonymous
[system]
type = system
timer_t1 = 500
[udp]
type = transport
protocol = udp
bind = {host}:{port}

[leg](!)
type = endpoint
context = bench
disallow = all
allow = alaw,ulaw
direct_media = no
media_address = {host}
rtp_symmetric = yes
force_rport = yes

[anonymous](leg)

[phone](!)
type = aor
max_contacts = 1
remove_existing = yes
[secret](!)
type = auth
auth_type = userpass
"""

PJSIP_AGENT = """
[{who}](leg)
aors = {who}
auth = {who}
[{who}](phone)
[{who}](secret)
username = {who}
password = {password}
"""

QUEUES_CONF = """
[general]
persistentmembers = no
autofill = yes
log_membername_as_agent = no
[bench]
strategy = rrmemory
timeout = 20
retry = 1
wrapuptime = 0
ringinuse = no
joinempty = yes
musicclass = default
"""

MUSIC_CONF = """
[default]
mode = files
directory = {etc}/music
"""

EXTENSIONS_CONF = """
[bench]
exten => {prompt},1,Answer()
same => n(again),Playback({sound})
same => n,Goto(again)
exten => {queue},1,Answer()
same => n,Queue(bench)
same => n,Hangup()
exten => {set_up},1,Answer()
same => n,Wait(60)
same => n,Hangup()
"""


def pinned(core, priority, command):
    """The command on one core, in real time if `priority` says so."""
    real_time = ["chrt", "-f", str(priority)] if priority else []
    return [str(word) for word in ["taskset", "-c", str(core), *real_time, *command]]


def answers(address, patience=0.2):
    """Whether a SIP endpoint answers OPTIONS there, whatever it says."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(patience)
        s.connect(address)
        host, port = s.getsockname()
        tag = f"{time.monotonic_ns():x}"
        try:
            s.send((
                f"OPTIONS sip:{PROMPT}@{address[0]}:{address[1]} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{tag};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:bench@{host}>;tag={tag}\r\n"
                f"To: <sip:{PROMPT}@{address[0]}>\r\nCall-ID: {tag}@{host}\r\nCSeq: 1 OPTIONS\r\n"
                f"Contact: <sip:bench@{host}:{port}>\r\nContent-Length: 0\r\n\r\n"
            ).encode())
            return s.recv(4096).startswith(b"SIP/2.0 ")
        except OSError:
            time.sleep(0.05)
            return False


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def text_of(command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True).stdout.strip()


def signal_samples():
    """A minute of two tones, 8 kHz: they repeat after a second, so that the prompt has no seam."""
    step = 2 * math.pi / 8000
    second = [round(6000 * math.sin(440 * step * n) + 3000 * math.sin(613 * step * n)) for n in range(8000)]
    return second * PROMPT_SECONDS


def wav(samples):
    data = struct.pack(f"<{len(samples)}h", *samples)
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, 8000,
                         16000, 2, 16, b"data", len(data))
    return header + data


def alaw(sample):
    """G.711 A-law of a 16-bit sample."""
    magnitude = (sample if sample >= 0 else ~sample) >> 3
    segment = max(0, magnitude.bit_length() - 5)
    code = segment << 4 | magnitude >> max(1, segment) & 0x0F
    return code ^ (0xD5 if sample >= 0 else 0x55)
