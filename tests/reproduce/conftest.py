"""A tiny target of six people, a source of five, and a start model."""

from pathlib import Path

import pytest
from PIL import Image

from pul.models.network import save_network
from tests.support.networks import coloured_images, tiny_network


def write_people(folder: Path, n_people: int, *, seed: int, is_target: bool) -> Path:
    """Write ten images of each person in Market-1501's layout; of a target two are for testing."""
    pixels, pids = coloured_images(n_people, 10, seed=seed)
    for number, (image, pid) in enumerate(zip(pixels, pids, strict=True)):
        place = number % 10
        split = "bounding_box_train"
        if is_target and place >= 8:
            split = "query" if place == 8 else "bounding_box_test"
        (folder / split).mkdir(parents=True, exist_ok=True)
        name = f"{pid:04}_c{place % 2 + 1}s1_{1000 * number:06}_00.png"  # far apart: no tracklets
        Image.fromarray(image).save(folder / split / name)
    return folder


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `market-tiny`, `source-tiny` and `start.safetensors`."""
    root = tmp_path_factory.mktemp("place")
    write_people(root / "market-tiny", 6, seed=0, is_target=True)
    write_people(root / "source-tiny", 5, seed=1, is_target=False)
    save_network(tiny_network(), root / "start.safetensors")
    return root
