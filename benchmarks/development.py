"""Half of Market-1501's training people as a test set of one's own, to choose settings by.

    python -m benchmarks.development MARKET OUT

The official test set is for figures that are reported; settings are chosen on OUT. Half of the
people (376 of 751) keep their images for training. Of the other half, one image of each person in
each camera is a query, as in Market-1501, and everything else is the gallery; a query that no image
of another camera would match goes back to the gallery. Who and which is drawn by SHA-256 of SEED
and the person or file name, so that everyone gets the same split. OUT has the layout of Market-1501
and holds links only.
"""

import argparse
import hashlib
import os
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from pul.data.datasets import read_dataset
from pul.data.samples import Sample

SEED = "development 1"

Split = Mapping[str, Sequence[Sample]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the split and print what it holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("market", type=Path, help="folder that holds bounding_box_train")
    parser.add_argument("out", type=Path, help="folder to make")
    options = parser.parse_args(arguments)
    if options.out.exists():
        sys.exit(f"{options.out} is there already; name a folder to make.")
    samples = read_dataset(options.market, format="market1501").split("train")
    split = split_people(samples)
    link(split, options.out)
    print(table(split))


def split_people(samples: Sequence[Sample]) -> Split:
    """Return the images of each folder of the layout."""
    pids = sorted({sample.pid for sample in samples}, key=lambda pid: _draw(str(pid)))
    tested = set(pids[(len(pids) + 1) // 2 :])
    test = [sample for sample in samples if sample.pid in tested]
    query = _draw_queries(test)
    return {
        "bounding_box_train": [sample for sample in samples if sample.pid not in tested],
        "query": [sample for sample in test if sample.path.name in query],
        "bounding_box_test": [sample for sample in test if sample.path.name not in query],
    }


def _draw_queries(samples: Sequence[Sample]) -> set[str]:
    """Return names: one of each person and camera that leaves another camera's to be found."""
    taken: dict[tuple[int, int], list[str]] = defaultdict(list)
    for sample in samples:
        taken[sample.pid, sample.camid].append(sample.path.name)
    cameras: dict[int, set[int]] = defaultdict(set)  # that keep images of the person
    for (pid, camid), names in taken.items():
        if len(names) > 1:
            cameras[pid].add(camid)
    return {
        min(names, key=_draw) for (pid, camid), names in taken.items() if cameras[pid] - {camid}
    }


def _draw(name: str) -> str:
    return hashlib.sha256(f"{SEED}: {name}".encode()).hexdigest()


def link(split: Split, out: Path) -> None:
    """Make the folders of links: hard ones, or symbolic ones to another file system."""
    for folder, samples in split.items():
        (out / folder).mkdir(parents=True)
        for sample in samples:
            target = out / folder / sample.path.name
            try:
                os.link(sample.path, target)
            except OSError:
                target.symlink_to(sample.path.resolve())


def table(split: Split) -> str:
    """Return a row for each folder."""
    lines = ["| folder | images | people | cameras |", "|---|---|---|---|"]
    for folder, samples in split.items():
        people = {sample.pid for sample in samples}
        cameras = {sample.camid for sample in samples}
        lines.append(f"| {folder} | {len(samples):,} | {len(people)} | {len(cameras)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
