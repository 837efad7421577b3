"""Crops of the people in whole pictures, where a list says their boxes."""

import csv
import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pul.data.crops import Region, clip_box, encode_crop, write_crop
from pul.data.decoding import decode
from pul.data.grey import NO_RANGES, GreyRanges
from pul.data.samples import Sample, Skipped
from pul.errors import ImageError, StoreError

_FOLDER = "boxes"
_SOURCES = "pictures.csv"
_COLUMNS = ("crop", "picture", "left", "top", "right", "bottom")
_MAX_STEM = 100


def cut_samples(
    samples: Sequence[Sample],
    folder: Path | None,
    *,
    ranges: GreyRanges = NO_RANGES,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[tuple[Sample, ...], tuple[Skipped, ...]]:
    """Cut samples with a box out of their pictures.

    A crop's path depends on its picture's bytes and on the box alone, so that cutting again makes
    nothing twice, wherever the picture lies by then. `boxes/pictures.csv` says where each comes
    from.

    Args:
        samples: Samples, with and without boxes.
        folder: Where crops go, into its folder `boxes`; None cuts nothing, and samples keep boxes.
        ranges: What grey values of more than 8 bits are stretched by.
        on_progress: Called with (pictures read, pictures in all).

    Returns:
        The samples in order without those that give no crop, and these with their reasons.

    Raises:
        StoreError: The disk refuses.
    """
    by_picture: dict[Path, list[int]] = defaultdict(list)
    for index, sample in enumerate(samples):
        if sample.box is not None:
            by_picture[sample.path].append(index)
    cut: dict[int, Sample | Skipped] = {}
    sources: dict[Path, tuple[Path, Region]] = {}
    try:
        for done, (path, indices) in enumerate(by_picture.items(), start=1):
            cut |= _cut_picture(path, {i: samples[i] for i in indices}, folder, sources, ranges)
            if on_progress is not None:
                on_progress(done, len(by_picture))
        if folder is not None and sources:
            _write_sources(folder / _FOLDER, sources)
    except OSError as error:
        raise StoreError(
            f"The crops cannot be written to {str(folder)!r}: {error.strerror or error}. Free some "
            "space."
        ) from error
    outcome = [cut.get(index, sample) for index, sample in enumerate(samples)]
    return (
        tuple(item for item in outcome if isinstance(item, Sample)),
        tuple(item for item in outcome if isinstance(item, Skipped)),
    )


def _cut_picture(
    path: Path,
    samples: dict[int, Sample],
    folder: Path | None,
    sources: dict[Path, tuple[Path, Region]],
    ranges: GreyRanges,
) -> dict[int, Sample | Skipped]:
    try:
        picture = decode(path, ranges=ranges)
        digest = hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()
    except ImageError as error:
        return {index: Skipped(path, str(error)) for index in samples}
    cut: dict[int, Sample | Skipped] = {}
    seen: set[Region] = set()
    for index, sample in samples.items():
        region = clip_box(sample.box or (0.0, 0.0, 0.0, 0.0), picture.size)
        if isinstance(region, str):
            cut[index] = Skipped(path, f"box {_show(sample)}: {region}")
        elif region in seen:
            cut[index] = Skipped(path, f"box {_show(sample)}: it is there twice")
        elif folder is not None:
            edges = "-".join(map(str, region))
            name = f"{path.stem[:_MAX_STEM]}_{edges}.jpg"
            crop = folder.absolute() / _FOLDER / digest[:2] / digest / name
            write_crop(crop, encode_crop(picture.crop(region)))
            sources[crop] = path, region
            cut[index] = replace(sample, path=crop, box=None)
        if not isinstance(region, str):
            seen.add(region)
    return cut


def _show(sample: Sample) -> str:
    return ", ".join(f"{edge:.6g}" for edge in sample.box or ())


def _write_sources(folder: Path, sources: dict[Path, tuple[Path, Region]]) -> None:
    """Add to the list of what was cut out of which picture."""
    path = folder / _SOURCES
    known: dict[str, Sequence[str]] = {}
    if path.is_file():
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            known = {row[0]: row for row in list(csv.reader(file))[1:]}
    for crop, (picture, region) in sources.items():
        name = str(crop.relative_to(folder.absolute()))
        known[name] = (name, str(picture), *map(str, region))
    aside = path.with_name(f".{_SOURCES}.part")
    with aside.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows(known[name] for name in sorted(known))
    aside.replace(path)
