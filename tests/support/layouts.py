"""Layouts of data sets: empty files by their paths, and what was read of them."""

from collections.abc import Iterable
from pathlib import Path

from pul.data.datasets import Dataset

SPLITS = ("train", "query", "gallery")


def lay_out(root: Path, paths: Iterable[str]) -> Path:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return root


def people(dataset: Dataset, split: str) -> set[int | None]:
    return {sample.pid for sample in dataset.split(split)}


def cameras(dataset: Dataset) -> set[int | None]:
    return {sample.camid for sample in dataset.samples}


def market_name(pid: int, camid: int, frame: int) -> str:
    return f"{pid:04}_c{camid}s1_{frame:06}_00.jpg"


# People 1 to 4 are there to train, 5 to 7 to test, each on two cameras.
TRAIN = [(pid, camid, 100 * pid + camid) for pid in (1, 2, 3, 4) for camid in (1, 2)]
QUERY = [(pid, 1, 100 * pid) for pid in (5, 6, 7)]
GALLERY = [(pid, 2, 100 * pid) for pid in (5, 6, 7)]
PLACED = dict(zip(SPLITS, (TRAIN, QUERY, GALLERY), strict=True))
