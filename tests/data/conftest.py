"""Tiny data sets of noise images in the layouts that people have."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pul.data.datasets import Dataset

SaveImage = Callable[..., Path]


@pytest.fixture
def save_image() -> SaveImage:
    """Save an image of seeded noise under any name and in any mode; the folder is made."""

    def save(path: Path, *, size: tuple[int, int] = (8, 16), seed: int = 0, **options) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(noise).save(path, **options)
        return path

    return save


@pytest.fixture
def save_all(save_image: SaveImage) -> Callable[[Path, str], None]:
    """Save one image for each name in a text of names separated by blanks."""

    def save(folder: Path, names: str) -> None:
        for seed, name in enumerate(names.split()):
            save_image(folder / name, seed=seed)

    return save


@pytest.fixture
def market(tmp_path: Path, save_all: Callable[[Path, str], None]) -> Path:
    """Lay out 2 training people, 2 test people, a distractor and a junk image on 12 cameras."""
    root = tmp_path / "my_market_c1"  # a folder's name must not be taken for an image's
    save_all(
        root / "bounding_box_train",
        "0002_c1s1_000451_03.jpg 0002_c12s1_000551_01.jpg 0007_c3s2_000001_01.jpg.jpg",
    )
    save_all(root / "query", "0001_c1s1_001051_00.jpg 0003_c2s1_000301_00.jpg")
    save_all(
        root / "bounding_box_test",
        "-1_c1s1_001351_04.jpg 0000_c2s1_000001_00.jpg 0001_c3s1_000551_00.jpg "
        "0003_c10s1_000551_00.jpg",
    )
    save_all(root / "gt_bbox", "0001_c1s1_001051_00.jpg")
    (root / "bounding_box_train" / "Thumbs.db").write_bytes(b"\0")
    return root


def rows(dataset: Dataset, split: str) -> list[tuple[str, int | None, int | None]]:
    """Return the name, person and camera of every image of a split."""
    return [(sample.path.name, sample.pid, sample.camid) for sample in dataset.split(split)]
