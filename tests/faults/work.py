"""The work that is hurt: import, run, labelling, export; what must hold after it, whatever came.

Every kind of work has a template that is copied, an act that a process does until it is hurt, and a
check that looks at what is left, does the work again as a user would, and compares the outcome with
that of the same work left in peace.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from app.payloads import Desk
from app.services.labels import read_annotations
from app.services.workspace import open_workspace
from pul import jobs
from pul.data.datasets import read_dataset
from pul.data.images import check_images
from pul.errors import PulError, StoreError
from pul.exchange import LABEL_FORMATS, export_identities
from pul.jobs.worker import work
from pul.models.network import save_network
from pul.records import IterationArrays
from pul.reports.workspace_check import examine_workspace
from pul.store.workspace import Workspace
from tests.support.networks import TINY_RUN, tiny_network
from tests.support.places import write_place

CONFIG = TINY_RUN.replace(n_clusters=4)
SURPRISE = "An unexpected error, which is a bug"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Work:
    """One kind of work.

    Attributes:
        name: What it is called.
        prepare: Makes its template in a new folder.
        act: Does the work in a copy of it; says what has been acknowledged.
        check: Looks at the copy after a fault, given what was said, and mends it as the messages
            tell; returns the outcome, to be compared with that of work in peace, and problems.
    """

    name: str
    prepare: Callable[[Path], None]
    act: Callable[[Path, Say], None]
    check: Callable[[Path, list[str]], tuple[Any, list[str]]]


def doctored(location: Path) -> list[str]:
    """Return the complaints of `doctor` that do not say how to mend what they complain of."""
    ways = ("resume", "backup", "import again", "Bring", "Put", "Free", "Make one", "mend")
    found = [f for f in examine_workspace(location) if f.level == "error"]
    silent = [f"doctor: {f.subject}: {f.message}" for f in found]
    return [text for text in silent if not any(way in text for way in ways)]


def _make(folder: Path) -> Workspace:
    place = write_place(folder / "place", n_people=5, n_images_each=4)
    (place / "bounding_box_train" / "0001_c1s1_000099_01.png").write_bytes(b"\x89PNG half of")
    return Workspace.create(folder / "workspace", name="faults")


def _with_images(folder: Path) -> Workspace:
    workspace = _make(folder)
    workspace.add_dataset(check_images(read_dataset(folder / "place")))
    return workspace


# Import


def _prepare_import(folder: Path) -> None:
    with _make(folder) as workspace:
        params = {"root": str(folder / "place"), "format": "auto"}
        workspace.create_job("import", params=params)


def _import(folder: Path, say: Say) -> None:
    with Workspace.open(folder / "workspace") as workspace:
        _raise_surprise(work(workspace, 1))
        say("imported")


def _check_import(folder: Path, said: list[str]) -> tuple[Any, list[str]]:
    problems = doctored(folder / "workspace")
    with Workspace.open(folder / "workspace") as workspace:
        before = _images(workspace)
        jobs.reap_lost_jobs(workspace)
        job = workspace.create_job("import", params=workspace.job(1).params)
        if (ended := work(workspace, job.job_id)).status != "finished":
            problems.append(f"the import cannot be repeated: {ended.error}")
        after = _images(workspace)
        if before and before != after:
            problems.append(f"a part of the images was there: {len(before)}")
        if said and not before:
            problems.append("an import that was said to be done is gone")
        return (after, len(workspace.skipped())), problems


def _images(workspace: Workspace) -> list[Any]:
    table = workspace.images()
    names = [Path(path).name for path in table.paths]
    return [
        list(row)
        for row in zip(
            table.image_ids.tolist(), names, table.pids.tolist(), table.splits, strict=True
        )
    ]


# Run


def _prepare_run(folder: Path) -> None:
    with _with_images(folder) as workspace:
        save_network(tiny_network(), workspace.path / "start.safetensors")
        for n in (1, 2):
            images = {"images": [4 * n - 3, 4 * n - 2], "name": "", "role": "training"}
            workspace.append_annotation_event("create", images, "ann", token=f"ann-{n}")
        jobs.create_run(workspace, CONFIG, workspace.path / "start.safetensors")


def _run(folder: Path, say: Say) -> None:
    def told(event: Any) -> None:
        if type(event).__name__ == "IterationFinished":
            say(str(event.record.iteration))

    with Workspace.open(folder / "workspace") as workspace:
        _raise_surprise(work(workspace, 1, on_event=told))


def _check_run(folder: Path, said: list[str]) -> tuple[Any, list[str]]:
    location = folder / "workspace"
    problems = doctored(location)
    examine_workspace(location, repair=True)
    with Workspace.open(location) as workspace:
        whole = [record.iteration for record in workspace.iterations(1)]
        if missing := {int(n) for n in said} - set(whole):
            problems.append(f"iterations {missing} were acknowledged and are gone")
        problems += finish_run(workspace)
        expected = {workspace.iteration_path(1, n).name for n in range(3)} | {"worker.log"}
        leftovers = {path.name for path in workspace.run_path(1).iterdir()} - expected
        if leftovers:
            problems.append(f"left behind: {sorted(leftovers)}")
        outcome = digest_run(workspace)
    return outcome, problems + [f.message for f in examine_workspace(location) if _is_error(f)]


def finish_run(workspace: Workspace) -> list[str]:
    """Resume the run as a user would, until it is finished; return what kept it from that."""
    jobs.reap_lost_jobs(workspace)
    for _ in range(2):
        if workspace.run(1).status == "finished":
            return []
        job = workspace.active_job(1) or jobs.create_resumption(workspace, 1)
        ended = work(workspace, job.job_id)
    return [] if ended.status == "finished" else [f"cannot be resumed: {ended.error}"]


def digest_run(workspace: Workspace) -> list[Any]:
    """Return the figures of every iteration, and the hash of its arrays and its checkpoint."""
    digests: list[Any] = []
    for record in workspace.iterations(1):
        digest = hashlib.sha256(workspace.checkpoint_path(1, record.iteration).read_bytes())
        arrays = workspace.arrays(1, record.iteration)
        for field in fields(IterationArrays):
            digest.update(np.ascontiguousarray(arrays[field.name]).tobytes())
        metrics = None if record.metrics is None else record.metrics.mean_ap
        digests.append([record.iteration, record.epoch_losses, metrics, digest.hexdigest()])
    return json.loads(json.dumps(digests))


# Labelling, as the browser does it: what is not acknowledged stays in its outbox, and comes again


def _prepare_label(folder: Path) -> None:
    _with_images(folder).close()


def commits() -> list[dict[str, Any]]:
    """Return what an annotator does: identities are numbered by the acts that made them."""
    acts: list[dict[str, Any]] = [
        {"kind": "create", "images": [1, 2], "seconds": 3.0},
        {"kind": "add", "identity": "ann-1", "images": [3]},
        {"kind": "create", "images": [5, 6]},
        {"kind": "junk", "images": [20]},
        {"kind": "skip", "card": "a card"},
        {"kind": "create", "images": [9, 10]},
        {"kind": "merge", "identities": [1, 3]},
        {"kind": "undo"},
        {"kind": "rename", "identity": 1, "name": "=the <b>first</b>"},
        {"kind": "split", "identity": 1, "images": [3]},
        {"kind": "unsure", "images": [15]},
        {"kind": "role", "identity": 3, "role": "validation"},
    ]
    return [{"token": f"ann-{n}"} | act for n, act in enumerate(acts, start=1)]


def label(folder: Path, say: Say, n_reloads: int = 0) -> None:
    """Send acts one by one; a page that is reloaded has an empty desk and sends all again."""
    location, desk = str(folder / "workspace"), Desk()
    outbox: list[dict[str, Any]] = []
    for commit in commits():
        outbox.append(commit)
        for _ in range(n_reloads):
            desk = Desk()
            desk.receive(location, {"commits": outbox}, "ann")
        desk.receive(location, {"commits": outbox}, "ann")
        for token in desk.stored:
            say(token)
        if not n_reloads:  # a reload often comes before the browser hears of what is stored
            outbox = [kept for kept in outbox if kept["token"] not in desk.stored]
    if outbox and not n_reloads:
        raise StoreError(f"{len(outbox)} acts wait to be stored")


def _check_label(folder: Path, acknowledged: list[str]) -> tuple[Any, list[str]]:
    location = str(folder / "workspace")
    problems = doctored(folder / "workspace")
    with Workspace.open(location) as workspace:
        stored = {event.payload["token"] for event in workspace.annotation_events()}
    skips = {commit["token"] for commit in commits() if commit["kind"] == "skip"}
    if lost := set(acknowledged) - stored - skips:
        problems.append(f"acknowledged and gone: {sorted(lost)}")
    waiting = [c for c in commits() if c["token"] not in acknowledged]
    desk = Desk()
    desk.receive(location, {"commits": waiting}, "ann")
    problems += [f"refused: {outcome.text}" for outcome in desk.outcomes if outcome.is_refused]
    log = [[event.kind, event.payload] for event in open_workspace(location).annotation_events()]
    return [log, read_annotations(location).content_hash()], problems


# Export

_IMAGE_FORMATS = [name for name, known in LABEL_FORMATS.items() if not known.needs_tracks]


def _prepare_export(folder: Path) -> None:
    _with_images(folder).close()
    label(folder, lambda _: None)
    open_workspace(str(folder / "workspace")).close()


def _export(folder: Path, say: Say) -> None:
    with Workspace.open(folder / "workspace") as workspace:
        for format in _IMAGE_FORMATS:
            export_identities(workspace, folder / "out" / format, format=format)
            say(format)


def _check_export(folder: Path, said: list[str]) -> tuple[Any, list[str]]:
    problems = doctored(folder / "workspace")
    outcome = {}
    with Workspace.open(folder / "workspace") as workspace:
        for format in _IMAGE_FORMATS:
            target = folder / "out" / format
            is_there = target.is_file() or (target.is_dir() and any(target.iterdir()))
            if format in said and not is_there:
                problems.append(f"the export {format} was said to be done and is gone")
            found = _content(target, folder) if is_there else None
            shutil.rmtree(target, ignore_errors=True)
            target.unlink(missing_ok=True)
            export_identities(workspace, target, format=format)
            outcome[format] = _content(target, folder)
            if found is not None and found != outcome[format]:
                problems.append(f"half of the export {format} was taken for the whole")
    return outcome, problems


def _content(target: Path, folder: Path) -> Any:
    """Return what is in a file, or in each file below a folder; paths as if it lay elsewhere."""
    if target.is_dir():
        files = sorted(path for path in target.rglob("*") if path.is_file())
        return {str(path.relative_to(target)): _content(path, folder) for path in files}
    content = target.read_bytes().replace(os.fsencode(folder), b"")
    return hashlib.sha256(content).hexdigest()


def _raise_surprise(job: Any) -> None:
    if job.error.startswith(SURPRISE):
        raise AssertionError(job.error + "\n" + job.traceback)
    if job.status == "failed":
        raise PulError(job.error)


def _is_error(finding: Any) -> bool:
    return bool(finding.level == "error")


WORKS = {
    work.name: work
    for work in (
        Work("import", _prepare_import, _import, _check_import),
        Work("run", _prepare_run, _run, _check_run),
        Work("label", _prepare_label, label, _check_label),
        Work("export", _prepare_export, _export, _check_export),
    )
}
