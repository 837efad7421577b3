"""Plans, starts and stops the paper's tables as `pul reproduce` does. No Streamlit here.

It runs in a process of its own, which outlives the studio; a file in the workspace names it.
"""

import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from app.services.workspace import ROOT, demo_location, open_workspace
from pul import jobs
from pul.errors import ConfigError, JobError
from pul.jobs import WorkerProcess
from pul.store.workspace import Workspace

_PLAN_S = 300
_LOG_BYTES = 4_000


@dataclass(frozen=True, slots=True)
class Request:
    """What to run.

    Attributes:
        name: The table or figure.
        target: Folder of the dataset that is adapted to: that of the workspace.
        sources: Folders of labelled datasets that a start model is trained on.
        model: A start model to use instead; "" for none.
        preset: Name of the settings.
    """

    name: str
    target: str
    sources: tuple[str, ...]
    model: str
    preset: str


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One row of a plan.

    Attributes:
        label: Its name.
        status: `planned`, `missing`, or how far it is.
        missing: Data that it needs and that were not given; "" for nothing.
        seconds: What it still takes, without training its start model.
        is_measured: Whether that is from stored runs; else it is a guess.
    """

    label: str
    status: str
    missing: str
    seconds: float
    is_measured: bool


@dataclass(frozen=True, slots=True)
class Working:
    """The last process that was started.

    Attributes:
        command: Its command, as on the command line.
        is_alive: Whether it still works.
        log: The end of what it printed.
    """

    command: str
    is_alive: bool
    log: str


def likely_target(location: str) -> str:
    """Return the folder that the images of a workspace were imported from; "" if not known."""
    workspace = open_workspace(location)
    roots = [str(job.params.get("root", "")) for job in workspace.jobs() if job.kind == "import"]
    if not roots and str(workspace.path) == demo_location():
        roots = [str(workspace.path / "images" / "place-b")]
    return next((root for root in reversed(roots) if root and Path(root).exists()), "")


def problems(request: Request) -> list[str]:
    """Return what keeps a request from being planned, a sentence each."""
    found = []
    if not request.target.strip():
        found.append("Target: no folder is given; choose the dataset of this workspace.")
    given = (("Target", request.target), *(("Source", source) for source in request.sources))
    found += [
        f"{kind}: there is no folder {place}; choose another."
        for kind, place in given
        if place.strip() and not Path(place).expanduser().exists()
    ]
    if not request.model and not request.sources:
        found.append("Start model: choose one, or a labelled dataset to train one on.")
    return found


def command(location: str, request: Request) -> list[str]:
    """Return the words of the command, after `python -m pul`."""
    words = ["reproduce", request.name, "--data", request.target]
    words += [word for source in request.sources for word in ("--source", source)]
    words += ["--model", request.model] if request.model else []
    return [*words, "--preset", request.preset, "--workspace", open_workspace(location).url]


def plan(location: str, request: Request) -> tuple[PlannedRow, ...]:
    """Return the rows and what each takes; reads the datasets, in a process of its own.

    Raises:
        ConfigError: The datasets cannot be read, or do not fit.
    """
    workspace = open_workspace(location)
    done = _run([*command(location, request), "--plan", "--json"], workspace)
    if done.returncode:
        raise ConfigError(done.stderr.strip().rpartition("\n")[2].removeprefix("error: "))
    found: dict[str, Any] = json.loads(done.stdout)
    return tuple(
        PlannedRow(
            label=row["label"] + (f" ({' + '.join(row['sources'])})" if row["sources"] else ""),
            status="missing data" if row["missing"] else "planned",
            missing=row["missing"],
            seconds=float(found["left"][row["key"]]["seconds"]),
            is_measured=bool(found["left"][row["key"]]["is_measured"]),
        )
        for row in found["experiment"]["rows"]
    )


def start(location: str, request: Request) -> None:
    """Start the experiment in the background.

    Raises:
        JobError: One is running already, or no process can be started.
    """
    workspace = open_workspace(location)
    running = working(location)
    if running is not None and running.is_alive:
        raise JobError("An experiment is running in this workspace; stop it, or wait for its end.")
    words = command(location, request)
    folder = _folder(workspace)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "process.log").open("wb") as log:
            process = subprocess.Popen(
                _program(words), cwd=ROOT, env=_environment(workspace), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        told = {"process": str(WorkerProcess.of(process.pid)), "command": _shown(words)}
        (folder / "process.json").write_text(json.dumps(told), encoding="utf-8")
        # A process must be waited for by its parent, or it stays a zombie.
        threading.Thread(target=process.wait, daemon=True).start()
    except OSError as error:
        raise JobError(f"The experiment cannot be started: {error}.") from error


def working(location: str) -> Working | None:
    """Return the last experiment that was started here; None if none was."""
    folder = _folder(open_workspace(location))
    try:
        told = json.loads((folder / "process.json").read_text(encoding="utf-8"))
        with (folder / "process.log").open("rb") as log:
            log.seek(max(0, (folder / "process.log").stat().st_size - _LOG_BYTES))
            text = log.read().decode("utf-8", "replace").strip()
    except (OSError, ValueError):
        return None
    return Working(told["command"], _process(told["process"]) is not None, text)


def stop(location: str) -> None:
    """Stop the experiment: its run after the present batch, or what it does beside its runs.

    Started again with the same request it goes on: finished rows and iterations are kept.

    Raises:
        JobError: Nothing is running.
    """
    workspace = open_workspace(location)
    ours = {row.run_id for record in workspace.experiments() for row in record.rows}
    active = [job for job in workspace.active_jobs() if job.run_id in ours and job.kind == "run"]
    if active:
        jobs.stop_job(workspace, active[-1].job_id)
        return
    told = json.loads((_folder(workspace) / "process.json").read_text(encoding="utf-8"))
    process = _process(told["process"])
    if process is None:
        raise JobError("No experiment is running here.")
    process.terminate()


def _process(text: str) -> psutil.Process | None:
    named = WorkerProcess.parse(text)
    if not (named.is_here and named.is_alive):
        return None
    with suppress(psutil.Error):
        process = psutil.Process(named.pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def _folder(workspace: Workspace) -> Path:
    return workspace.path / "experiments"


def _program(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "pul", *words]


def _shown(words: Sequence[str]) -> str:
    return shlex.join(["python", "-m", "pul", *words])


def _environment(workspace: Workspace) -> dict[str, str]:
    return os.environ | workspace.secrets


def _run(words: Sequence[str], workspace: Workspace) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            _program(words), cwd=ROOT, env=_environment(workspace), capture_output=True,
            text=True, check=False, timeout=_PLAN_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"The plan took over {_PLAN_S} s; the datasets are too slow.") from error
