"""Market-1501, DukeMTMC-reID, CUHK03's folders, and whatever is laid out like them."""

from pathlib import Path

from pul.data.readers.listing import list_images
from pul.data.readers.published import count_notes, count_splits
from pul.data.readers.reading import Reader, Reading
from pul.data.samples import Sample, Skipped, parse_name
from pul.errors import ConfigError
from pul.records import Split

_FOLDERS: dict[str, Split] = {
    "bounding_box_train": "train",
    "query": "query",
    "bounding_box_test": "gallery",
}
_BOXES = ("detected", "labeled")
_PARTS = (*_FOLDERS, "gt_bbox", "gt_query")


def _is_market(root: Path) -> bool:
    return any((root / name).is_dir() for name in ("bounding_box_train", "bounding_box_test"))


def _is_duke(root: Path) -> bool:
    return _is_market(root) and "duke" in root.name.lower()


def _is_cuhk03(root: Path) -> bool:
    return any(_is_market(root / boxes) for boxes in _BOXES)


def _read_market(root: Path) -> Reading:
    published = ["Market-1501"] if "market" in root.name.lower() else []
    return _read_folders(root, root, root.name, published)


def _read_duke(root: Path) -> Reading:
    return _read_folders(root, root, "DukeMTMC-reID", ["DukeMTMC-reID"])


def _read_cuhk03(root: Path, *, boxes: str = "detected") -> Reading:
    if boxes not in _BOXES:
        raise ConfigError(f"boxes must be 'detected' or 'labeled', but is {boxes!r}.")
    name = f"CUHK03 ({boxes})"
    return _read_folders(root / boxes, root, name, [name])


def _read_folders(folder: Path, root: Path, name: str, published: list[str]) -> Reading:
    samples: list[Sample] = []
    skipped: list[Skipped] = []
    for part, split in _FOLDERS.items():
        if not (folder / part).is_dir():
            continue
        listing = list_images(folder / part, root=root, recursive=True)
        skipped.extend(listing.skipped)
        for path in listing.images:
            sample = _sample(path, split)
            if sample is None:
                skipped.append(Skipped(path, "name is not of the form <pid>_c<camera>_..."))
            else:
                samples.append(sample)
    notes = (*_folder_notes(folder, samples), *count_notes(count_splits(samples), published))
    return Reading(name, tuple(samples), tuple(skipped), notes)


def _sample(path: Path, split: Split) -> Sample | None:
    name = parse_name(path.name)
    if name is None:
        return None
    return Sample(path, pid=name.person, camid=name.camid, split=split, frame=name.frame)


def _folder_notes(folder: Path, samples: list[Sample]) -> list[str]:
    notes = [f"There is no folder {name}." for name in _FOLDERS if not (folder / name).is_dir()]
    if (folder / "gt_bbox").is_dir():
        notes.append("gt_bbox is for `pul evaluate --multi-query` and was not imported.")
    n_nobody = sum(sample.pid is None for sample in samples)
    if n_nobody:
        notes.append(f"{n_nobody:,} images are of nobody known (-2 in their names).")
    train = [sample for sample in samples if sample.split == "train"]
    n_without = sum(sample.pid is not None and sample.pid <= 0 for sample in train)
    if n_without:
        notes.append(
            f"{n_without} of {len(train)} training images are junk (pid -1) or distractors "
            "(pid 0): they have no identity to train a source model with."
        )
    return notes


MARKET = Reader(
    "market1501",
    "the Market-1501 layout: bounding_box_train/, bounding_box_test/ and query/ "
    "with names like 0002_c1s1_000451_03.jpg",
    _is_market,
    _read_market,
    _PARTS,
)
DUKE = Reader(
    "dukemtmc-reid",
    "DukeMTMC-reID: the same folders, in one with 'duke' in its name",
    _is_duke,
    _read_duke,
    _PARTS,
)
CUHK03 = Reader(
    "cuhk03-np",
    "CUHK03, new protocol, as folders: detected/ and labeled/, each with the same folders",
    _is_cuhk03,
    _read_cuhk03,
    _BOXES,
)
