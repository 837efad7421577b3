"""VIPeR: one image of each person in each of two cameras, split by a seed."""

import re
from pathlib import Path

import numpy as np

from pul.data.readers.listing import list_images
from pul.data.readers.published import count_notes, count_splits
from pul.data.readers.reading import Reader, Reading
from pul.data.samples import Sample, Skipped
from pul.errors import ConfigError

_CAMERAS = {"cam_a": 1, "cam_b": 2}
_NAME = re.compile(r"\d{1,9}_\d{1,3}\.", re.ASCII)  # person and angle
_NUMBER = re.compile(r"\d{1,9}(?=[_.])", re.ASCII)


def _is_viper(root: Path) -> bool:
    folders = [root / name for name in _CAMERAS]
    return all(folder.is_dir() for folder in folders) and all(
        any(_NAME.match(path.name) for path in list_images(folder, root=root).images)
        for folder in folders
    )


def _read_viper(root: Path, *, split_seed: int = 0) -> Reading:
    """Read both cameras and draw half of the people seen by both, by `split_seed`, for training."""
    if split_seed < 0:
        raise ConfigError(f"split_seed must be at least 0, but is {split_seed}.")
    images: list[tuple[int, int, Path]] = []
    skipped: list[Skipped] = []
    for name, camid in _CAMERAS.items():
        if not (root / name).is_dir():
            continue
        listing = list_images(root / name, root=root)
        skipped.extend(listing.skipped)
        for path in listing.images:
            number = _NUMBER.match(path.name)
            if number is None:
                skipped.append(Skipped(path, "name does not start with a person's number"))
            else:
                images.append((camid, int(number[0]), path))
    test = _draw_test(images, split_seed)
    # Numbers start at 0, which as a pid means a distractor.
    samples = [
        Sample(path, pid=number + 1, camid=camid)
        if number not in test
        else Sample(path, pid=number + 1, camid=camid, split="query" if camid == 1 else "gallery")
        for camid, number, path in images
    ]
    samples.sort(key=lambda sample: sample.split != "train")
    return Reading("VIPeR", tuple(samples), tuple(skipped), _notes(samples, split_seed))


def _draw_test(images: list[tuple[int, int, Path]], split_seed: int) -> frozenset[int]:
    seen = [{number for camid, number, _ in images if camid == camera} for camera in (1, 2)]
    people = np.array(sorted(seen[0] & seen[1]), dtype=np.int64)
    order = np.random.default_rng(split_seed).permutation(len(people))
    return frozenset(people[order[: len(people) // 2]].tolist())


def _notes(samples: list[Sample], split_seed: int) -> tuple[str, ...]:
    return (
        f"Half of the people seen by both cameras are for testing, drawn by split_seed "
        f"{split_seed}; query is cam_a, gallery cam_b.",
        "Identities are the numbers in the file names plus 1, as 0 means a distractor.",
        *count_notes(count_splits(samples), ["VIPeR"]),
    )


VIPER = Reader(
    "viper",
    "VIPeR: cam_a/ and cam_b/ with names like 000_45.bmp",
    _is_viper,
    _read_viper,
    tuple(_CAMERAS),
)
