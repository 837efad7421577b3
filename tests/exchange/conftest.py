"""Workspaces of labelled images, and what is read of them and written beside them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pul.data.datasets import Dataset
from pul.data.samples import Sample
from pul.exchange import LABEL_FORMATS
from pul.labelling.annotations import create, junk, unsure
from pul.labelling.annotations.acts import Act
from pul.labelling.log import read_annotations
from pul.models.network import save_network
from pul.store.workspace import Workspace
from tests.support.networks import tiny_network

N_IMAGES = 8
IMAGE_FORMATS = [name for name, known in LABEL_FORMATS.items() if not known.needs_tracks]


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    return draw_images(tmp_path / "images")


@pytest.fixture
def workspace(tmp_path: Path, samples: list[Sample]) -> Iterator[Workspace]:
    """Anna {1, 2, 5}, ID_002 {3} held out, junk {8}, unsure {7}; 4 and 6 not judged."""
    acts = (create([1, 2, 5], name="Anna"), create([3], role="validation"), junk([8]), unsure([7]))
    with open_workspace(tmp_path / "a", samples, *acts) as workspace:
        yield workspace


@pytest.fixture
def other(tmp_path: Path, samples: list[Sample]) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "b", samples) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    save_network(tiny_network(), path)
    return path


def draw_images(root: Path) -> list[Sample]:
    """Draw images in two cameras; names repeat between them, as cameras count from 1."""
    samples = []
    for camid in (1, 2):
        folder = root / f"cam{camid}"
        folder.mkdir(parents=True)
        for frame in range(N_IMAGES // 2):
            path = folder / f"{frame:04}.png"
            Image.new("RGB", (4 + camid, 8), (frame * 40, 0, 0)).save(path)
            samples.append(Sample(path, camid=camid, frame=frame))
    return samples


@contextmanager
def open_workspace(location: Path, samples: list[Sample], *acts: Act) -> Iterator[Workspace]:
    with Workspace.create(location) as workspace:
        workspace.add_dataset(Dataset("people", "folder", location, tuple(samples)))
        for act in acts:
            workspace.append_annotation_event(act.kind, act.payload, "anna")
        yield workspace


def plain(act: Act) -> tuple[str, dict[str, object]]:
    return act.kind, act.payload


def target(folder: Path, format: str) -> Path:
    return folder / f"labels-{format}{LABEL_FORMATS[format].suffix}"


def write_rows(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def partition(workspace: Workspace) -> set[tuple[int, ...]]:
    return {known.images for known in read_annotations(workspace).identities}


def held(workspace: Workspace, owner: int) -> set[int]:
    return {image for image, who in read_annotations(workspace).owners.items() if who == owner}


# What files of other tools say of the images 1, 2, 5 and 3 of the workspace.
SAID = (("cam1/0000.png", "Anna"), ("cam1/0001.png", "Anna"), ("cam2/0000.png", "Anna"))
OTHER = ("cam1/0002.png", "Bo")
EXPECTED = {(1, 2, 5), (3,)}


def write(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return path


def pairs(names: bool = True) -> list[tuple[str, Any]]:
    numbers = {"Anna": 7, "Bo": 12}
    return [(path, name if names else numbers[name]) for path, name in (*SAID, OTHER)]
