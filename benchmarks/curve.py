"""The delay until an iteration's point is on the curve of the Train page, in headless Chromium.

Seconds are from storing the iteration until its point is drawn, without a click; CPU time and
memory are those of the studio's process. The workspace is synthetic.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
from playwright.sync_api import Page

from benchmarks.market_size import make_workspace
from benchmarks.measure import Case, Contender, Figures
from benchmarks.studio import Studio, open_page, serve
from pul.jobs import WorkerProcess
from pul.records import IterationArrays
from pul.store.workspace import Workspace

SIZES = {"small": (600, 64, 40), "paper": (12_936, 1280, 750)}
_RUN_ID = 1
_TIMEOUT_MS = 60_000
_N_POINTS = """(n) => {
    const trace = document.querySelector(".js-plotly-plot .xy .scatterlayer .trace");
    return trace !== null && trace.querySelectorAll(".point").length === n;
}"""


def cases(size: str) -> Iterator[Case]:
    """Yield the case while the studio and a browser run; both end with it."""
    n_images, n_dims, n_clusters = SIZES[size]
    with tempfile.TemporaryDirectory() as folder:
        location = make_workspace(Path(folder) / "made", n_images, n_dims, n_clusters)
        with Workspace.open(location) as workspace:
            job = workspace.create_job("run", run_id=_RUN_ID)
            workspace.claim_job(job.job_id, str(WorkerProcess.of(os.getpid())))
            with serve(str(location)) as studio, open_page() as page:
                page.goto(f"{studio.address}/rounds")
                _wait_for_points(page, len(workspace.iterations(_RUN_ID)))
                timed = Contender("ours", partial(_store, workspace, page, studio), dict)
                title = f"iteration stored to its point on the curve, {n_images:,} images"
                yield Case(title, [timed], "<= 2 s")


def _store(workspace: Workspace, page: Page, studio: Studio, repeat: int) -> Figures:
    """Store one more iteration and wait until it is drawn."""
    last = workspace.iterations(_RUN_ID)[-1]
    arrays = IterationArrays(**workspace.arrays(_RUN_ID, last.iteration))
    record = replace(last, iteration=last.iteration + 1, epoch_losses=(1.0,))
    time.sleep(0.37 * repeat % 1)  # out of phase with the page, which polls once a second
    process = psutil.Process(studio.pid)
    workspace.add_iteration(_RUN_ID, record, arrays, b"no checkpoint")
    before, started = process.cpu_times(), time.perf_counter()
    _wait_for_points(page, record.iteration + 1)
    seconds, after = time.perf_counter() - started, process.cpu_times()
    return {
        "seconds": seconds,
        "cpu_seconds": after.user + after.system - before.user - before.system,
        "peak_bytes": process.memory_info().rss,
    }


def _wait_for_points(page: Page, n_points: int) -> None:
    page.wait_for_function(_N_POINTS, arg=n_points, timeout=_TIMEOUT_MS)
