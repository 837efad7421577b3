"""Cards go on while a new iteration is prepared for them."""

import shutil
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from app import services
from app.services.index import prepared
from app.views import waiting
from pul.errors import ArtifactError, JobError
from pul.labelling.loading import load_index
from pul.labelling.suggestions import SuggestionIndex
from pul.records import JobProgress
from pul.store.workspace import Workspace
from tests.app.conftest import wait_until
from tests.app.fabricated import add_iteration, fabricate


@pytest.fixture
def filled(location: Path, people: Path) -> str:
    fabricate(location, people, n_iterations=1, status="running")
    return str(location)


def test_prepared__labelling_goes_on_until_the_new_index_is_there(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = Event()

    def load_slowly(workspace, run_id, iteration, **options):
        assert iteration == 1 or go_on.wait(30)
        return load_index(workspace, run_id, iteration, **options)

    monkeypatch.setattr(services.index, "load_index", load_slowly)
    wait_until(lambda: prepared(filled, 1, 1) == 1)
    add_iteration(services.workspace.open_workspace(filled), 1)
    assert [prepared(filled, 1, 2) for _ in range(3)] == [1, 1, 1]
    go_on.set()
    wait_until(lambda: prepared(filled, 1, 2) == 2)


def test_prepared__a_damaged_iteration_is_told_to_the_next_who_asks(filled: str) -> None:
    workspace = services.workspace.open_workspace(filled)
    wait_until(lambda: prepared(filled, 1, 1) == 1)
    add_iteration(workspace, 1)
    (workspace.iteration_path(1, 2) / "features.npy").write_bytes(b"torn")

    def is_told() -> bool:
        try:
            return prepared(filled, 1, 2) != 1
        except ArtifactError as error:
            return "features" in str(error)

    wait_until(is_told)


def test_prepared__iterations_that_were_dropped_are_not_labelled_on(filled: str) -> None:
    wait_until(lambda: prepared(filled, 1, 1) == 1)
    wait_until(lambda: prepared(filled, 1, 0) == 0)


def test_prepared__a_large_index_is_made_by_a_job_and_shared(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.index, "_MOST_BYTES", 0)
    place = (filled, 1, 1)
    assert prepared(*place) is None
    wait_until(lambda: prepared(*place) == 1)
    workspace = services.workspace.open_workspace(filled)
    (job,) = (job for job in workspace.jobs() if job.kind == "suggest")
    wait_until(lambda: workspace.job(job.job_id).status == "finished")
    # Another studio maps the same files, and starts nothing.
    monkeypatch.setattr(services.index, "_open", type(services.index._open)())
    monkeypatch.setattr(services.index, "load_index", None)
    assert prepared(*place) == 1
    mapped = services.index.suggestion_index(*place)
    made = build_again(workspace)
    assert mapped.doubts.keys() == made.doubts.keys()
    np.testing.assert_array_equal(mapped.bundles.of, made.bundles.of)
    np.testing.assert_allclose(mapped.means, made.means, atol=1e-5)


def build_again(workspace: Workspace) -> SuggestionIndex:
    shutil.rmtree(workspace.cache_path / "suggestions")
    return load_index(workspace, 1, 1)


def test_prepared__a_job_that_fails_is_told_and_made_again(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.index, "_MOST_BYTES", 0)
    workspace = services.workspace.open_workspace(filled)
    workspace.cache_path.mkdir(exist_ok=True)
    in_the_way = workspace.cache_path / "suggestions"
    in_the_way.write_text("no folder")
    told = []

    def is_told() -> bool:
        try:
            prepared(filled, 1, 1)
        except JobError as error:
            told.append(str(error))
        return bool(told)

    wait_until(is_told)
    assert "suggestions" in told[0]
    assert "cannot be written" in told[0]
    in_the_way.unlink()
    wait_until(lambda: prepared(filled, 1, 1) == 1)


class Bar:
    """Remembers what a progress bar was told."""

    def __init__(self) -> None:
        self.shown: list[tuple[float, str]] = []

    def progress(self, share: float, text: str) -> None:
        self.shown.append((share, text))


def test_show__says_what_is_done_how_far_and_for_how_long() -> None:
    bar: Any = Bar()
    text = "comparing colours of clothes"
    waiting.show_progress(bar, JobProgress("suggest", 2_000, 8_000, message=text), 10.0)
    waiting.show_progress(bar, JobProgress("suggest", message="finding tracklets"), 45.0)
    assert bar.shown == [
        (0.25, "Comparing colours of clothes: 2,000 of 8,000 images, about 30 s left"),
        (0.0, "Finding tracklets"),
    ]
