"""Plain folders of crops, and folders with a sub-folder per identity."""

import re
from pathlib import Path

from pul.data.readers.listing import has_images, list_images, subfolders
from pul.data.readers.reading import Reader, Reading
from pul.data.samples import Sample, Skipped, parse_name
from pul.records import Split

_SPLITS: tuple[Split, ...] = ("train", "query", "gallery")
_CAMERA = re.compile(r"(?:cam(?:era)?|c)[ _-]?(\d{1,9})", re.ASCII | re.IGNORECASE)
_INTEGER = re.compile(r"-1|\d{1,9}", re.ASCII)


def _is_crops(root: Path) -> bool:
    return root.is_dir() and (has_images(root) or _has_camera_folders(root))


def _has_camera_folders(root: Path) -> bool:
    folders = [folder for folder in subfolders(root) if has_images(folder)]
    return bool(folders) and all(_CAMERA.fullmatch(folder.name) for folder in folders)


def _read_crops(root: Path) -> Reading:
    listing = list_images(root, root=root, recursive=True)
    samples = [_crop(path, root) for path in listing.images]
    notes = ["All images are training images; identities are not known."]
    n_parsed = sum(parse_name(sample.path.name) is not None for sample in samples)
    if n_parsed:
        notes.append(
            f"{n_parsed} names read like Market-1501's: their cameras and frames are kept, the "
            "identities in them are not used."
        )
    if all(sample.camid is None for sample in samples):
        notes.append("Cameras are not known.")
    return Reading(root.name, tuple(samples), listing.skipped, tuple(notes))


def _crop(path: Path, root: Path) -> Sample:
    camid, frame = _camera_and_frame(path, root)
    return Sample(path, camid=camid, frame=frame)


def _is_identities(root: Path) -> bool:
    if not root.is_dir():
        return False
    folders = [folder for part in _parts(root).values() for folder in subfolders(part)]
    # One folder alone is a plain folder of crops that lies one level lower.
    return sum(has_images(folder) or _has_camera_folders(folder) for folder in folders) > 1


def _read_identities(root: Path) -> Reading:
    parts = _parts(root)
    folders = [(split, folder) for split, part in parts.items() for folder in subfolders(part)]
    pids, notes = _number({folder.name for _, folder in folders})
    samples: list[Sample] = []
    skipped: list[Skipped] = []
    for split, folder in folders:
        listing = list_images(folder, root=root, recursive=True)
        skipped.extend(listing.skipped)
        for path in listing.images:
            camid, frame = _camera_and_frame(path, root)
            pid = pids[folder.name]
            samples.append(Sample(path, pid=pid, camid=camid, split=split, frame=frame))
    for part in {root, *parts.values()}:
        skipped.extend(_loose_files(part, root))
    if root not in parts.values():
        skipped.extend(
            Skipped(folder, "not one of train, query and gallery")
            for folder in subfolders(root)
            if folder not in parts.values()
        )
    if any(sample.camid is None for sample in samples):
        notes.append("Cameras of some images are not known.")
    skipped.sort(key=lambda item: item.path)
    return Reading(root.name, tuple(samples), tuple(skipped), tuple(notes))


def _parts(root: Path) -> dict[Split, Path]:
    """Folders of the splits where there are such, else all of it for training."""
    found = {split: root / split for split in _SPLITS if (root / split).is_dir()}
    return found or {"train": root}


def _number(names: set[str]) -> tuple[dict[str, int], list[str]]:
    """Give every identity folder a pid: its own number where that is safe, else its place."""
    if all(_INTEGER.fullmatch(name) for name in names):
        pids = {name: int(name) for name in names}
        counts_from_zero = 0 in pids.values() and -1 not in pids.values()
        if len(set(pids.values())) == len(names) and not counts_from_zero:
            return pids, []
    pids = {name: place for place, name in enumerate(sorted(names), start=1)}
    return pids, ["Identities are the sub-folders in sorted order, numbered from 1."]


def _loose_files(part: Path, root: Path) -> list[Skipped]:
    listing = list_images(part, root=root)
    loose = [Skipped(path, "not in the folder of an identity") for path in listing.images]
    return [*loose, *listing.skipped]


def _camera_and_frame(path: Path, root: Path) -> tuple[int | None, int | None]:
    """Read the camera from the name, else from a folder above it named like cam2."""
    name = parse_name(path.name)
    if name is not None:
        return name.camid, name.frame
    for folder in path.relative_to(root).parts[-2::-1]:
        match = _CAMERA.fullmatch(folder)
        if match:
            return int(match[1]), None
    return None, None


IDENTITIES = Reader(
    "identities",
    "a folder per identity, with that person's images in it; or train/, query/ and gallery/, "
    "each with such folders",
    _is_identities,
    _read_identities,
)
CROPS = Reader(
    "folder",
    "a plain folder of crops (.jpg, .png, ...), with or without sub-folders cam1/, cam2/, ...",
    _is_crops,
    _read_crops,
)
