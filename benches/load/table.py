"""Results as JSON with everything, and as a Markdown table with what matters."""

import datetime
import json
import os
import platform
import re
from pathlib import Path
from statistics import mean


def machine(engines, options, priority, seconds):
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory_kb = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())[1])
    return {
        "date": datetime.datetime.now().isoformat(timespec="minutes"),
        "machine": f"{os.cpu_count()} cores {cpu[1].strip() if cpu else platform.machine()}, "
                   f"{memory_kb / 2**20:.0f} GiB, Linux {platform.release()}",
        "versions": {e.name: e.version() for e in engines},
        "engine_core": options.engine_core,
        "generator_core": options.generator_core,
        "real_time_priority": priority,
        "seconds": vars(seconds),
        "load_average_before": os.getloadavg()[0],
    }


def short(probe):
    """A line of figures for the terminal."""
    f = probe.figures
    if probe.kind == "set-ups":
        answer = f["answer_ms"] or {"p50": 0, "p99": 0}
        text = (f"{f['completed']}/{f['attempted']} p50 {answer['p50']:.1f} p99 {answer['p99']:.1f} ms "
                f"{f['cpu_ms_per_call'] or 0:.2f} ms/call core {f['cpu_pct_of_core']:.0f} %")
    elif "delivery" in f:
        transit = f" transit p99 {f['transit_ms']['p99']:.2f}" if f["transit_ms"] else ""
        text = (f"{f['delivery']:.2%} jitter p99 {f['jitter_ms']['p99']:.1f} gap p99 {f['gap_ms']['p99']:.1f}{transit} ms "
                f"{f['cpu_us_per_call_second'] / 1e3:.2f} ms/call-s core {f['cpu_pct_of_core']:.0f} % "
                f"{f['rss_kb_per_call']:.0f} kB/call generator {f['generator_cpu_pct']:.0f} %")
    else:
        text = f"answered {f['answered']} {f['failures']}"
    return f"{text}  {probe.why}"


def write(folder, facts, capacities, probes, common):
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{facts['date'][:10]}-load"
    everything = {**facts, "common_load": common, "capacities": capacities, "probes": probes}
    stem.with_suffix(".json").write_text(json.dumps(everything, indent=1) + "\n")
    page = stem.with_suffix(".md")
    page.write_text(markdown(facts, capacities, probes, common, stem.name))
    return page


def markdown(facts, capacities, probes, common, stem):
    names = list(facts["versions"])
    rows = []

    def capacity(kind, title):
        found = capacities.get(kind, {})
        values = {n: found[n]["passes"] for n in found}
        marks = {n: "≥ " if found[n]["limit"] == "generator" else "" for n in found}
        if any(values.values()):
            rows.append((title, values, lambda n, v: f"{marks[n]}{v:,}", "more"))

    def at_common(kind, title, pick, form):
        values = {n: average(probes, n, kind, pick) for n in names}
        values = {n: v for n, v in values.items() if v is not None}
        if values:
            rows.append((title, values, lambda n, v: form.format(v), "less"))

    us_as_ms = lambda f: (f.get("cpu_us_per_call_second") or 0) / 1e3 or None
    capacity("prompt", "prompt calls that pass")
    at_common("prompt", f"CPU per call-second, {common['prompt']} prompt calls", us_as_ms, "{:.2f} ms")
    at_common("prompt", "memory per prompt call", lambda f: f.get("rss_kb_per_call"), "{:.0f} kB")
    at_common("prompt", "answer to first packet, p50", lambda f: p(f, "first_rtp_ms", "p50"), "{:.2f} ms")
    at_common("prompt", "answer to first packet, p99", lambda f: p(f, "first_rtp_ms", "p99"), "{:.2f} ms")
    capacity("bridged", "queue calls, bridged to an agent, that pass")
    at_common("bridged", f"CPU per call-second, {common['bridged']} bridged calls", us_as_ms, "{:.2f} ms")
    at_common("bridged", "memory per bridged call", lambda f: f.get("rss_kb_per_call"), "{:.0f} kB")
    at_common("bridged", "transit, p50", lambda f: p(f, "transit_ms", "p50"), "{:.2f} ms")
    at_common("bridged", "transit, p99", lambda f: p(f, "transit_ms", "p99"), "{:.2f} ms")
    capacity("set-ups", "call set-ups per second that pass")
    at_common("set-ups", f"CPU per set-up, at {common['set-ups']}/s", lambda f: f.get("cpu_ms_per_call"), "{:.2f} ms")
    at_common("set-ups", "INVITE to answer, p50", lambda f: p(f, "answer_ms", "p50"), "{:.1f} ms")
    at_common("set-ups", "INVITE to answer, p99", lambda f: p(f, "answer_ms", "p99"), "{:.1f} ms")

    ours, theirs = "hotline", "Asterisk"
    lines = [
        f"# Load on one core, {facts['date'].replace('T', ' ')}",
        "",
        f"{facts['machine']}. Engine on core {facts['engine_core']}, callblast on core {facts['generator_core']}, "
        + (f"both SCHED_FIFO {facts['real_time_priority']}. " if facts["real_time_priority"] else "normal priority. ")
        + "; ".join(facts["versions"].values())
        + f". Load average {facts['load_average_before']:.1f} before, {facts['load_average_after']:.1f} after; "
        f"{facts['minutes']} minutes. ../README.md says what the figures mean; {stem}.json has every probe.",
        "",
        "| | " + " | ".join(names) + " | hotline is |",
        "|---|" + "---|" * (len(names) + 1),
    ]
    for title, values, form, better in rows:
        cells = [form(n, values[n]) if values.get(n) is not None else "-" for n in names]
        lines.append(f"| {title} | " + " | ".join(cells) + f" | {ratio(values.get(ours), values.get(theirs), better)} |")
    lines += ["", "## Probes for the limits", "",
              "| | engine | load | | |", "|---|---|---|---|---|"]
    for probe in probes:
        if probe["purpose"] != "common":
            f = probe["figures"]
            cost = us_as_ms(f)
            seen = f"{cost:.2f} ms per call-second" if cost else (
                f"{f['cpu_ms_per_call']:.2f} ms per set-up" if f.get("cpu_ms_per_call") else "")
            lines.append(f"| {probe['kind']} | {probe['engine']} | {probe['load']} | {probe['verdict']} | "
                         f"{'; '.join(filter(None, [probe['why'], seen]))} |")
    return "\n".join(lines) + "\n"


def average(probes, engine, kind, pick):
    found = [pick(p["figures"]) for p in probes
             if p["purpose"] == "common" and p["engine"] == engine and p["kind"] == kind]
    found = [v for v in found if v is not None]
    return mean(found) if found else None


def p(figures, name, quantile):
    return (figures.get(name) or {}).get(quantile)


def ratio(ours, theirs, better):
    if not ours or not theirs:
        return ""
    factor = ours / theirs if better == "more" else theirs / ours
    return f"{factor:.2f} times better" if factor >= 1 else f"{1 / factor:.2f} times **worse**"
