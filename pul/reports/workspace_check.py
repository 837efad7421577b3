"""Checks of a workspace, however damaged it is: what is wrong, what is lost, how to fix it."""

import shlex
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from pul.data.file_names import printable
from pul.errors import JobError, PulError, StoreError
from pul.jobs import reap_lost_jobs
from pul.labelling.log import read_annotations
from pul.records import RunRecord
from pul.reports.finding import Finding
from pul.reports.scrub import scrub_iteration
from pul.reports.workspace_diagnosis import examine_images, examine_iteration
from pul.store.artifacts import CHECKPOINT
from pul.store.sqlite_log import describe_missing
from pul.store.workspace import Workspace

_LOW_DISK_BYTES = 2 * 2**30
_RESTORE = "Restore a backup with `python -m pul restore`."


def examine_workspace(location: str | Path, *, repair: bool = False) -> list[Finding]:
    """Check a workspace: its database, rows, images, jobs, and each byte of what is stored.

    No damage stops it: what cannot be examined is a finding. Rows and iterations that were stored
    before there were sums get theirs.

    Args:
        location: Folder or URL.
        repair: Whether to drop the iterations of a run from the first damaged one on, so that
            `pul resume` computes them again, and to set damaged labels aside.
    """
    try:
        workspace = Workspace.open(location)
    except PulError as error:
        return [Finding("error", "workspace", str(error))]
    except Exception as error:
        return [_not_examined("workspace", error)]
    with workspace:
        checks: tuple[tuple[str, Callable[[], Iterable[Finding]]], ...] = (
            ("workspace", lambda: [_name(workspace)]),
            ("database", lambda: [_check_database(workspace, repair=repair)]),
            ("rows", lambda: _check_rows(workspace, repair=repair)),
            ("labels", lambda: _check_labels(workspace)),
            ("disk", lambda: [_check_disk(workspace.path)]),
            ("images", lambda: _check_images(workspace)),
            ("jobs", lambda: _check_jobs(workspace)),
            ("runs", lambda: _check_runs(workspace, repair=repair)),
            ("data", lambda: _diagnose(workspace)),
            ("sums", lambda: _add_sums(workspace)),
        )
        return [found for subject, check in checks for found in _guarded(subject, check)]


def _guarded(subject: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Yield what a check finds; a check that fails is a finding, too."""
    try:
        yield from check()
    except PulError as error:
        yield Finding("error", subject, str(error))
    except Exception as error:  # damage makes libraries raise errors of any kind
        yield _not_examined(subject, error)


def _not_examined(subject: str, error: Exception) -> Finding:
    return Finding(
        "error",
        subject,
        f"cannot be examined, as it is damaged ({type(error).__name__}: {error}). {_RESTORE}",
    )


def _name(workspace: Workspace) -> Finding:
    return Finding("ok", "workspace", f"{workspace.name} at {workspace.url}")


def _check_database(workspace: Workspace, *, repair: bool) -> Finding:
    damage = workspace.damage()
    if damage:
        return Finding("error", "database", f"the file is damaged: {damage}. {_RESTORE}")
    since = workspace.missing_since()
    if since and repair:
        workspace.take_what_is_there()
        return Finding("warning", "database", f"what is there now counts; it ends at {since}")
    if since:
        return Finding(
            "error",
            "database",
            f"{describe_missing(since)} Copy both files again, or restore a backup; to go on from "
            f"what is there: {_command(workspace, 'doctor --repair')}.",
        )
    return Finding("ok", "database", "the file is intact")


def _check_rows(workspace: Workspace, *, repair: bool) -> Iterator[Finding]:
    """Yield the rows whose bytes are not those that were written."""
    changed = list(workspace.changed_rows())
    if changed and repair:
        n_changed = len(changed)
        changed = workspace.recover_rows(changed)
        if n_back := n_changed - len(changed):
            text = f"{n_back:,} rows of which one value had changed have it back, by their sums"
            yield Finding("warning", "rows", text)
    events = [int(row.number) for row in changed if row.table == "annotation_events"]
    yield from _check_events(workspace, events, repair=repair)
    for table, n_missing in workspace.missing_rows().items():
        what = "images" if table == "images" else "labels"
        yield Finding("error", what, f"{n_missing:,} of their rows are gone. {_RESTORE}")
    counts = Counter(row.table for row in changed)
    lost = {
        "images": "who is on them, their cameras and splits may be wrong, and so figures",
        "runs": "their settings may be wrong; their iterations are checked below",
        "controls": "the λ or K that was asked for on the way may be wrong",
        "settings": "what an experiment learns from, its figures, or where images are may be wrong",
    }
    way = f"{_command(workspace, 'doctor --repair')} finds single values again. Else: {_RESTORE}"
    for table, what in lost.items():
        if counts[table]:
            numbers = [str(row.number) for row in changed if row.table == table][:5]
            yield Finding(
                "error",
                f"rows of {table}",
                f"{counts[table]:,} are not as they were written, such as {', '.join(numbers)}: "
                f"{what}. {_RESTORE if repair else way}",
            )


def _check_events(workspace: Workspace, numbers: list[int], *, repair: bool) -> Iterator[Finding]:
    if not numbers:
        return
    named = ", ".join(map(str, numbers[:5]))
    if repair:
        paths = [workspace.set_aside_event(number) for number in numbers]
        yield Finding(
            "warning",
            "labels",
            f"{len(numbers):,} damaged acts ({named}) were set aside into {paths[0].parent}; the "
            "others stay.",
        )
        return
    yield Finding(
        "error",
        "labels",
        f"{len(numbers):,} acts are not as they were written ({named}). What they said of images "
        f"is lost; the others stay. {_RESTORE[:-1]}, or set them aside with "
        f"{_command(workspace, 'doctor --repair')}.",
    )


def _check_labels(workspace: Workspace) -> Iterator[Finding]:
    n_acts = len(read_annotations(workspace).events)
    yield Finding("ok", "labels", f"{n_acts:,} acts")


def _check_disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    text = f"{free / 2**30:.1f} GiB free at {folder}"
    if free < _LOW_DISK_BYTES:
        return Finding("warning", "disk", f"{text}: free some, or delete {folder / 'cache'}.")
    return Finding("ok", "disk", text)


def _check_images(workspace: Workspace) -> Iterator[Finding]:
    images = workspace.images()
    if not len(images):
        yield Finding("warning", "images", "none yet: `python -m pul import FOLDER --workspace …`.")
        return
    advice = workspace.advise_missing()
    if advice:
        yield Finding("error", "images", advice)
    else:
        yield Finding("ok", "images", f"{len(images):,}, no file is missing")
    changed = workspace.changed_images()
    if changed:
        yield Finding(
            "error",
            "images",
            f"{len(changed):,} of {len(images):,} files are not those that were imported, such as "
            f"{printable(changed[0])}: what was computed is of the old ones, and a run that "
            "continues would mix both. Put the old files back, or import the new ones elsewhere.",
        )
    skipped = workspace.skipped()
    if skipped:
        path, reason = skipped[0]
        yield Finding(
            "warning", "skipped files", f"{len(skipped):,}, such as {printable(path)}: {reason}"
        )


def _check_jobs(workspace: Workspace) -> Iterator[Finding]:
    for job in reap_lost_jobs(workspace, wait=True):
        yield Finding("error", f"job {job.job_id}", job.error)
    for status in ("running", "paused", "queued"):
        for job in workspace.jobs(status=status):
            yield Finding("ok", f"job {job.job_id}", f"{job.kind}, {status}")


def _check_runs(workspace: Workspace, *, repair: bool) -> Iterator[Finding]:
    for run in workspace.runs(shelf=None):
        yield from _guarded(run.name, partial(_check_run, workspace, run, repair=repair))


def _check_run(workspace: Workspace, run: RunRecord, *, repair: bool) -> Iterator[Finding]:
    """Check the start model and the iterations of a run, one by one."""
    n_new = 0
    gone = workspace.first_missing_iteration(run.run_id)
    for iteration in workspace.iteration_numbers(run.run_id):
        if gone is not None and iteration > gone:
            break
        damage, is_new = scrub_iteration(workspace, run.run_id, iteration)
        n_new += is_new
        if damage:
            yield _repair(workspace, run, iteration, damage, repair=repair)
            return
    if gone is not None:
        damage = f"The rows of iteration {gone} and later are gone from the database."
        yield _repair(workspace, run, gone, damage, repair=repair)
        return
    try:
        workspace.start_model(run.run_id)
    except PulError as error:
        rest = "What the run has computed is still there, but it cannot be resumed."
        yield Finding("error", run.name, f"{error} {rest}")
    else:
        sums = f"; {n_new} of them had no sums and have them now" if n_new else ""
        message = f"{run.status}, {run.n_iterations_done} finished iterations{sums}"
        yield Finding("ok", run.name, message)


def _repair(
    workspace: Workspace, run: RunRecord, first: int, damage: str, *, repair: bool
) -> Finding:
    while first > 0 and CHECKPOINT in workspace.pruned(run.run_id, first - 1):
        first -= 1  # resuming needs the network of the iteration before
    resume = _command(workspace, f"resume {run.run_id}")
    if not repair:
        doctor = _command(workspace, "doctor --repair")
        lost = f"Iterations {first} and later are lost until they are computed again"
        way = f"{lost}; labels are not. Restore a backup, or drop them: {doctor}"
        return Finding("error", run.name, f"{damage} {way}, then {resume}.")
    try:
        workspace.drop_iterations(run.run_id, first)
    except JobError as error:
        return Finding("error", run.name, f"{damage} {error}")
    message = f"damaged iterations {first} and later were dropped; recompute them with {resume}."
    return Finding("warning", run.name, message)


def _command(workspace: Workspace, words: str) -> str:
    return f"`python -m pul {words} --workspace {shlex.quote(workspace.url)}`"


def _add_sums(workspace: Workspace) -> Iterator[Finding]:
    if workspace.is_read_only:
        text = "this workspace can only be looked at: its disk or its owner lets nobody write"
        yield Finding("warning", "read-only", text)
        return
    n_rows = workspace.add_missing_sums()
    if n_rows:
        message = f"{n_rows:,} rows of before there were sums have them now"
        yield Finding("ok", "rows", message)


def _diagnose(workspace: Workspace) -> Iterator[Finding]:
    """Yield problems of the images and of each run's last iteration."""
    for found in examine_images(workspace):
        yield Finding("warning", "data", f"{found.observed} {found.why} {found.fix}")
    for run in workspace.runs():
        records = workspace.iterations(run.run_id)
        if not records:
            continue
        last = records[-1].iteration
        try:
            for found in examine_iteration(workspace, run.run_id, last):
                text = f"{found.observed} {found.why} {found.fix}"
                yield Finding("warning", f"{run.name}, iteration {last}", text)
        except StoreError:
            continue  # `_check_iterations` reported it
