"""Pages of an iteration whose features were removed to save room."""

from pathlib import Path

import pytest
from starlette.requests import Request

from app.routes import maps
from pul.store.workspace import Workspace
from tests.app.conftest import Open, text_of
from tests.app.fabricated import fabricate


@pytest.fixture
def pruned(location: Path, people: Path) -> None:
    run_id = fabricate(
        location, people, n_iterations=4, status="finished", has_rankings=True
    ).run_id
    with Workspace.open(location) as workspace:
        workspace.prune_run(run_id, keep_features=2, checkpoints=range(5))


@pytest.mark.usefixtures("pruned")
@pytest.mark.parametrize("page", ["clusters", "rounds", "identities", "export", "label"])
def test_pruned__pages_show_what_is_kept(open_studio: Open, page: str) -> None:
    studio = open_studio(page, iteration="1")
    assert not studio.exception
    assert not studio.error, text_of(studio)


@pytest.mark.usefixtures("pruned")
@pytest.mark.parametrize("iteration", [0, 1, 2])
def test_pruned__the_map_of_an_early_iteration(open_studio: Open, iteration: int) -> None:
    studio = open_studio("map")
    studio.slider[0].set_value(iteration).run()
    assert not studio.exception
    assert not studio.error, text_of(studio)


@pytest.mark.usefixtures("pruned")
def test_pruned__ranked_lists_of_an_early_iteration(open_studio: Open) -> None:
    studio = open_studio("retrieval")
    first = next(box for box in studio.selectbox if box.label == "Iteration")
    first.set_value(1).run()
    assert not studio.exception
    assert not studio.error, text_of(studio)
    assert "iteration 1" in text_of(studio)


@pytest.mark.usefixtures("pruned")
@pytest.mark.parametrize(("iteration", "status"), [(0, 404), (2, 404), (3, 200)])
def test_pruned__colours_by_doubt_say_why_there_are_none(
    location: Path, open_studio: Open, iteration: int, status: int
) -> None:
    open_studio("map")
    _, address = maps.urls(str(location), 1, iteration, 0, "doubt")
    scope = {"type": "http", "path_params": {"token": address.removeprefix(maps.PREFIX)}}
    answer = maps.serve_map(Request(scope))
    assert answer.status_code == status
    assert (b"removed to save room" in bytes(answer.body)) == (status == 404)
