"""A database server that is restarted while people and jobs use it."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pul import jobs
from pul.config import RunConfig
from pul.errors import ServerLostError
from pul.models.network import save_network
from pul.store.retrying import Retries
from pul.store.workspace import Workspace
from tests.store.postgres import running_server
from tests.support.fakes import image_dataset
from tests.support.networks import coloured_images, tiny_network

POSTGRES = os.environ.get("PUL_TEST_POSTGRES", "")


class Lost:
    """A call that finds the server lost some times, before it answers."""

    def __init__(self, n_times: int, *, is_undone: bool = True) -> None:
        self.n_times, self.is_undone, self.n_calls = n_times, is_undone, 0

    def __call__(self) -> str:
        self.n_calls += 1
        if self.n_calls <= self.n_times:
            raise ServerLostError("gone", is_undone=self.is_undone)
        return "answer"


@pytest.fixture
def clock(monkeypatch):
    """Waiting moves it; nothing else does."""
    seconds = [0.0]
    monkeypatch.setattr("pul.store.retrying.time.monotonic", lambda: seconds[0])
    monkeypatch.setattr(
        "pul.store.retrying.time.sleep", lambda s: seconds.__setitem__(0, seconds[0] + s)
    )
    return seconds


def test_retries__tries_again_until_the_server_answers(clock):
    call = Lost(6)
    assert Retries(60).try_until_deadline(call) == "answer"
    assert call.n_calls == 7
    assert clock[0] == pytest.approx(0.1 + 0.2 + 0.4 + 0.8 + 1.6 + 2.0)


def test_retries__fails_when_the_time_is_up(clock):
    call = Lost(100)
    with pytest.raises(ServerLostError):
        Retries(5).try_until_deadline(call)
    assert 3 < clock[0] <= 5


def test_retries__does_nothing_twice_that_may_have_been_stored(clock):
    call = Lost(1, is_undone=False)
    with pytest.raises(ServerLostError):
        Retries(60).try_until_deadline(call)
    assert call.n_calls == 1


def test_retries__of_a_call_within_a_call_is_that_of_the_outer_one(clock):
    retries, inner = Retries(5), Lost(100)
    with pytest.raises(ServerLostError):
        retries.try_until_deadline(lambda: retries.try_until_deadline(inner))
    assert clock[0] <= 5


if POSTGRES:  # on a machine without it there is nothing to restart

    @pytest.mark.parametrize("how", ["fast", "immediate"])
    def test_workspace__goes_on_after_the_server_was_restarted(tmp_path, how):
        """Every act that was acknowledged is there once; those meanwhile wait, and succeed."""
        with running_server(Path(POSTGRES)) as server:
            location = f"{server.url}&artifacts={tmp_path / 'w'}"
            Workspace.create(location).close()
            stored: list[int] = []
            ended = threading.Event()

            def go_on() -> None:
                with Workspace.open(location, retry_s=60) as workspace:
                    while not ended.is_set():
                        token = f"act {len(stored)}"
                        with suppress(ServerLostError):  # unknown if stored: sent again
                            workspace.append_annotation_event("junk", {}, "ann", token=token)
                            stored.append(len(stored))
                        workspace.images()

            thread = threading.Thread(target=go_on)
            thread.start()
            try:
                for _ in range(2):
                    n_before = len(stored)
                    while len(stored) < n_before + 20:
                        time.sleep(0.01)
                    server.restart(how, down_s=1.0)
                n_before = len(stored)
                while len(stored) < n_before + 20:
                    time.sleep(0.01)
            finally:
                ended.set()
                thread.join()
            with Workspace.open(location) as workspace:
                assert len(workspace.annotation_events()) == len(stored)

    def test_workspace__says_in_one_sentence_that_a_server_is_gone(tmp_path):
        with running_server(Path(POSTGRES)) as server:
            location = f"{server.url}&artifacts={tmp_path / 'w'}"
            workspace = Workspace.create(location)
            workspace.retries.seconds = 0.2
            server.stop("fast")
            with pytest.raises(ServerLostError, match="does not answer, or went away"):
                workspace.images()
            with pytest.raises(ServerLostError, match="does not answer, or went away"):
                Workspace.open(location, retry_s=0.2)
            workspace.close()

    def test_run__goes_on_after_the_server_was_down_for_four_seconds(tmp_path):
        with running_server(Path(POSTGRES)) as server:
            location = f"{server.url}&artifacts={tmp_path / 'w'}"
            save_network(tiny_network(), tmp_path / "start.safetensors")
            config = RunConfig(
                n_clusters=4,
                n_iterations=4,
                convergence_tolerance=0,
                projection=False,
                n_threads=1,
                finetune={"n_epochs": 2, "batch_size": 8},
            )
            with Workspace.create(location) as workspace:
                workspace.retries.seconds = 60
                workspace.add_dataset(image_dataset(tmp_path / "crops", *coloured_images(4, 6)))
                job = jobs.start_run(workspace, config, tmp_path / "start.safetensors")
                wait_for(lambda: len(workspace.iterations(1)) >= 2)
                server.restart("fast", down_s=4.0)
                wait_for(lambda: bool(workspace.job(job.job_id).finished_at))
                log = workspace.log_path(job.job_id).read_text()
                assert workspace.job(job.job_id).status == "finished", log
                assert [record.iteration for record in workspace.iterations(1)] == [0, 1, 2, 3, 4]


def wait_for(condition, seconds=90):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
