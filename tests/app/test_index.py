"""Cards go on while a new iteration is prepared for them."""

from pathlib import Path
from threading import Event

import pytest

from app import services
from app.services.index import prepared
from pul.errors import ArtifactError
from pul.labelling.loading import load_index
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
    assert prepared(filled, 1, 1) == 1
    add_iteration(services.workspace.open_workspace(filled), 1)
    assert [prepared(filled, 1, 2) for _ in range(3)] == [1, 1, 1]
    go_on.set()
    wait_until(lambda: prepared(filled, 1, 2) == 2)


def test_prepared__a_damaged_iteration_is_told_to_the_next_who_asks(filled: str) -> None:
    workspace = services.workspace.open_workspace(filled)
    assert prepared(filled, 1, 1) == 1
    add_iteration(workspace, 1)
    (workspace.iteration_path(1, 2) / "features.npy").write_bytes(b"torn")

    def is_told() -> bool:
        try:
            return prepared(filled, 1, 2) != 1
        except ArtifactError as error:
            return "features" in str(error)

    wait_until(is_told)


def test_prepared__iterations_that_were_dropped_are_not_labelled_on(filled: str) -> None:
    assert prepared(filled, 1, 1) == 1
    assert prepared(filled, 1, 0) == 0
