"""One measurement: callblast against a running engine, and what its reports say."""

import json
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from engines import PASSWORD, PROMPT, QUEUE, SET_UP, pinned

# callblast's own ports, above those of the engines.
CALL_SIP, AGENT_SIP = 61001, 61000
CALL_RTP, AGENT_RTP = 33000, 47000
# Calls to a socket of the generator's: more calls fit on its one core.
SHARE = 64

# What passes. Both engines are held to the same.
DELIVERY_MIN = 0.99
LATE_MS_MAX = 30
SET_UP_P99_MS_MAX = 200
GOODPUT_MIN = 0.99


@dataclass
class Seconds:
    """How long each part of a measurement takes."""
    ramp: float = 5
    settle: float = 1.5
    steady: float = 4
    set_ups: float = 5


@dataclass
class Probe:
    """A measurement's outcome. `verdict` is "pass", "fail", or "void" when the generator itself was late, full or
    lost packets: that proves nothing of the engine."""
    engine: str
    kind: str
    load: int
    verdict: str
    why: str
    figures: dict
    commands: list = field(default_factory=list)


class Blast:
    """callblast on the generator's core."""

    def __init__(self, binary, folder, core, priority, seconds):
        self.binary, self.folder = Path(binary).resolve(), Path(folder)
        self.core, self.priority, self.seconds = core, priority, seconds
        self.commands = []
        self.folder.mkdir(parents=True, exist_ok=True)

    def probe(self, engine, kind, load):
        """Starts the engine afresh, puts `load` on it (calls, or set-ups a second), and judges."""
        self.commands = []
        agents = load + 5 if kind == "bridged" else 0
        pid = engine.start(agents)
        try:
            verdict, why, figures = getattr(self, kind.replace("-", "_"))(engine, pid, load)
        finally:
            engine.stop()
        return Probe(engine.name, kind, load, verdict, why, figures, self.commands)

    def prompt(self, engine, pid, calls):
        report = self.call(engine, pid, PROMPT, calls, self.steady(calls))
        return judge_media(calls, [report])

    def bridged(self, engine, pid, calls):
        host = engine.sip[0]
        agents = calls + 5
        phones = self.start("agents", [
            "agent", "--listen", f"{host}:{AGENT_SIP}", "--register", f"{host}:{engine.sip[1]}",
            "--agents", agents, "--user", "agent{n}", "--password", PASSWORD, "--rtp-base", AGENT_RTP,
            "--share", SHARE, "--codec", "pcma", "--steady-calls", calls, "--settle", self.seconds.settle,
            "--max-run", self.run_max(),
        ])
        try:
            # They register all at once; callblast does not say when they have.
            time.sleep(1.5 + agents / 500)
            report = self.call(engine, pid, QUEUE, calls, self.steady(calls))
        finally:
            heard = self.end(phones, "agents")
        verdict, why, figures = judge_media(calls, [report, heard])
        figures["registered"] = heard["calls"]["registered"]
        return verdict, why, figures

    def set_ups(self, engine, pid, rate):
        report = self.call(engine, pid, SET_UP, round(rate * self.seconds.set_ups), [
            "--rate", rate, "--media", "none", "--duration", 0, "--ring-timeout", 10])
        return judge_set_ups(rate, report)

    def steady(self, calls):
        rate = max(20, calls / self.seconds.ramp)
        return ["--rate", round(rate), "--settle", self.seconds.settle, "--steady", self.seconds.steady,
                "--share", SHARE, "--ring-timeout", 15]

    def call(self, engine, pid, number, calls, options):
        process = self.start("calls", [
            "call", "--target", f"{engine.sip[0]}:{engine.sip[1]}", "--to", number, "--calls", calls,
            "--codec", "pcma", "--sip-port", CALL_SIP, "--rtp-base", CALL_RTP, "--watch", pid,
            "--max-run", self.run_max(), *options,
        ])
        try:
            process.wait(self.run_max() + 10)
        finally:
            report = self.end(process, "calls")
        return report

    def run_max(self):
        return 45

    def start(self, name, arguments):
        arguments = [*map(str, arguments), "--quiet", "--json", str(self.folder / f"{name}.json")]
        (self.folder / f"{name}.json").unlink(missing_ok=True)
        self.commands.append("callblast " + " ".join(arguments[:-2]))
        return subprocess.Popen(pinned(self.core, self.priority, [self.binary, *arguments]),
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def end(self, process, name):
        """Its report; the process is ended by its id if it is still there."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                process.send_signal(how)
                try:
                    process.wait(6)
                except subprocess.TimeoutExpired:
                    pass
        return json.loads((self.folder / f"{name}.json").read_text())


def judge_media(calls, reports):
    """Both sides of a bridge must hear well; the figures are the callers'."""
    first = reports[0]
    figures = {
        "answered": first["calls"]["answered"],
        "failures": first["calls"]["failures"],
        "answer_ms": quantiles(first["signalling_ms"]["invite_to_answer"]),
        "first_rtp_ms": quantiles(first["media"]["answer_to_first_rtp_ms"]),
        "generator_cpu_pct": sum(r["generator"]["cpu_pct_of_core"] for r in reports),
    }
    steady = [r.get("steady") for r in reports]
    if steady[0]:
        own = steady[0]
        figures |= {
            "delivery": min(s["delivery_ratio"] for s in steady if s),
            "jitter_ms": worst([s["jitter_ms"] for s in steady if s]),
            "gap_ms": worst([s["gap_ms"] for s in steady if s]),
            "transit_ms": quantiles(own["transit_ms"]),
            "cpu_us_per_call_second": own["engine"].get("cpu_us_per_call_second"),
            "cpu_pct_of_core": own["engine"]["cpu_pct_of_core"],
            "rss_kb_per_call": own["engine"].get("rss_kb_per_call"),
            "threads": own["engine"]["threads_after"],
            "switches_per_s": own["engine"]["ctxt_switches_per_s"],
            "generator_cpu_pct": sum(s["generator"]["cpu_pct_of_core"] for s in steady if s),
            "steal_pct": own["host_pct"].get("cpu0", {}).get("steal"),
        }
    untrusted = not all(r["generator"]["trustworthy"] for r in reports)
    if figures["answered"] < calls:
        return "fail", f"{figures['answered']} of {calls} calls answered", figures
    if not all(steady):
        return "fail", "the calls were never all up", figures
    if figures["delivery"] < DELIVERY_MIN:
        why = f"{figures['delivery']:.1%} delivered"
    elif (late := max(figures["jitter_ms"]["p99"], figures["gap_ms"]["p99"])) > LATE_MS_MAX:
        why = f"p99 of gap or jitter {late:.1f} ms"
    else:
        why = ""
    if untrusted:
        return "void", why or "the generator was late, full or lost packets", figures
    return ("fail" if why else "pass"), why, figures


def judge_set_ups(rate, report):
    calls, whole = report["calls"], report["engine_whole_run"]
    figures = {
        "attempted": calls["attempted"],
        "completed": calls["completed"],
        "failures": calls["failures"],
        "answered_per_s": calls.get("answered_cps"),
        "answer_ms": quantiles(report["signalling_ms"]["invite_to_answer"]),
        "bye_ms": quantiles(report["signalling_ms"]["bye_to_reply"]),
        "retransmitted": sum(report["sip"]["retransmitted"].values()),
        "cpu_ms_per_call": whole.get("cpu_ms_per_answered_call"),
        "cpu_pct_of_core": whole["cpu_pct_of_core"],
        "rss_kb_after": whole["rss_kb_after"],
        "generator_cpu_pct": report["generator"]["cpu_pct_of_core"],
    }
    goodput = calls["completed"] / max(1, calls["attempted"])
    if goodput < GOODPUT_MIN:
        why = f"{goodput:.1%} completed"
    elif figures["answer_ms"]["p99"] > SET_UP_P99_MS_MAX:
        why = f"p99 of INVITE to answer {figures['answer_ms']['p99']:.0f} ms"
    else:
        why = ""
    if not report["generator"]["trustworthy"] or calls.get("offered_cps", rate) < 0.97 * rate:
        return "void", why or "the generator did not keep up", figures
    return ("fail" if why else "pass"), why, figures


def quantiles(histogram):
    if not histogram:
        return None
    return {name: histogram[name] for name in ("p50", "p99", "max")}


def worst(histograms):
    found = [quantiles(h) for h in histograms if h]
    return {name: max(h[name] for h in found) for name in found[0]} if found else {"p50": 1e9, "p99": 1e9, "max": 1e9}
