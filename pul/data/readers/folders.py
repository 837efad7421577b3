"""Images in folders of any build: by split, by person, by camera, or by none of these."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pul.data.readers import words
from pul.data.readers.evidence import File, Levels, Role, is_special
from pul.data.readers.levels import Understanding, parse_levels, understand
from pul.data.readers.listing import has_images, list_images, subfolders
from pul.data.readers.named_rows import plain_number, with_names
from pul.data.readers.reading import LevelReading, Reader, Reading
from pul.data.readers.rows import Row, number_samples, separate_prid
from pul.data.readers.splits import join_splits, split_level, split_names
from pul.data.samples import Skipped, parse_name
from pul.records import Split

_DEEPEST = 8  # levels of folders that are searched for an image
_MOST = 0.9  # share of the names that has to hold a number before it is taken
_ORDER: dict[Split, int] = {"train": 0, "query": 1, "gallery": 2}
_NOBODY = "not in the folder of a person"
_PERSON_IN_NAME = re.compile(
    r"(?<![^\W_])(?:person|pers|pid|id|identity|subject)[_-]?(\d{1,9})(?!\d)", re.ASCII | re.I
)
_P_IN_NAME = re.compile(r"p0*(\d{1,9})(?!\d)", re.ASCII | re.I)  # CUHK-SYSU: p11422_s16929_1
_CAMERA_IN_NAME = re.compile(
    r"(?<![^\W_])(?:cam|camera|ch|channel|c)[_-]?(\d{1,9})(?![^\W_])", re.ASCII | re.I
)
_MEANS: dict[Role, str] = {
    "split": "a split",
    "person": "a person",
    "camera": "a camera",
    "tracklet": "a tracklet",
    "side": "a side",
    "recording": "a recording",
    "date": "a date",
    "class": "a class",
    "-": "a mere folder",
}


def _is_folders(root: Path) -> bool:
    return root.is_dir() and _has_images(root, _DEEPEST)


def _has_images(folder: Path, n_levels: int) -> bool:
    if has_images(folder):
        return True
    return n_levels > 0 and any(_has_images(below, n_levels - 1) for below in subfolders(folder))


def _read_folders(root: Path, *, levels: str = "") -> Reading:
    """Read a tree of folders; `levels` says what they mean, as in camera/person."""
    listing = list_images(root, root=root, recursive=True)
    given = parse_levels(levels) if levels else None
    files = _files(root, listing.images, given)
    found = given or understand(files)
    if len(found.readings) > 1:
        readings = tuple(_describe(found, reading, files) for reading in found.readings)
        return Reading(root.name, (), listing.skipped, readings=readings)
    rows: list[Row] = []
    in_folders: set[Path] = set()
    skipped = list(listing.skipped)
    read = _RowReader.of(root, files, listing.images, found)
    for path, file in zip(listing.images, files, strict=True):
        row = read.row(path, file)
        if isinstance(row, str):
            skipped.append(Skipped(path, row))
        else:
            rows.append(row)
            if "person" in (read.levels(file) or ()):
                in_folders.add(path)
    found, rows, name_notes = with_names(found, rows, is_given=given is not None)
    skipped += [Skipped(r.path, _NOBODY) for r in rows if not r.person and r.path in in_folders]
    rows = [row for row in rows if row.person or row.path not in in_folders]
    rows, prid_notes = separate_prid(root, rows)
    samples, notes = number_samples(rows)
    notes = [*name_notes, *prid_notes, *notes]
    return Reading(
        root.name,
        tuple(sorted(samples, key=lambda sample: (_ORDER[sample.split], sample.path))),
        tuple(sorted(skipped, key=lambda item: item.path)),
        (*_level_notes(files, found), *notes),
        levels=found.text(found.readings[0]),
    )


def _files(root: Path, paths: Sequence[Path], given: Understanding | None) -> list[File]:
    """Return what folders and names say; splits in names of files count as folders above them."""
    files = join_splits(
        [File(path.relative_to(root).parts[:-1], parse_name(path.name)) for path in paths]
    )
    is_wanted = given is None or (given.readings[0][:1] == ("split",) and not given.splits)
    taken = split_names([path.name for path in paths])
    if taken is None or not is_wanted or split_level(files) is not None:
        return files
    return [
        File((word, *file.folders), parse_name(name))
        for file, (word, name) in zip(files, taken, strict=True)
    ]


@dataclass(frozen=True)
class _RowReader:
    """Reads single images by what was understood of them all."""

    root: Path
    found: Understanding
    people_classes: frozenset[str]
    all_of_train: str | None
    places: tuple[int, ...]  # levels that are named as places with cameras of their own
    person_in_name: re.Pattern[str] | None
    is_by_class: bool  # the same name is below several classes
    are_plain: bool  # no two folders of people differ by leading zeros only
    takes_camera: bool

    @classmethod
    def of(
        cls, root: Path, files: Sequence[File], paths: Sequence[Path], found: Understanding
    ) -> "_RowReader":
        names = [path.name for path in paths]
        levels = found.readings[0]
        of_role = {
            role: {file.folders[i] for file in files if len(file.folders) > i}
            for i, role in enumerate(levels)
        }
        classes, named = of_role.get("class", set()), of_role.get("person", set())
        return cls(
            root=root,
            found=found,
            people_classes=frozenset(c for c in classes if words.fold(c) in words.PEOPLE_CLASSES),
            all_of_train=next(filter(_is_all_of_train, sorted(of_role.get("split", ()))), None),
            places=tuple(
                i for i, role in enumerate(levels) if role == "-" and _are_places(files, i)
            ),
            person_in_name=_person_in(names),
            is_by_class=_is_below_several(files, levels),
            are_plain=len(set(map(plain_number, named))) == len(named),
            takes_camera=_is_in_most(_CAMERA_IN_NAME, names),
        )

    def row(self, path: Path, file: File) -> Row | str:
        """Return what is known of an image, or why it is left out."""
        levels = self.levels(file)
        if levels is None:
            return "of none of train, query or gallery, by its folders and its name"
        row = Row(path, "train")
        for i, (folder, role) in enumerate(zip(file.folders, levels, strict=False)):
            if role == "split":
                word = self.found.split(folder)
                reason = self._reason(folder, word)
                if word is None or reason:
                    return reason or f"{folder!r} is named after no split"
                row = replace(row, split=words.to_split(word))
            elif role == "class" and self.people_classes and folder not in self.people_classes:
                return f"a crop of the class {folder!r}, which is no person"
            elif role == "person":
                row = replace(row, person=self._person(file, folder, levels))
            elif role == "camera":
                places = [file.folders[j] for j in self.places if j < i]
                row = replace(row, camera="/".join([*places, folder]))
            elif role == "side":
                row = replace(row, side=words.fold(folder))
            elif role == "tracklet":
                depth = file.folders.index(folder) + 1
                row = replace(row, tracklet="/".join(file.folders[:depth]))
        return self._by_name(row, file, levels)

    def _person(self, file: File, folder: str, levels: Levels) -> str:
        """Name a person: `zebra/1` where there is a `giraffe/1` too."""
        if self.is_by_class and "class" in levels:
            return f"{file.folders[levels.index('class')]}/{folder}"
        return plain_number(folder) if self.are_plain else folder

    def levels(self, file: File) -> Levels | None:
        """Return the roles of a file's folders; None where there are splits and it is in none."""
        of_split, levels = self.found.of_split, self.found.readings[0]
        if not of_split or "" in of_split:
            return (
                levels
                if "split" not in levels or len(file.folders) > levels.index("split")
                else None
            )
        depth = levels.index("split")
        return of_split.get(file.folders[depth]) if len(file.folders) > depth else None

    def _reason(self, folder: str, word: words.SplitWord | None) -> str | None:
        if word == "pooled":
            return "pooled with queries by `pul evaluate --multi-query`, not imported"
        is_part = word in ("train", "validation") and folder != self.all_of_train
        if self.all_of_train and is_part:
            return f"its images are in {self.all_of_train!r} too"
        return None

    def _by_name(self, row: Row, file: File, levels: Levels) -> Row:
        """Add what the name of the file says, where no folder says it."""
        name, stem = file.name, row.path.name
        person, camera = row.person, row.camera
        if person is None and name is not None and "split" in levels:
            person = str(name.pid)
        elif person is None and self.person_in_name and (m := self.person_in_name.search(stem)):
            person = plain_number(m[1])
        if camera is None and name is not None:
            camera = str(name.camid)
        elif camera is None and self.takes_camera and (match := _CAMERA_IN_NAME.search(stem)):
            camera = match[1]
        is_comparable = not {"recording", "date"} & set(levels)
        frame = name.frame if name is not None and is_comparable else None
        tracklet = row.tracklet or (name.tracklet if name is not None else None)
        return replace(row, person=person, camera=camera, frame=frame, tracklet=tracklet)


def _is_below_several(files: Sequence[File], levels: Levels) -> bool:
    """Whether a folder of a person is below several classes, none of which is people."""
    if not {"class", "person"} <= set(levels):
        return False
    of_class, person = levels.index("class"), levels.index("person")
    pairs = {
        (file.folders[of_class], file.folders[person])
        for file in files
        if len(file.folders) > max(of_class, person)
    }
    are_people = any(words.fold(name) in words.PEOPLE_CLASSES for name, _ in pairs)
    return not are_people and len({name for _, name in pairs}) < len(pairs)


def _are_places(files: Sequence[File], depth: int) -> bool:
    """Whether the folders of a level are several places: `shop 1/till 1`, `shop 2/till 1`."""
    names = {file.folders[depth] for file in files if len(file.folders) > depth}
    return len(names) > 1 and all(map(words.is_camera, names))


def _is_all_of_train(folder: str) -> bool:
    tokens = words.tokens(folder)
    return words.split_word(folder) == "train" and ("all" in tokens or "trainval" in tokens)


def _person_in(names: Sequence[str]) -> re.Pattern[str] | None:
    """Return what finds a person in names; None for nobody. A mere p may be a picture's too."""
    if _is_in_most(_PERSON_IN_NAME, names):
        return _PERSON_IN_NAME
    found = [match[1] for name in names if (match := _P_IN_NAME.match(name))]
    are_people = len(found) >= _MOST * len(names) and len(found) >= 2 * len(set(found)) > 2
    return _P_IN_NAME if are_people else None


def _is_in_most(pattern: re.Pattern[str], names: Sequence[str]) -> bool:
    return sum(pattern.search(name) is not None for name in names) >= _MOST * len(names)


def _level_notes(files: Sequence[File], found: Understanding) -> list[str]:
    """Say what each level of folders was taken for."""
    levels = found.readings[0]
    notes = []
    n_parsed = sum(file.name is not None for file in files)
    if n_parsed and not {"split", "person"} & set(levels):
        notes.append(
            f"{n_parsed:,} names read like Market-1501's: their cameras and frames are taken, the "
            "identities in them are not."
        )
    shown = [(i, role) for i, role in enumerate(levels) if role != "-"]
    if not shown:
        return notes
    text = ", ".join(
        f"{example!r} is {_MEANS[role]}" for i, role in shown for example in _folders(files, i)[:1]
    )
    told = f"Folders are read as {'/'.join(levels)}: {text}. Another reading: --levels."
    return [told, *_shared_people(files, levels), *notes]


def _folders(files: Sequence[File], depth: int) -> list[str]:
    """Return the folders of a level, sorted, those that mean nobody last."""
    folders = {file.folders[depth] for file in files if len(file.folders) > depth}
    return sorted(folders, key=lambda name: (is_special(name), name))


def _shared_people(files: Sequence[File], levels: Levels) -> list[str]:
    """Say that a person in several recordings is taken for one, as each may number its own."""
    above = [i for i, role in enumerate(levels) if role in ("recording", "date")]
    person = levels.index("person") if "person" in levels else 0
    seen: dict[str, set[tuple[str, ...]]] = {}
    for file in files:
        if len(file.folders) > person:
            recording = tuple(file.folders[i] for i in above if i < person)
            seen.setdefault(file.folders[person], set()).add(recording)
    shared = sorted(name for name, recordings in seen.items() if len(recordings) > 1)
    if not person or not shared:
        return []
    return [
        f"{shared[0]!r} of several recordings is taken for one person, as are {len(shared) - 1:,} "
        "others. If each recording numbers its own people, import them one by one."
    ]


def _describe(found: Understanding, levels: Levels, files: Sequence[File]) -> LevelReading:
    """Say what a reading makes of the folders."""
    counts = Counter[Role]()
    examples = []
    for i, role in enumerate(levels):
        folders = _folders(files, i)
        counts[role] = len(folders)
        examples.append(f"{folders[0]!r} is {_MEANS[role]}")
    people = f"{counts['person']:,} people" if counts["person"] else "people not known"
    cameras = (
        f"{counts['camera']:,} cameras" if counts["camera"] else "cameras by the names of files"
    )
    if found.splits and "split" in levels:
        named = ", ".join(f"{folder!r} is {split}" for folder, split in found.splits.items())
        people = f"{named}, by who is below them"
    return LevelReading(found.text(levels), f"{people}, {cameras}; {', '.join(examples)}")


FOLDERS = Reader(
    "folders",
    "images in folders of any build: by person, by camera, by train/query/gallery, or by none",
    _is_folders,
    _read_folders,
)
