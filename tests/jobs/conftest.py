"""A tiny workspace, and a run in it that nothing disturbed."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from pul import jobs
from pul.algorithm.events import Event, Progress
from pul.config import RunConfig, TrainConfig
from pul.jobs.worker import work
from pul.records import IterationArrays, JobRecord
from pul.store.workspace import Workspace
from tests.support.networks import TINY_RUN
from tests.support.places import make_small_workspace

CONFIG = TINY_RUN.replace(**{"finetune.n_epochs": 3})
WHOLE_DAY = TrainConfig(n_epochs=10_000, batch_size=8)  # will not end before it is told to


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_workspace(tmp_path_factory.mktemp("made") / "workspace", "tiny")


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(made, tmp_path / "workspace")
    with Workspace.open(tmp_path / "workspace") as workspace:
        yield workspace


@pytest.fixture(scope="session")
def uninterrupted(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The workspace after a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "workspace"
    shutil.copytree(made, folder)
    with Workspace.open(folder) as workspace:
        assert work(workspace, start(workspace).job_id).status == "finished"
        yield workspace


def start(workspace: Workspace, config: RunConfig = CONFIG) -> JobRecord:
    return jobs.create_run(workspace, config, workspace.path / "start.safetensors")


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def check_same(workspace: Workspace, reference: Workspace, run_id: int = 1) -> None:
    """Make sure that a run and run 1 of the reference are the same bit for bit."""
    ours, theirs = workspace.iterations(run_id), reference.iterations(1)
    assert [record.iteration for record in ours] == [record.iteration for record in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine.metrics, mine.epoch_losses) == (other.metrics, other.epoch_losses)
        arrays = workspace.arrays(run_id, mine.iteration)
        expected = reference.arrays(1, mine.iteration)
        for field in fields(IterationArrays):
            np.testing.assert_array_equal(arrays[field.name], expected[field.name])
        checkpoint = workspace.checkpoint_path(run_id, mine.iteration)
        assert checkpoint.read_bytes() == reference.checkpoint_path(1, mine.iteration).read_bytes()


def is_batch(event: Event, iteration: int) -> bool:
    """Whether this is the end of a step of an iteration's fine-tuning."""
    if not isinstance(event, Progress):
        return False
    return event.progress.step == "finetune" and event.progress.iteration == iteration
