"""A hundred iterations: memory and open files stay where they were, the disk is bounded."""

from pathlib import Path

import psutil
import pytest

from pul import jobs
from pul.algorithm.events import Event, IterationFinished
from pul.config import RunConfig, TrainConfig
from pul.jobs.worker import work
from pul.models.network import save_network
from pul.store.workspace import Workspace
from tests.support.fakes import image_dataset
from tests.support.networks import coloured_images, tiny_network

WARM, LAST = 20, 100
CONFIG = RunConfig(
    n_clusters=3,
    lambda_=0,
    n_iterations=LAST,
    convergence_tolerance=0,
    projection=False,
    keep_features=2,
    keep_models="last",
    device="cpu",
    n_threads=1,
    finetune=TrainConfig(n_epochs=1, batch_size=12),
)


@pytest.mark.slow
def test_work__a_hundred_iterations_take_no_more_than_twenty(tmp_path: Path) -> None:
    process = psutil.Process()
    seen: dict[int, tuple[int, int]] = {}

    def look(event: Event) -> None:
        if isinstance(event, IterationFinished):
            seen[event.record.iteration] = process.memory_info().rss, process.num_fds()

    with Workspace.create(tmp_path / "workspace") as workspace:
        pixels, pids = coloured_images(3, 4)
        workspace.add_dataset(image_dataset(workspace.path / "images", pixels, pids))
        save_network(tiny_network(), workspace.path / "start.safetensors")
        job = jobs.create_run(workspace, CONFIG, workspace.path / "start.safetensors")
        assert work(workspace, job.job_id, on_event=look).status == "finished"
        folders = [workspace.iteration_path(1, n) for n in range(LAST + 1)]
    assert seen[LAST][0] < 1.1 * seen[WARM][0]
    assert seen[LAST][1] < seen[WARM][1] + 8  # of 80 iterations; other threads hold a few at times
    assert sum((folder / "features.npy").exists() for folder in folders) == 2
    assert sum((folder / "model.safetensors").exists() for folder in folders) == 2
