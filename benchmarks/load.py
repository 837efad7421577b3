"""Load test: many browsers browse and label for minutes, while a run trains.

    python -m benchmarks.load WORKSPACE [--minutes 10] [--browsing 20] [--labelling 5] [--warm-up 2]

The studio and the run use a copy of the workspace, whose last run with a baseline is resumed, or
forked if it is finished. Every act that a page showed as saved must be stored exactly once;
otherwise, or if a page showed an error, the exit status is 1. Waits and levels are measured after
the warm-up, in which people arrive one after another. It needs an idle machine: all browsers run
on it too. With `--login` each logs in first, with an account of a local OIDC provider; `--against`
shows the waits of another run beside.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from app.wording import place
from benchmarks.browsing import Browsing
from benchmarks.crowd import Notes, Person
from benchmarks.labellers import Labelling
from benchmarks.provider import provide
from benchmarks.queue import copy_workspace
from benchmarks.studio import VIEWPORT, Studio, open_browser, serve
from benchmarks.tally import Growth, Verdict, compare, growth, spread
from pul import jobs
from pul.config import RunConfig
from pul.labelling.annotations import find_contradictions, fold
from pul.labelling.authors import author_names
from pul.records import JobRecord, RunRecord
from pul.store.annotations import AnnotationEvent
from pul.store.workspace import Workspace

SAMPLE_S = 5.0
ENDLESS = 10_000  # iterations of a fork, so that it does not finish before the test
_STOP_S = 120.0


@dataclass(frozen=True)
class Sample:
    """The studio's process and the run at one moment.

    Attributes:
        second: Seconds since the first person arrived.
        n_bytes: Resident memory of the studio.
        n_own_bytes: The part of it without file-backed pages, which the system may reclaim.
        n_handles: Its open files and sockets.
        run: Status of the run's job; "" if none trains.
    """

    second: float
    n_bytes: int
    n_own_bytes: int
    n_handles: int
    run: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load test and print its figures; return 1 if anything went wrong."""
    options = _parse(arguments)
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        location = Path(folder) / "workspace"
        copy_workspace(options.workspace, location)
        with Workspace.open(location) as workspace:
            seen = observe(workspace, options)
    print_report(seen)
    if options.against:
        print_comparison(json.loads(options.against.read_text()), seen)
    if options.json:
        options.json.write_text(json.dumps(seen, indent=1, ensure_ascii=False) + "\n")
    return 1 if seen["faults"] or seen["troubles"] else 0


def observe(workspace: Workspace, options: argparse.Namespace) -> dict[str, Any]:
    """Run the test on a workspace, which it changes; return all figures as plain values."""
    run = _last_run(workspace)
    before = workspace.annotation_events()
    last = before[-1].event_id if before else 0
    names = [name for name, _ in _people(options)]
    with (
        _training(workspace, run, options.run) as job,
        provide(names) if options.login else nullcontext("") as provider,
        serve(str(workspace.path), provider=provider) as studio,
    ):
        notes, samples = asyncio.run(_run_people(workspace, studio, run, job, options))
    verdict = compare(notes.reported, _signed_by_name(workspace, last))
    return _figures(workspace, options, notes, samples, verdict)


def _signed_by_name(workspace: Workspace, last: int) -> list[AnnotationEvent]:
    """Return the events after one, each with the name that its author typed."""
    events = workspace.annotation_events()
    names = author_names(workspace, [event.author for event in events])
    return [replace(e, author=names[e.author]) for e in events if e.event_id > last]


def _last_run(workspace: Workspace) -> RunRecord:
    runs = [run for run in workspace.runs() if workspace.iterations(run.run_id)]
    if not runs:
        sys.exit("No run has a baseline yet: make one with `python -m pul run --iterations 0`.")
    return runs[-1]


@contextmanager
def _training(workspace: Workspace, run: RunRecord, is_wanted: bool) -> Iterator[JobRecord | None]:
    """Train in a worker while the block runs, as the studio does."""
    for status in ("queued", "running", "paused"):  # jobs of the copied workspace's worker
        for job in workspace.jobs(status=status):
            workspace.finish_job(job.job_id, "stopped")
    if not is_wanted:
        yield None
        return
    job = _start(workspace, workspace.run(run.run_id))
    try:
        yield job
    finally:
        _stop(workspace, job)


def _start(workspace: Workspace, run: RunRecord) -> JobRecord:
    if run.status != "finished":
        return jobs.resume_run(workspace, run.run_id)
    newest = workspace.iterations(run.run_id)[-1].iteration
    config = RunConfig.model_validate(run.config)
    config = config.replace(n_iterations=ENDLESS, convergence_tolerance=0)
    fork = jobs.create_fork(workspace, run.run_id, newest, config)
    return jobs.start_job(workspace, fork.job_id)


def _stop(workspace: Workspace, job: JobRecord) -> None:
    if workspace.job(job.job_id).status not in ("queued", "running", "paused"):
        return
    jobs.stop_job(workspace, job.job_id)
    until = time.monotonic() + _STOP_S
    while workspace.job(job.job_id).status in ("queued", "running", "paused"):
        if time.monotonic() > until:  # in a step that does not check for commands
            psutil.Process(jobs.WorkerProcess.parse(job.worker).pid).terminate()
            return
        time.sleep(0.2)


async def _run_people(
    workspace: Workspace,
    studio: Studio,
    run: RunRecord,
    job: JobRecord | None,
    options: argparse.Namespace,
) -> tuple[Notes, list[Sample]]:
    """Run all people; return their notes and the samples."""
    async with open_browser(options.chromium) as browser:
        started = time.monotonic()
        warm = started + 60 * options.warm_up
        notes = Notes(since=warm)
        address = f"{studio.address}/{{}}?run={run.run_id}"
        people: list[Person] = []
        for number, (name, kind) in enumerate(_people(options)):
            # its own session
            page = await browser.new_page(viewport=VIEWPORT, color_scheme="light")
            seed = options.seed + number
            think_s = tuple(options.pace if kind is Labelling else options.think)
            given = (name, page, address, notes, seed, think_s)
            people.append(kind(*given, has_account=options.login))
        until = time.monotonic() + 60 * options.minutes
        pause_s = 60 * options.warm_up / 2 / len(people)
        samples: list[Sample] = []
        watching = asyncio.create_task(_watch(workspace, studio, job, started, samples))
        try:
            await asyncio.gather(
                *(person.live(started + n * pause_s, until) for n, person in enumerate(people))
            )
        finally:
            watching.cancel()
    return notes, samples


def _people(options: argparse.Namespace) -> list[tuple[str, type[Person]]]:
    """Return the name and the kind of each person."""
    kinds = [Labelling] * options.labelling + [Browsing] * options.browsing
    return [(f"{kind.__name__} {number}", kind) for number, kind in enumerate(kinds, start=1)]


async def _watch(
    workspace: Workspace,
    studio: Studio,
    job: JobRecord | None,
    started: float,
    samples: list[Sample],
) -> None:
    process = psutil.Process(studio.pid)
    while True:
        second = time.monotonic() - started
        memory, run_status = process.memory_info(), _status(workspace, job)
        own = memory.rss - memory.shared
        samples.append(Sample(second, memory.rss, own, process.num_fds(), run_status))
        await asyncio.sleep(SAMPLE_S)


def _status(workspace: Workspace, job: JobRecord | None) -> str:
    if job is None:
        return ""
    now = workspace.job(job.job_id)
    return f"{now.status}, {place(now.progress)}"


def _figures(
    workspace: Workspace,
    options: argparse.Namespace,
    notes: Notes,
    samples: Sequence[Sample],
    verdict: Verdict,
) -> dict[str, Any]:
    warm_s = 60 * options.warm_up
    levels = {
        "memory": [(sample.second, float(sample.n_bytes)) for sample in samples],
        "own memory": [(sample.second, float(sample.n_own_bytes)) for sample in samples],
        "handles": [(sample.second, float(sample.n_handles)) for sample in samples],
    }
    state = fold(workspace.annotation_events())
    grown = {name: growth(level, warm_s) for name, level in levels.items()}
    return {
        "minutes": options.minutes,
        "browsing": options.browsing,
        "labelling": options.labelling,
        "acts": notes.n_acts,
        "acknowledged": verdict.n_acknowledged,
        "stored": verdict.n_stored,
        "faults": verdict.faults,
        "refused": verdict.refused,
        "troubles": dict(notes.troubles),
        "contradictions": len(find_contradictions(state)),
        "waits": {kind: asdict(spread(waits)) for kind, waits in sorted(notes.waits.items())},
        "growth": {name: asdict(g) | {"percent": g.percent} for name, g in grown.items()},
        "run": [sample.run for sample in (samples[0], samples[-1])],
        "run_moved": len({sample.run for sample in samples}),
        "samples": [asdict(sample) for sample in samples],
    }


def print_report(seen: dict[str, Any]) -> None:
    """Print the figures as tables."""
    print(
        f"{seen['browsing']} browsing, {seen['labelling']} labelling, {seen['minutes']:g} minutes"
    )
    print(f"acts                  {seen['acts']}")
    print(f"acknowledged, stored  {seen['acknowledged']}, {seen['stored']}")
    for name in ("lost", "doubled", "altered", "strange", "unanswered"):
        print(f"{name:<22}{len(seen['faults'].get(name, ()))}")
    print(f"refused               {len(seen['refused'])}")
    print(f"contradictions        {seen['contradictions']}")
    print(f"\n{'wait, s':<28}{'n':>6}{'median':>9}{'p95':>9}{'worst':>9}")
    for kind, waits in seen["waits"].items():
        figures = "".join(f"{waits[name]:9.2f}" for name in ("median", "p95", "worst"))
        print(f"{kind:<28}{waits['n']:>6}{figures}")
    print()
    for name, found in seen["growth"].items():
        grown = Growth(found["first"], found["last"])
        scale, unit = (1, "") if name == "handles" else (2**20, " MiB")
        levels = f"{grown.first / scale:.0f} → {grown.last / scale:.0f}{unit}"
        print(f"{name:<22}{levels}, {grown.percent:+.1f} %")
    if any(seen["run"]):
        print(f"run, at the start     {seen['run'][0]}")
        print(f"run, at the end       {seen['run'][1]}; {seen['run_moved']} states seen")
    for name, found in (*seen["faults"].items(), ("refused", seen["refused"])):
        for line in found:
            print(f"{name}: {line}")
    for text, n in seen["troubles"].items():
        print(f"shown {n} times: {text}")


def print_comparison(before: dict[str, Any], seen: dict[str, Any]) -> None:
    """Print the p95 of each wait beside that of another run."""
    print(f"\n{'p95, s':<28}{'other':>9}{'this':>9}")
    for kind in sorted(before["waits"].keys() & seen["waits"].keys()):
        other, this = before["waits"][kind]["p95"], seen["waits"][kind]["p95"]
        print(f"{kind:<28}{other:9.2f}{this:9.2f}")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load", description=str(__doc__).splitlines()[0]
    )
    parser.add_argument("workspace", type=Path, help="folder of a workspace; it is not changed")
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="from the first to the last act"
    )
    parser.add_argument(
        "--warm-up", type=float, default=2.0, help="minutes of it that are not measured"
    )
    parser.add_argument("--browsing", type=int, default=20, help="people who browse")
    parser.add_argument("--labelling", type=int, default=5, help="people who label")
    parser.add_argument(
        "--think", type=float, nargs=2, default=(15.0, 40.0), metavar="S",
        help="shortest and longest pause of those who browse, in seconds",
    )  # fmt: skip
    parser.add_argument(
        "--pace", type=float, nargs=2, default=(3.0, 8.0), metavar="S",
        help="shortest and longest pause of those who label, in seconds",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="of what people do")
    parser.add_argument("--no-run", dest="run", action="store_false", help="do not train a run")
    parser.add_argument("--login", action="store_true", help="have each log in at a provider")
    parser.add_argument(
        "--against", type=Path, metavar="FILE", help="what --json wrote of another run"
    )
    parser.add_argument("--chromium", help="the browser; the system's if not given")
    parser.add_argument("--json", type=Path, help="file for the figures and all samples")
    options = parser.parse_args(arguments)
    if not options.workspace.is_dir():
        parser.error(f"{options.workspace} is not a workspace folder; give an existing one.")
    if options.minutes <= options.warm_up:
        parser.error("--minutes must be more than --warm-up, else nothing is measured.")
    if options.browsing + options.labelling < 1:
        parser.error("--browsing or --labelling must be at least 1.")
    return options


if __name__ == "__main__":
    sys.exit(main())
