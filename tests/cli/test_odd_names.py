"""Files of any name, from the folder to what is written about them and read back."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app import services
from pul.data.file_names import from_text
from pul.labelling.annotations import create
from pul.labelling.loading import read_footage
from pul.labelling.log import append_act, read_annotations
from pul.store.workspace import Workspace
from tests.cli.test_commands import call
from tests.support.odd_names import ODD_NAMES

READABLE = tuple(name for name in ODD_NAMES if name.lower().endswith(".png"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images of these names, each of its own content, and one that cannot be read."""
    root = tmp_path / "crops"
    root.mkdir()
    rng = np.random.default_rng(0)
    for name in ODD_NAMES:
        Image.fromarray(rng.integers(0, 256, (8, 4, 3), dtype=np.uint8)).save(
            root / name, format="PNG"
        )
    (root / ("damaged " + ODD_NAMES[0])).write_bytes(b"x")
    return root


@pytest.fixture
def workspace(folder: Path, tmp_path: Path) -> str:
    place = str(tmp_path / "w")
    result = call("import", folder, "--workspace", place, "--levels", "-")
    assert f"{len(READABLE)} new images" in result.stdout
    assert "damaged caf\\xe9.png" in result.stdout
    return place


def test_import__dry_run_and_json(folder: Path) -> None:
    assert str(len(READABLE)) in call("import", folder, "--dry-run", "--levels", "-").stdout
    found = json.loads(call("import", folder, "--dry-run", "--json", "--levels", "-").stdout)
    skipped = {Path(from_text(item["path"])).name for item in found["skipped"]}
    assert skipped == {*ODD_NAMES, "damaged " + ODD_NAMES[0]} - set(READABLE)


def test_doctor__and_relocate(workspace: str, folder: Path) -> None:
    folder.rename(folder.with_name("moved\nén"))
    assert f"{len(READABLE)} of {len(READABLE)} files are missing" in (
        call("doctor", "--workspace", workspace).stdout
    )
    report = call("relocate", folder.parent, "--workspace", workspace, "--json", "--dry-run")
    moves = json.loads(report.stdout)["found"]["moves"]
    assert {Path(from_text(move["new"])).name for move in moves} == set(READABLE)
    assert "moved." in call("relocate", folder.parent, "--workspace", workspace).stdout
    with Workspace.open(workspace) as opened:
        assert opened.missing_images() == []


def groups(owners: Mapping[int, int]) -> set[frozenset[int]]:
    """Return the images of each person."""
    people: dict[int, set[int]] = {}
    for image, owner in owners.items():
        people.setdefault(owner, set()).add(image)
    return set(map(frozenset, people.values()))


@pytest.mark.parametrize("format", ["csv", "json", "coco", "folders"])
def test_export__and_import_again(workspace: str, tmp_path: Path, format: str) -> None:
    with Workspace.open(workspace) as opened:
        state = read_annotations(opened)
        for first in range(1, len(READABLE), 2):
            act = create([first, first + 1][: len(READABLE) - first + 1], name=f"person {first}")
            state = append_act(opened, act, state, author="ann", token=str(first))
        people = groups(state.owners)
        images = opened.images()
        read_footage(images)
    suffix = {"csv": ".csv", "folders": ""}.get(format, ".json")
    target = tmp_path / f"labels{suffix}"
    call("export", "--workspace", workspace, "--format", format, "--out", target)
    if suffix:
        text = target.read_text(encoding="utf-8-sig")  # it is UTF-8, whatever the names are
        assert "caf%E9.png" in text
    if format == "csv":
        paths = [from_text(row["path"].lstrip("'")) for row in csv.DictReader(io.StringIO(text))]
        assert {Path(path).name for path in paths} >= {"same.png", "Same.PNG", ODD_NAMES[0]}
    other = str(tmp_path / "other")
    call("import", Path(images.paths[0]).parent, "--workspace", other, "--levels", "-")
    call("import-annotations", "--workspace", other, target)
    with Workspace.open(other) as opened:
        assert groups(read_annotations(opened).owners) == people


def test_screen__shows_them(workspace: str, folder: Path, tmp_path: Path) -> None:
    for path, reason in services.workspace.skipped(workspace):
        (path + reason).encode()
        assert "\n" not in path
    with Workspace.open(workspace) as opened:
        numbers = opened.images().image_ids.tolist()
    assert all(services.workspace.picture(workspace, number)[0] for number in numbers)
    found = services.imports.inspect(workspace, str(folder), levels="-")
    assert all(path.encode() and "\n" not in path for path, _ in found.skipped)
