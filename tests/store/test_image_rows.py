"""Rows of images that are read in part: as the whole table has them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pul.errors import StoreError
from pul.store.workspace import Workspace
from tests.app.fabricated import draw_people, fabricate


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    people = draw_people(tmp_path / "people", n_pids=3, n_images=3)
    fabricate(tmp_path / "workspace", people, n_iterations=0, status="stopped")
    with Workspace.open(tmp_path / "workspace") as opened:
        yield opened


def test_run_cameras__are_those_of_the_run_s_images(workspace: Workspace) -> None:
    table = workspace.run_images(1, "train")
    image_ids, camids = workspace.run_cameras(1)
    assert image_ids.tolist() == table.image_ids.tolist()
    assert camids.tolist() == table.camids.tolist()
    assert image_ids.dtype == camids.dtype == np.int64
    assert image_ids.flags.c_contiguous
    assert camids.flags.c_contiguous
    with pytest.raises(StoreError, match="no run 7"):
        workspace.run_cameras(7)


def test_image_paths__are_those_of_the_table(workspace: Workspace) -> None:
    table = workspace.images()
    paths = dict(zip(table.image_ids.tolist(), table.paths, strict=True))
    first, last = min(paths) + 2, min(paths) + 4
    some = {image_id: path for image_id, path in paths.items() if first <= image_id <= last}
    assert workspace.image_paths(first, last) == some
    assert len(some) == 3
    assert workspace.image_paths(10**9, 10**9 + 5) == {}


def test_unknown_images__of_many(workspace: Workspace) -> None:
    known = workspace.images().image_ids.tolist()
    asked = [*range(max(known) + 1, max(known) + 1200), *known, 2**62, -1]
    unknown = workspace.unknown_images(asked)
    assert unknown == sorted(set(asked) - set(known))
    assert workspace.unknown_images([]) == []
