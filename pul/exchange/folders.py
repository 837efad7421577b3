"""Labels as folders of images: one for each identity, or the layout of Market-1501."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from pul.data.datasets import Dataset, read_dataset
from pul.data.detection import locate_named
from pul.data.file_names import printable, to_text
from pul.data.readers.listing import has_images, list_images, subfolders
from pul.data.readers.matching import PathIndex
from pul.data.readers.numbers import meaning_of
from pul.data.readers.words import split_word
from pul.data.samples import parse_name
from pul.errors import DataError, DatasetError
from pul.exchange.documents import write_json
from pul.exchange.labels import Label, Labels, Problem
from pul.exchange.snapshot import Person, Shot, Snapshot, name_apart
from pul.store.atomic_files import place_file

MANIFEST = "identities.json"
READ = (
    "a CSV or Parquet table with a column of images and one of people; JSON of PUL Studio, COCO, "
    "Label Studio or FiftyOne; XML of CVAT 1.1, for images or for video; text of MOTChallenge; a "
    "folder for each identity, or a folder as Market-1501 has them"
)
_JUNK = "-1"
_LISTS = "images_*.txt"  # beside, or instead of, CVAT's folders of Market-1501
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*%]|^[.\-~ ]|[. ]$')
_MAX_NAME_BYTES = 200  # most file systems take 255


def write_folders(snapshot: Snapshot, folder: Path) -> None:
    """Fill a folder with one for each identity, and `-1` for junk; unsure images are left out.

    Files keep their names, below as many of their folders as tell them from all other images of
    the workspace. Signs that a folder cannot be called by are written as %2F.

    Raises:
        DataError: An image is gone.
    """
    people = snapshot.people
    check_files([shot for person in people for shot in person.shots] + list(snapshot.junk))
    index = PathIndex(snapshot.locations)
    names = name_apart((_to_folder_name(person.name) for person in people), taken=(_JUNK,))
    groups = [(name, person.shots) for name, person in zip(names, people, strict=True)]
    for name, shots in [*groups, (_JUNK, snapshot.junk)]:
        for shot in shots:
            place_file(shot.path, folder.joinpath(name, *index.shortest(str(shot.path))))


def write_market(snapshot: Snapshot, folder: Path) -> None:
    """Fill a folder like Market-1501's, with names like `0001_c1s1_000151_01.jpg`.

    Training identities are in `bounding_box_train`. Validation identities are in
    `bounding_box_test` and, one image for each camera, in `query`, as far as each query keeps a
    true match. Junk (`-1`) and distractors (`0000`), those of the ground truth too where nobody
    said otherwise, are in `bounding_box_test`. Cameras that are not known are 0. What the names
    cannot say is in `identities.json`, from which `import-annotations` reads it back.

    Raises:
        DataError: An image is gone.
    """
    placed = list(_market_places(snapshot))
    check_files([shot for _, _, shot in placed])
    counts: Counter[str] = Counter()
    for part in ("bounding_box_train", "bounding_box_test", "query"):
        (folder / part).mkdir()
    for part, pid, shot in placed:
        stem = _market_stem(pid, shot)
        counts[stem] += 1
        name = f"{stem}_{counts[stem]:02}{shot.path.suffix.lower()}"
        place_file(shot.path, folder / part / name)
    write_json(snapshot, folder / MANIFEST)


def read_folders(folder: Path) -> Labels:
    """Read labels from a folder for each identity, or from a data set in a published layout.

    Of a data set as Market-1501 is, the ids are the identities, and files are known by their names.
    CVAT exports such a one, whatever its parts are called, or a list of the names only.

    Raises:
        DatasetError: There is no folder with images in it.
    """
    root = folder.resolve()
    found = locate_named(root)
    if found is not None:
        return _dataset_labels(read_dataset(found.folder, format=found.reader.format), root)
    if any(path for pattern in ("bounding_box_*", _LISTS) for path in root.glob(pattern)):
        return _name_labels(root)
    labels: list[Label] = []
    problems = [Problem(str(x), "not in an identity's folder") for x in _loose(root)]
    people = [below for top in subfolders(root) for below in _people(top)]
    for person in people:
        listing = list_images(person, root=root, recursive=True)
        problems += [Problem(str(item.path), item.reason) for item in listing.skipped]
        labels += [_folder_label(path, person, root) for path in listing.images]
    if not labels:
        raise DatasetError(f"{str(folder)!r} holds no folder with images in it. Right: {READ}.")
    return Labels(tuple(labels), tuple(problems), format="a folder for each identity")


def _people(folder: Path) -> tuple[Path, ...]:
    """Return the folders of people: those within one of a split, such as `train`."""
    is_split = split_word(folder.name) is not None and not has_images(folder)
    return subfolders(folder) if is_split else (folder,)


def _dataset_labels(dataset: Dataset, root: Path) -> Labels:
    """Take the ids of a data set as identities; -1 is junk, 0 a distractor."""
    special = {-1: "junk", 0: "distractor"}
    labels = tuple(
        Label(
            str(sample.path.relative_to(root))
            if sample.path.is_relative_to(root)
            else sample.path.name,
            sample.path.name,
            "" if sample.pid is None else special.get(sample.pid, str(sample.pid)),
        )
        for sample in dataset.samples
    )
    problems = [Problem(str(item.path), item.reason) for item in dataset.skipped]
    return Labels(
        labels, tuple(problems), notes=dataset.notes, format=f"{dataset.format}, by its ids"
    )


def _name_labels(root: Path) -> Labels:
    """Take the ids in the names of files, or in the lists of names that are beside none."""
    images = list_images(root, root=root, recursive=True).images
    names = {path.name: str(path.relative_to(root)) for path in images}
    for listed in sorted(root.glob(_LISTS)):
        text = listed.read_text(encoding="utf-8", errors="surrogateescape")
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        names |= {PurePosixPath(line).name: f"{listed.name}, {line}" for line in lines}
    labels: list[Label] = []
    problems: list[Problem] = []
    for name, place in sorted(names.items()):
        parsed = parse_name(name)
        if parsed is None:
            problems.append(Problem(place, "its name is not like 0002_c1s1_000451_03.jpg"))
        else:
            labels.append(Label(place, name, str(parsed.pid)))
    return Labels(tuple(labels), tuple(problems), format="Market-1501, by the ids in the names")


def _loose(root: Path) -> tuple[Path, ...]:
    return list_images(root, root=root).images


def _folder_label(path: Path, person: Path, root: Path) -> Label:
    place = printable(path.relative_to(root))
    ending = to_text(path.relative_to(person).as_posix())
    if meaning_of(person.name) != "person":
        return Label(place, ending, person.name)
    identity = unquote(person.name).strip() or person.name
    # A name that was written with % means itself, even if it is `unknown`.
    return Label(place, ending, identity, "training" if "%" in person.name else None)


def _to_folder_name(name: str) -> str:
    if meaning_of(name) != "person" or split_word(name) is not None:
        return "".join(f"%{byte:02X}" for byte in name.encode())[: _MAX_NAME_BYTES // 3 * 3]
    quoted = _UNSAFE.sub(_quote, name)
    while len(quoted.encode()) > _MAX_NAME_BYTES:
        name = name[:-1].rstrip()
        quoted = _UNSAFE.sub(_quote, name)
    return quoted


def _quote(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode())


def check_files(shots: list[Shot]) -> None:
    """Refuse an export whose files are not all there.

    Raises:
        DataError: An image is gone.
    """
    gone = [shot.path for shot in shots if not shot.path.is_file()]
    if gone:
        raise DataError(
            f"The files of {len(gone)} of {len(shots)} images are gone, such as "
            f"{printable(gone[0])}. If they were moved, `python -m pul relocate NEW_FOLDER "
            "--workspace WORKSPACE` finds them again; else bring them back, or export csv or json, "
            "which need no files."
        )


def _market_places(snapshot: Snapshot) -> Iterator[tuple[str, int, Shot]]:
    """Yield (folder, pid, image) of everything that is exported."""
    for person in snapshot.people:
        queries = _queries(person) if person.role == "validation" else set()
        home = "bounding_box_test" if person.role == "validation" else "bounding_box_train"
        for shot in person.shots:
            yield "query" if shot.path in queries else home, person.number, shot
    yield from (("bounding_box_test", -1, shot) for shot in snapshot.junk)
    yield from (("bounding_box_test", shot.pid, shot) for shot in snapshot.background)


def _queries(person: Person) -> set[Path]:
    """Choose one image a camera, such that another camera keeps one in the gallery."""
    cameras: dict[int, list[Path]] = {}
    for shot in person.shots:
        if shot.camid is not None:
            cameras.setdefault(shot.camid, []).append(shot.path)
    if len(cameras) < 2:
        return set()
    several = {paths[0] for paths in cameras.values() if len(paths) > 1}
    return several or {next(iter(cameras.values()))[0]}


def _market_stem(pid: int, shot: Shot) -> str:
    number = _JUNK if pid < 0 else f"{pid:04}"
    camid = 0 if shot.camid is None else shot.camid
    sequence = 1 if shot.sequence is None else shot.sequence
    return f"{number}_c{camid}s{sequence}_{shot.frame or 0:06}"
