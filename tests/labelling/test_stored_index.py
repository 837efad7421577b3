"""An index is made once, stored, checked, and made again where it is missing or damaged."""

import errno
import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pul.errors import StoreError
from pul.labelling import loading
from pul.labelling.annotations import Annotations
from pul.labelling.loading import load_index, store_index, stored_index
from pul.labelling.suggestions import SuggestionIndex, next_cards, suggest_more
from pul.store.workspace import Workspace
from tests.app.fabricated import add_iteration, draw_people, fabricate


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    people = draw_people(tmp_path / "people")
    fabricate(tmp_path / "workspace", people, n_iterations=1, status="stopped")
    with Workspace.open(tmp_path / "workspace") as opened:
        yield opened


def leaves(part: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield all that an index consists of, by name."""
    if is_dataclass(part) and not isinstance(part, type):
        parts = {each.name: getattr(part, each.name) for each in fields(part) if each.compare}
    elif hasattr(part, "_asdict"):
        parts = part._asdict()
    elif isinstance(part, dict):
        parts = part
    else:
        yield name, part
        return
    for key, each in parts.items():
        yield from leaves(each, f"{name}.{key}")


def assert_equal(left: SuggestionIndex, right: SuggestionIndex) -> None:
    first, second = dict(leaves(left)), dict(leaves(right))
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name], err_msg=name)


def folder_of(workspace: Workspace) -> Path:
    (folder,) = (workspace.cache_path / "suggestions").glob("index-*")
    return folder


def test_stored_index__is_the_one_that_was_made(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stored_index(workspace, 1, 1) is None
    built: list[SuggestionIndex] = []
    build = loading.build_index
    monkeypatch.setattr(
        loading, "build_index", lambda *a, **k: built.append(build(*a, **k)) or built[-1]
    )
    made = load_index(workspace, 1, 1)
    mapped = stored_index(workspace, 1, 1)
    assert mapped is not None
    assert_equal(mapped, made)
    assert_equal(mapped, built[0])
    assert load_index(workspace, 1, 1).image_ids.tolist() == made.image_ids.tolist()
    assert len(built) == 1  # the second one was mapped
    (card,) = next_cards(mapped, Annotations())
    assert suggest_more(mapped, Annotations(), card.images[:1].tolist())


def test_stored_index__is_made_before_its_iteration_is_seen(workspace: Workspace) -> None:
    seen: list[int] = []
    add = workspace.add_iteration

    def add_with_index(run_id, record, arrays, checkpoint, **options):
        def before_row(sums):
            store_index(workspace, run_id, record, arrays, sums)
            seen.append(len(workspace.iterations(run_id)))

        add(run_id, record, arrays, checkpoint, before_row=before_row, **options)

    workspace.add_iteration = add_with_index  # type: ignore[method-assign]
    add_iteration(workspace, 1)
    assert seen == [2]  # iterations 0 and 1 had rows, iteration 2 had none yet
    assert stored_index(workspace, 1, 2) is not None
    assert stored_index(workspace, 1, 1) is None


@pytest.mark.parametrize("name", ["embedding.npy", "content.json", "images-of.npy"])
@pytest.mark.parametrize("damage", ["torn", "flipped", "gone"])
def test_stored_index__a_damaged_one_is_made_again(
    workspace: Workspace, name: str, damage: str
) -> None:
    made = load_index(workspace, 1, 1)
    path = folder_of(workspace) / name
    content = path.read_bytes()
    path.unlink()  # what is mapped stays as it was
    if damage != "gone":
        middle = len(content) // 2
        flipped = bytes([content[middle] ^ 0x10])
        path.write_bytes(
            content[:middle] + (b"" if damage == "torn" else flipped + content[middle + 1 :])
        )
    assert stored_index(workspace, 1, 1) is None
    assert_equal(load_index(workspace, 1, 1), made)
    assert stored_index(workspace, 1, 1) is not None


def test_stored_index__that_of_other_files_is_not_taken(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_index(workspace, 1, 1)
    sums = workspace.file_sums(1, 1)
    other = replace(sums["features.npy"], sha256="0" * 64)
    monkeypatch.setattr(workspace, "file_sums", lambda *_: sums | {"features.npy": other})
    assert stored_index(workspace, 1, 1) is None


def test_stored_index__before_files_had_sums(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "file_sums", lambda *_: {})
    load_index(workspace, 1, 1)
    assert stored_index(workspace, 1, 1) is not None
    features = workspace.iteration_path(1, 1) / "features.npy"
    os.utime(features, (1, 1))
    assert stored_index(workspace, 1, 1) is None


def test_load_index__only_the_last_ones_are_kept(workspace: Workspace) -> None:
    for number in range(2, 8):
        add_iteration(workspace, 1)
        load_index(workspace, 1, number)
        for path in (workspace.cache_path / "suggestions").glob("index-*"):
            os.utime(path, (int(path.name.split("-")[2]),) * 2)
    kept = [number for number in range(8) if stored_index(workspace, 1, number)]
    assert kept == [4, 5, 6, 7]


def test_load_index__a_full_disk_is_an_error_and_leaves_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(StoreError, match="No space left"):
        load_index(workspace, 1, 1)
    assert list((workspace.cache_path / "suggestions").iterdir()) == []
    monkeypatch.undo()
    assert load_index(workspace, 1, 1) is not None


def test_load_index__an_unreadable_image_leaves_colours_out(workspace: Workspace) -> None:
    with_colours = load_index(workspace, 1, 0)
    Path(workspace.run_images(1, "train").paths[3]).write_bytes(b"no picture")
    without = load_index(workspace, 1, 1)
    assert without.embedding.shape[1] < with_colours.embedding.shape[1]
    assert next_cards(without, Annotations())


def test_load_index__colours_are_read_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_index(workspace, 1, 0)
    monkeypatch.setattr(loading, "load_pixels", None)
    first, second = load_index(workspace, 1, 0), load_index(workspace, 1, 1)
    assert first.embedding.shape == second.embedding.shape
