"""MSMT17, whose list files name the images and their identities."""

from collections.abc import Iterator
from pathlib import Path

from pul.data.readers.listing import Listing, list_images
from pul.data.readers.published import count_notes, count_splits
from pul.data.readers.reading import Reader, Reading
from pul.data.samples import Sample, Skipped
from pul.errors import DatasetError
from pul.records import Split

_LISTS: dict[str, Split] = {
    "list_train.txt": "train",
    "list_val.txt": "train",
    "list_query.txt": "query",
    "list_gallery.txt": "gallery",
}
_TRAIN_FOLDERS = ("mask_train_v2", "train")
_TEST_FOLDERS = ("mask_test_v2", "test")


def _is_msmt17(root: Path) -> bool:
    return any((root / name).is_file() for name in ("list_train.txt", "list_query.txt"))


def _read_msmt17(root: Path, *, include_val: bool = True) -> Reading:
    """Read the lists; `include_val` trains on list_val.txt too, as the published counts do."""
    names = [name for name in _LISTS if (root / name).is_file()]
    if not include_val:
        names = [name for name in names if name != "list_val.txt"]
    train = [name for name in names if _LISTS[name] == "train"]
    test = [name for name in names if _LISTS[name] != "train"]
    # Both parts count identities from 0, which here means a distractor, so the train ones become
    # 1, 2, ... and those of the test follow.
    samples, skipped = _read_lists(root, train, _TRAIN_FOLDERS, shift=1)
    first_test_pid = 1 + max((sample.pid or 0 for sample in samples), default=0)
    test_samples, test_skipped = _read_lists(root, test, _TEST_FOLDERS, shift=first_test_pid)
    samples += test_samples
    notes = [
        "Identities are numbered from 1 (the lists count from 0, which means a distractor); "
        f"those of the test start at {first_test_pid}.",
        *(count_notes(count_splits(samples), ["MSMT17"]) if include_val else ()),
    ]
    return Reading("MSMT17", tuple(samples), (*skipped, *test_skipped), tuple(notes))


def _read_lists(
    root: Path, names: list[str], folders: tuple[str, ...], *, shift: int
) -> tuple[list[Sample], list[Skipped]]:
    if not names:
        return [], []
    folder = _image_folder(root, folders)
    listing = list_images(folder, root=root, recursive=True)
    samples: list[Sample] = []
    skipped: list[Skipped] = []
    for name in names:
        lines = sorted(_lines(root / name))
        found, missed = _match(lines, folder, listing, _LISTS[name], shift)
        samples += found
        skipped += [Skipped(item.path, f"listed in {name}, but {item.reason}") for item in missed]
    return samples, skipped


def _match(
    lines: list[tuple[str, int]], folder: Path, listing: Listing, split: Split, shift: int
) -> tuple[list[Sample], list[Skipped]]:
    available = set(listing.images)
    reasons = {item.path: item.reason for item in listing.skipped}
    samples: list[Sample] = []
    skipped: list[Skipped] = []
    for name, number in lines:
        path = folder / name
        camid = _camid(path.name)
        if path not in available:
            skipped.append(Skipped(path, reasons.get(path, "there is no such file")))
        elif camid is None:
            skipped.append(Skipped(path, "its name has no camera as third field (0000_000_01_...)"))
        else:
            samples.append(Sample(path, pid=number + shift, camid=camid, split=split))
    return samples, skipped


def _image_folder(root: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (root / name).is_dir():
            return root / name
    raise DatasetError(
        f"{str(root)!r} has MSMT17 lists but none of the folders {' or '.join(names)}. "
        "Unpack the images beside the lists."
    )


def _lines(path: Path) -> Iterator[tuple[str, int]]:
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    for row, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        name, _, number = line.strip().rpartition(" ")
        if not name.strip() or not (number.isascii() and number.isdigit() and len(number) < 10):
            raise DatasetError(
                f"{path.name}, line {row}: {line[:80]!r} is not '<path> <identity>', "
                "for example '0000/0000_000_01_0303morning_0015_0.jpg 0'."
            )
        yield name.strip(), int(number)


def _camid(name: str) -> int | None:
    fields = name.split("_")
    is_number = len(fields) > 3 and fields[2].isascii() and fields[2].isdigit()
    return int(fields[2]) if is_number and len(fields[2]) < 10 else None


MSMT17 = Reader(
    "msmt17",
    "MSMT17: list_train.txt, list_val.txt, list_query.txt, list_gallery.txt beside "
    "train/ and test/ (V1) or mask_train_v2/ and mask_test_v2/ (V2)",
    _is_msmt17,
    _read_msmt17,
    (*_TRAIN_FOLDERS, *_TEST_FOLDERS),
)
