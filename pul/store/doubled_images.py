"""Images that are there twice, from two folders with the same pictures: merged into one each."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from pul.arrays import row_blocks
from pul.data.file_names import printable
from pul.data.moved_images import hash_file
from pul.data.threads import in_threads
from pul.errors import ConfigError, JobError, StoreError
from pul.store.annotations import renumber_images
from pul.store.images import MERGED_IMAGES, NEARLY_ONE_COLOUR
from pul.store.jobs import ACTIVE
from pul.store.named_values import GAPS, read_value, write_value
from pul.store.relocation import RelocationSection, check_variable, count_relocation
from pul.store.schema import annotation_events, images, iterations, jobs, runs
from pul.store.section import is_below
from pul.store.sums import with_sum

_N_ASKED = 500  # numbers in a statement: databases bound them
_OTHER_CONTENT = "the file of this name in the other folder has another content"
_OTHER_SPLIT = "the two are of different splits"
_NO_FILE = "neither file is there as it was imported; `pul relocate` may find it"
_MORE_KNOWN = "only the later import says its person, camera, tracklet, frame or side"
_DIFFERING = "the two imports differ in who or what it shows"
IN_RUNS = "runs have both as images of their own"
LABELLED_APART = "the labels of the two differ"


@dataclass(frozen=True, slots=True)
class Twins:
    """An image that is there twice.

    Attributes:
        image_id: The one that stays: the lower number, which earlier runs know.
        doubled_id: The other one.
        path: Where the picture is taken from then on.
        old: Where the one that stays has it now.
    """

    image_id: int
    doubled_id: int
    path: str
    old: str


@dataclass(frozen=True, slots=True)
class DoubledImages:
    """What two folders have twice, before anything is changed.

    Attributes:
        folders: The two folders.
        n_images: Images of the workspace.
        n_twice: Pictures that both folders have at the same place below them.
        twins: Those that can be merged.
        kept: Path of each picture that stays there twice, and why.
        run_ids: The runs that have both as images of their own.
        last_event_id: The last act that was counted.
    """

    folders: tuple[str, str]
    n_images: int
    n_twice: int
    twins: tuple[Twins, ...]
    kept: tuple[tuple[str, str], ...]
    run_ids: tuple[int, ...]
    last_event_id: int

    def reasons(self) -> list[tuple[str, int, str]]:
        """Return why pictures stay there twice, of how many, and one of them, the most first."""
        counts = Counter(reason for _, reason in self.kept)
        examples = {reason: path for path, reason in reversed(self.kept)}
        return [(reason, n, printable(examples[reason])) for reason, n in counts.most_common()]

    def numbers(self) -> dict[int, int]:
        """Return the number that stays of each one that goes."""
        return {pair.doubled_id: pair.image_id for pair in self.twins}


_Pairs = list[tuple[Row[Any], Row[Any]]]


class DoubledSection(RelocationSection):
    """The part of a workspace that merges images which are there twice."""

    def find_doubled(self, old: str | Path, new: str | Path) -> DoubledImages:
        """Return the pictures that are in the workspace from two folders; nothing is changed.

        Two images are one picture if they lie at the same place below the two folders, under one
        name, and had one size and one content when they were imported; the file that is used from
        then on is read again. The folders need not be there any more.

        Args:
            old: One folder.
            new: The other one; the order does not matter.

        Raises:
            ConfigError: The two are one folder, or no image is below one of them.
            StoreError: The database refuses.
        """
        folders = _absolute(old), _absolute(new)
        with self._database.read() as connection:
            root = self._image_root(connection)
            rows = connection.execute(select(images).order_by(images.c.image_id)).all()
            in_runs = _runs_with_arrays(connection)
            last_event_id = _last_event(connection)
        places = {row.image_id: self._absolute(row.path, root) for row in rows}
        pairs = _pair(rows, places, folders)
        last_of_runs = max(in_runs.values(), default=0)
        kept = _differences(pairs)
        kept |= {b.image_id: IN_RUNS for _, b in pairs if b.image_id <= last_of_runs}
        alike = [(a, b) for a, b in pairs if b.image_id not in kept]
        files = _find_files(alike, places)
        kept |= {b.image_id: _NO_FILE for _, b in alike if b.image_id not in files}
        first_in_runs = min((n for n, why in kept.items() if why == IN_RUNS), default=None)
        return DoubledImages(
            folders=folders,
            n_images=len(rows),
            n_twice=len(pairs),
            twins=tuple(
                Twins(a.image_id, b.image_id, files[b.image_id], places[a.image_id])
                for a, b in alike
                if b.image_id in files
            ),
            kept=tuple(
                (places[b.image_id], kept[b.image_id]) for _, b in pairs if b.image_id in kept
            ),
            run_ids=tuple(
                sorted(
                    run_id
                    for run_id, last in in_runs.items()
                    if first_in_runs is not None and first_in_runs <= last
                )
            ),
            last_event_id=last_event_id,
        )

    def merge_doubled(self, found: DoubledImages) -> int:
        """Merge what was found, all of it or nothing; return how many images went.

        The image with the lower number stays; what people said of the other one is said of it.
        Runs, their arrays and all files stay as they are.

        Raises:
            JobError: A job is at work.
            ConfigError: `PUL_IMAGE_ROOT` says the root of this process.
            StoreError: Images, runs or labels changed since they were looked at.
        """
        numbers = found.numbers()
        with self._database.write() as connection:
            check_variable()
            _check_no_job(connection)
            root = self._image_root(connection)
            self._check_unchanged(connection, found)
            _delete_images(connection, numbers)
            for pair in found.twins:
                if pair.path != pair.old:
                    change = update(images).where(images.c.image_id == pair.image_id)
                    connection.execute(change.values(path=self._portable(pair.path, root)))
            _renumber_events(connection, numbers)
            _renumber_settings(connection, numbers, is_sqlite=self._database.is_sqlite)
            count_relocation(connection)
        return len(numbers)

    def _check_unchanged(self, connection: Connection, found: DoubledImages) -> None:
        places = self._places(connection)
        in_runs = _runs_with_arrays(connection).values()
        is_same = (
            _last_event(connection) == found.last_event_id
            and len(places) == found.n_images
            and all(places.get(p.image_id) == p.old and p.doubled_id in places for p in found.twins)
            and all(p.doubled_id > max(in_runs, default=0) for p in found.twins)
        )
        if not is_same:
            raise StoreError(
                "Images, runs or labels were changed by somebody else meanwhile. Look again, then "
                "merge."
            )


def _find_files(pairs: _Pairs, places: Mapping[int, str]) -> dict[int, str]:
    """Return the file of each pair, by the higher number: the earlier image's if it is there."""
    files: dict[int, str] = {}
    for which in (0, 1):
        left = [pair for pair in pairs if pair[1].image_id not in files]
        paths = [Path(places[pair[which].image_id]) for pair in left]
        for pair, content in zip(left, in_threads(hash_file, paths, None), strict=True):
            if content == pair[which].content_hash:
                files[pair[1].image_id] = places[pair[which].image_id]
    return files


def _absolute(folder: str | Path) -> str:
    return str(Path(folder).expanduser().absolute()).rstrip("/") or "/"


def _pair(rows: Sequence[Row[Any]], places: Mapping[int, str], folders: tuple[str, str]) -> _Pairs:
    """Return the images at the same place below two folders, the lower number first."""
    if folders[0] == folders[1]:
        raise ConfigError(f"{folders[0]!r} was given twice; name the two folders.")
    below: dict[str, dict[str, Row[Any]]] = {folder: {} for folder in folders}
    for row in rows:
        path = places[row.image_id]
        # One folder may lie in the other: an image belongs to the inner one.
        for folder in sorted(folders, key=len, reverse=True):
            if is_below(path, folder):
                below[folder][path.removeprefix(folder).lstrip("/")] = row
                break
    for folder in folders:
        if not below[folder]:
            raise ConfigError(
                f"No image of this workspace is below {folder!r}. Give the two folders from which "
                "the same pictures were imported; `status` and the page Images show where they are."
            )
    one, other = (below[folder] for folder in folders)
    pairs = [(one[name], other[name]) for name in sorted(one.keys() & other.keys())]
    return [(a, b) if a.image_id < b.image_id else (b, a) for a, b in pairs]


def _differences(pairs: _Pairs) -> dict[int, str]:
    """Return why pairs are not one image, by the higher number."""
    kept = {}
    for a, b in pairs:
        known = [(a.pid, b.pid), (a.camid, b.camid), (a.tracklet, b.tracklet)]
        known += [(a.frame, b.frame), (a.side, b.side)]
        if (a.n_bytes, a.content_hash) != (b.n_bytes, b.content_hash):
            kept[b.image_id] = _OTHER_CONTENT
        elif a.split != b.split:
            kept[b.image_id] = _OTHER_SPLIT
        elif any(mine is None and theirs is not None for mine, theirs in known):
            kept[b.image_id] = _MORE_KNOWN
        elif any(None not in both and both[0] != both[1] for both in _as_written(a, b)):
            kept[b.image_id] = _DIFFERING
    alike = [(a, b) for a, b in pairs if b.image_id not in kept]
    for name in ("pid", "camid", "tracklet"):
        kept |= dict.fromkeys(_renumbered_otherwise(alike, name), _DIFFERING)
    return kept


def _as_written(a: Row[Any], b: Row[Any]) -> list[tuple[Any, Any]]:
    """Return what a later import does not number anew: frames, sides, and who is nobody."""
    return [(a.frame, b.frame), (a.side, b.side), (_nobody(a.pid), _nobody(b.pid))]


def _nobody(pid: int | None) -> int | None:
    return None if pid is None else min(pid, 1)


def _renumbered_otherwise(pairs: _Pairs, name: str) -> set[int]:
    """Return the higher numbers of pairs whose people (cameras, tracklets) do not correspond.

    The later import gave people new numbers; one of its people is one of the earlier ones.
    """
    values = [
        (getattr(a, name), getattr(b, name), b.image_id)
        for a, b in pairs
        if getattr(b, name) is not None
    ]
    earlier, later = defaultdict(set), defaultdict(set)
    for mine, theirs, _ in values:
        later[mine].add(theirs)
        earlier[theirs].add(mine)
    return {
        number
        for mine, theirs, number in values
        if len(later[mine]) > 1 or len(earlier[theirs]) > 1
    }


def _runs_with_arrays(connection: Connection) -> dict[int, int]:
    """Return the last image of each run that has an iteration: its arrays have a row an image."""
    query = select(runs.c.run_id, runs.c.last_image_id).where(
        runs.c.run_id.in_(select(iterations.c.run_id))
    )
    return dict(connection.execute(query).tuples().all())


def _last_event(connection: Connection) -> int:
    query = select(func.max(annotation_events.c.event_id))
    return connection.execute(query).scalar() or 0


def _check_no_job(connection: Connection) -> None:
    job_id = connection.execute(select(jobs.c.job_id).where(jobs.c.status.in_(ACTIVE))).scalar()
    if job_id is not None:
        raise JobError(f"Job {job_id} is at work; wait until it has ended, or stop it.")


def _delete_images(connection: Connection, numbers: Collection[int]) -> None:
    gone = sorted(numbers)
    for some in row_blocks(len(gone), _N_ASKED):
        connection.execute(delete(images).where(images.c.image_id.in_(gone[some])))


def _renumber_events(connection: Connection, numbers: Mapping[int, int]) -> None:
    """Let all acts name the images that stay."""
    for row in connection.execute(select(annotation_events)).all():
        values = row._asdict()
        payload = renumber_images(values["payload"], numbers)
        if payload != values["payload"]:
            change = update(annotation_events).where(
                annotation_events.c.event_id == values.pop("event_id")
            )
            stored = with_sum(annotation_events, values | {"payload": payload})
            connection.execute(change.values(payload=payload, row_sum=stored["row_sum"]))


def _renumber_settings(
    connection: Connection, numbers: Mapping[int, int], *, is_sqlite: bool
) -> None:
    empty: Iterable[int] = read_value(connection, NEARLY_ONE_COLOUR, [])
    write_value(connection, NEARLY_ONE_COLOUR, sorted({numbers.get(i, i) for i in empty}))
    merged = {**read_value(connection, MERGED_IMAGES, {})}
    merged |= {str(gone): stays for gone, stays in numbers.items()}
    write_value(connection, MERGED_IMAGES, merged)
    if is_sqlite:  # where numbers without an image are taken for lost images
        gaps = f"{GAPS}{images.name}"
        write_value(connection, gaps, read_value(connection, gaps, 0) + len(numbers))
