"""Tiny places: on disk in the layout of Market-1501, and as a workspace."""

from pathlib import Path

import numpy as np
from PIL import Image

from pul.models.network import save_network
from pul.records import Split
from pul.store.workspace import Workspace
from tests.support.fakes import image_dataset
from tests.support.networks import coloured_images, tiny_network

SPLITS: tuple[Split, ...] = ("train", "query", "gallery")


def write_place(root: Path, *, n_people: int = 6, n_images_each: int = 8) -> Path:
    """Write training images of some people on two cameras, and queries and a gallery of others.

    Query and gallery show the same five people; image i of a person is on camera i % 2 + 1.
    """
    for folder, n, each, seed in (
        ("bounding_box_train", n_people, n_images_each, 0),
        ("bounding_box_test", 5, 4, 1),
        ("query", 5, 2, 1),
    ):
        (root / folder).mkdir(parents=True)
        pixels, pids = coloured_images(n, each, seed=seed)
        for index, (image, pid) in enumerate(zip(pixels, pids, strict=True)):
            number = index % each
            name = f"{pid:04d}_c{number % 2 + 1}s1_{number:06d}_01.png"
            Image.fromarray(image).save(root / folder / name)
    return root


def make_small_workspace(folder: Path, name: str) -> Path:
    """Make a workspace of 6 people, and a start model in it.

    Of each person there are 4 training images, a query and a gallery image.
    """
    pixels, pids = coloured_images(6, 6)
    splits = np.tile(["train", "train", "train", "train", "query", "gallery"], 6)
    with Workspace.create(folder, name=name) as workspace:
        save_network(tiny_network(), folder / "start.safetensors")
        for split in SPLITS:
            chosen = np.flatnonzero(splits == split)
            chosen = np.roll(chosen, split == "gallery")  # another camera than the query's
            crops = image_dataset(folder / "images", pixels[chosen], pids[chosen], split=split)
            workspace.add_dataset(crops, is_same_place=True)
    return folder
