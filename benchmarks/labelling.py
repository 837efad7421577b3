"""Labelling at the size of Market-1501 and beyond: the index, the first card, the next ones.

Seconds of the index are those of the worker's process, those of cards what a person waits in a
scripted headless Chromium. The workspace is synthetic; a fifth of its images lie in the cluster of
somebody else. The peak memory is that of the process that does the work: worker or studio.
If `PUL_BENCHMARKS` names a folder, the workspace is kept there for the next call.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Page

from benchmarks.label_fifty import TIMEOUT_MS, WATCH, Labeller, Person
from benchmarks.market_size import make_workspace
from benchmarks.measure import Case, Contender, Figures
from benchmarks.queue import copy_workspace
from benchmarks.studio import Studio, open_page, serve
from pul.jobs.process import start_worker
from pul.labelling.annotations import create
from pul.store.workspace import Workspace

SIZES = {
    "small": (600, 64, 40),
    "paper": (12_936, 2048, 750),
    "large": (200_000, 2048, 5000),
}
KEPT = "PUL_BENCHMARKS"
_STRAYED = 0.2
_N_CARDS = 40
_MOST_S = 120.0  # of labelling: on a busy machine there are fewer cards
_PACE = 0.2  # of the time that a person takes
_MANY = 2_000  # identities that are labelled already
_POLL_S = 0.1
_CARD = ".label:not([data-card=''])"


def cases(size: str) -> Iterator[Case]:
    """Yield the cases; each begins with what the one before has left."""
    n_images, n_dims, n_people = SIZES[size]
    of = f"{n_images:,} images × {n_dims:,}, {n_people:,} clusters"
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(os.environ.get(KEPT) or folder) / f"labelling-{size}" / "workspace"
        if not workspace.exists():
            shape = (n_images, n_dims, n_people)
            stray = {"n_iterations": 1, "share_strayed": _STRAYED}
            make_workspace(workspace.parent, *shape, **stray)
        if not list(workspace.glob("cache/suggestions/colours-*")):
            yield _case(f"the first index of a run, with colours, {of}", partial(_index, workspace))
        yield _case(f"the index of an iteration, {of}", partial(_index, workspace))
        yield _case(f"first card, studio just started, {of}", partial(_first, workspace), "<= 5 s")
        yield _case(f"next cards, {of}", partial(_next, workspace), "<= 0.1 s")
        n_known = min(_MANY, n_people // 2)
        known = f"{n_known:,} identities, {of}"
        yield _case(f"first card, {known}", partial(_first, workspace, n_known), "<= 5 s")
        yield _case(f"next cards, {known}", partial(_next, workspace, n_known), "<= 0.1 s")


def _case(title: str, run: partial[Figures], goal: str = "") -> Case:
    return Case(title, [Contender("ours", lambda _: run(), lambda figures: figures)], goal)


def _index(workspace: Path) -> Figures:
    """Make the index in a worker, and measure that."""
    for made in workspace.glob("cache/suggestions/index-*"):
        shutil.rmtree(made)
    with Workspace.open(workspace) as opened:
        job = opened.create_job("suggest", params={"run_id": 1, "iteration": 0})
        started = time.perf_counter()
        process = start_worker(opened, job.job_id)
        peak, cpu_s = 0, 0.0
        while process.poll() is None:
            peak, cpu_s = max(peak, _peak_bytes(process.pid)), _cpu_seconds(process.pid) or cpu_s
            time.sleep(_POLL_S)
        seconds = time.perf_counter() - started
        if opened.job(job.job_id).status != "finished":
            raise SystemExit(opened.job(job.job_id).error)
    return {"seconds": seconds, "cpu_seconds": cpu_s, "peak_bytes": peak}


def _first(workspace: Path, n_known: int = 0) -> Figures:
    """Start a studio, and measure the time from opening Label to its first card."""
    with serve(str(_labelled(workspace, n_known))) as studio, open_page() as page:
        cpu_s = _cpu_seconds(studio.pid)
        seconds = _open(page, studio)
        cpu_s = _cpu_seconds(studio.pid) - cpu_s
        return {"seconds": seconds, "cpu_seconds": cpu_s, "peak_bytes": _peak_bytes(studio.pid)}


def _next(workspace: Path, n_known: int = 0) -> Figures:
    """Label, and measure the time from the last key of a card until the next one is drawn."""
    place = _labelled(workspace, n_known)
    with Workspace.open(place) as opened:
        table = opened.run_images(1, "train")
    truth = dict(zip(table.image_ids.tolist(), table.pids.tolist(), strict=True))
    with serve(str(place)) as studio, open_page() as page:
        page.add_init_script(WATCH)
        _open(page, studio)
        cpu_s = _cpu_seconds(studio.pid)
        labeller = Labeller(Person(page, _PACE), truth, patience=0)
        waits = _label(page, labeller)
        used = _cpu_seconds(studio.pid) - cpu_s
        peak = _peak_bytes(studio.pid)
    median, late = np.median(waits), np.percentile(waits, 95)
    figures = {"seconds": median, "p95 s": late, "cards": len(waits)}
    return figures | {"cpu_seconds": used / len(waits), "peak_bytes": peak}


def _label(page: Page, labeller: Labeller) -> list[float]:
    """Label until there are enough cards or no time is left; return the wait for each, seconds."""
    until, waits = time.perf_counter() + _MOST_S, list[float]()
    while len(waits) < _N_CARDS and (not waits or time.perf_counter() < until):
        if not labeller.step():
            break
        waits = [wait["drawn"] / 1000 for wait in page.evaluate("window.waits")]
    return waits


def _open(page: Page, studio: Studio) -> float:
    started = time.perf_counter()
    page.goto(f"{studio.address}/label")
    page.wait_for_selector(_CARD, timeout=TIMEOUT_MS)
    return time.perf_counter() - started


def _labelled(workspace: Path, n_known: int) -> Path:
    """Return a copy of a workspace in which so many people are labelled; the files are linked."""
    copy = workspace.with_name(f"labelled-{n_known}")
    if copy.exists():
        return copy
    copy_workspace(workspace, copy)
    with Workspace.open(copy) as opened:
        table = opened.run_images(1, "train")
        order = np.argsort(table.pids, kind="stable")
        pids, starts = np.unique(table.pids[order], return_index=True)
        parts = np.split(table.image_ids[order], starts[1:])
        for _, images in zip(pids[:n_known], parts, strict=False):
            act = create(images.tolist())
            opened.append_annotation_event(act.kind, act.payload, "benchmark")
    return copy


def _cpu_seconds(pid: int) -> float:
    try:
        used = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return used.user + used.system


def _peak_bytes(pid: int) -> int:
    """Return the most memory that a process has had, pages of mapped files included."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)
