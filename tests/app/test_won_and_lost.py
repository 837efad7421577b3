"""Pictures won and lost since the last iteration: which, how many, and where they are shown."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app import services
from app.services.won_and_lost import N_SHOWN, won_and_lost
from pul.config import RunConfig
from pul.store.workspace import Workspace
from tests.app.conftest import Open, labels, text_of
from tests.app.fabricated import fabricate, iteration_arrays, iteration_record
from tests.support.checkpoints import HOLLOW_MODEL


@pytest.fixture
def place(location: Path, people: Path) -> str:
    fabricate(location, people, n_iterations=1, status="finished", has_rankings=True)
    return str(location)


def add(place: str, reliable: list[int], similarities: dict[int, float]) -> None:
    """Add an iteration in which some images are reliable, with cosines that are not 0.5."""
    with Workspace.open(place) as workspace:
        pids = workspace.run_images(1, "train").pids
        number = len(workspace.iterations(1))
        arrays = iteration_arrays(pids, number, 8)
        mask = np.zeros(len(pids), dtype=bool)
        mask[reliable] = True
        cosines = np.full(len(pids), 0.5, dtype=np.float32)
        cosines[list(similarities)] = list(similarities.values())
        arrays = replace(arrays, reliable=mask, similarities=cosines)
        config = RunConfig(**workspace.run(1).config)
        workspace.add_iteration(
            1, iteration_record(number, arrays, config, 0.0), arrays, HOLLOW_MODEL
        )


def test_won_and_lost__by_hand(place: str) -> None:
    add(place, [0, 1, 2, 3], {0: 0.9, 1: 0.8})
    add(place, [2, 3, 4, 5, 6], {0: 0.6, 1: 0.2, 5: 0.9, 6: 0.7})
    with Workspace.open(place) as workspace:
        ids = workspace.run_images(1, "train").image_ids
    found = won_and_lost(place, 1, 3)
    assert found is not None
    # Won: 5 (+0.4), 6 (+0.2), 4 (0). Lost: 1 (-0.6), 0 (-0.3).
    assert found.won == tuple(ids[[5, 6, 4]].tolist())
    assert found.lost == tuple(ids[[1, 0]].tolist())
    assert (found.n_won, found.n_lost, found.iteration) == (3, 2, 3)


def test_won_and_lost__shows_a_few_and_counts_all(place: str) -> None:
    add(place, [], {})
    add(place, list(range(20)), {19: 0.9})
    found = won_and_lost(place, 1, 3)
    assert found is not None
    assert (len(found.won), found.n_won, found.n_lost) == (N_SHOWN, 20, 0)


def test_won_and_lost__nothing_before_iteration_2(place: str) -> None:
    assert won_and_lost(place, 1, 0) is None
    assert won_and_lost(place, 1, 1) is None


def test_train__shows_them_and_leads_to_the_queries_that_won(place: str, open_studio: Open) -> None:
    assert "Since iteration" not in text_of(open_studio("rounds"))
    add(place, [0, 1], {})
    add(place, [1, 2, 3], {})
    studio = open_studio("rounds")
    assert not studio.exception
    text = text_of(studio)
    assert "**Since iteration 2**" in text
    assert "**2 pictures won**. They train now, and did not before." in text
    assert "**1 picture lost**. They trained before, and no longer do." in text
    assert text.count('alt="Won picture"') == 2
    assert "See which queries won and lost" in labels(studio, "button")


def test_retrieval__queries_that_gained_and_that_lost_most(location: Path, people: Path) -> None:
    fabricate(location, people, n_iterations=2, status="finished", has_rankings=True)
    place = services.retrieval.Place
    now, before = place(1, 2), place(1, 1)
    gains = [
        services.retrieval.rankings(str(location), each).average_precisions  # type: ignore[union-attr]
        for each in (now, before)
    ]
    gained = gains[0] - gains[1]
    for order, sign in (("most gained", -1), ("most lost", 1)):
        rows = services.retrieval.order_queries(str(location), [now, before], order)  # type: ignore[arg-type]
        assert rows == np.argsort(sign * gained, kind="stable").tolist()
