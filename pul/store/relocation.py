"""Images that were moved: found below another folder, and taken from there from then on."""

import shlex
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from os import environ
from pathlib import Path, PurePosixPath

from sqlalchemy import Connection, bindparam, select, update

from pul.data.file_names import printable, to_text
from pul.data.moved_images import FoundImages, KnownImage, find_moved_images, hash_file
from pul.data.threads import in_threads
from pul.errors import ConfigError, JobError, StoreError
from pul.store.images import ImageSection
from pul.store.jobs import ACTIVE
from pul.store.named_values import read_value, write_value
from pul.store.schema import images, jobs
from pul.store.section import IMAGE_ROOT, IMAGE_ROOT_VARIABLE, is_below

_N_RELOCATIONS = "n_relocations"

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Move:
    """An image that was found: where the workspace has it, and where it is."""

    image_id: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Relocation:
    """What was found below a folder, before anything is changed.

    Attributes:
        folder: Where was looked.
        n_images: Images of the workspace.
        n_wanted: Images that were looked for.
        moves: Those that were found elsewhere than the workspace has them.
        n_in_place: Those that were found where the workspace has them.
        ambiguous: Path of each image that several files may be, or that wants a file with another,
            and these files.
        changed: Path of each image whose name was found with another content, and that file.
        missing: Paths of all images that were looked for and not found, the changed ones too.
        closed: Folders that may not be listed.
        doubled: Path of each image that was not found but is in the workspace twice, and the path
            of its twin, whose file is there: versions before this one added moved images anew.
    """

    folder: str
    n_images: int
    n_wanted: int
    moves: tuple[Move, ...]
    n_in_place: int
    ambiguous: tuple[tuple[str, tuple[str, ...]], ...]
    changed: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    closed: tuple[str, ...]
    doubled: tuple[tuple[str, str], ...] = ()

    def doubled_folders(self) -> list[tuple[str, str, int]]:
        """Return folders with the same pictures, and how many of those are doubled, most first."""
        counts = Counter(_differing(old, twin) for old, twin in self.doubled)
        return [(old, new, n) for (old, new), n in counts.most_common()]

    def folders(self) -> list[tuple[str, str, int]]:
        """Return which folder became which, and of how many images, the most first."""
        counts = Counter(_differing(move.old, move.new) for move in self.moves)
        return [(old, new, n) for (old, new), n in counts.most_common()]

    def missing_by_folder(self) -> list[tuple[str, int]]:
        """Return the folders of the images that were not found, and how many, by name."""
        return sorted(Counter(str(PurePosixPath(path).parent) for path in self.missing).items())


class RelocationSection(ImageSection):
    """The part of a workspace that knows where its images are when they were moved."""

    def image_root(self) -> str:
        """Return the folder that images are stored relative to; "" where there is none.

        The environment's `PUL_IMAGE_ROOT` goes before what is stored, so that a container finds
        them where they are mounted.

        Raises:
            StoreError: The database refuses.
        """
        with self._database.read() as connection:
            return self._image_root(connection)

    def set_image_root(self, folder: str | Path) -> None:
        """Store images below a folder relative to it, those that are there and all later ones.

        Raises:
            ConfigError: There is no such folder, or the root is another one already.
            StoreError: The database refuses.
        """
        root = _resolve(folder)
        with self._database.write() as connection:
            check_variable()
            known = self._image_root(connection)
            if known and known != root:
                raise ConfigError(
                    f"The images of this workspace are stored relative to {known!r}, not to "
                    f"{root!r}. Leave --root out; or, if they were moved, name the new folder with "
                    "`python -m pul relocate`."
                )
            self._store_places(connection, root, {})

    def missing_images(self) -> list[str]:
        """Return the paths of all images whose files are gone.

        Raises:
            StoreError: The database refuses.
        """
        return [path for path in self.images().paths if not Path(path).is_file()]

    def changed_images(self) -> list[str]:
        """Return the paths of images whose files are there and are not those that were added.

        Every file is read.

        Raises:
            StoreError: The database refuses.
        """
        known = [image for image in self._known_images() if Path(image.path).is_file()]
        contents = in_threads(hash_file, [Path(image.path) for image in known], None)
        return [
            image.path
            for image, content in zip(known, contents, strict=True)
            if content != image.content_hash
        ]

    def advise_missing(self) -> str:
        """Return how many files are gone and what to do about it; "" where none is.

        Raises:
            StoreError: The database refuses.
        """
        missing = self.missing_images()
        if not missing:
            return ""
        return (
            f"{len(missing):,} of {self.n_images():,} files are missing, such as "
            f"{printable(missing[0])}. If they were moved, `python -m pul relocate --workspace "
            f"{shlex.quote(self.url)} NEW_FOLDER` finds them again; else put them back. Labels and "
            "runs are still stored."
        )

    def find_moved(
        self,
        folder: str | Path,
        *,
        everything: bool = False,
        on_progress: OnProgress | None = None,
    ) -> Relocation:
        """Look below a folder for the images whose files are gone; nothing is changed.

        Args:
            folder: The folder that they are in now, or any above it.
            everything: Whether to look for the images whose files are there as well, as after a
                copy to another disk.
            on_progress: Called with (files read, files to read).

        Raises:
            ConfigError: There is no such folder.
            StoreError: The database refuses.
        """
        root = _resolve(folder)
        known = self._known_images()
        wanted = [image for image in known if everything or not Path(image.path).is_file()]
        looked_for = {image.image_id for image in wanted}
        taken = {image.path for image in known if image.image_id not in looked_for}
        found = find_moved_images(wanted, Path(root), taken=taken, on_progress=on_progress)
        described = _describe(root, len(known), wanted, found)
        return replace(described, doubled=_doubled(known, set(described.missing)))

    def relocate(self, found: Relocation) -> int:
        """Take images from where they were found; return how many moved.

        From then on, images below that folder are stored relative to it, so that a later move
        changes one row, unless more images are below the root there was. Labels, runs and features
        stay as they are.

        Raises:
            JobError: Images are being imported.
            ConfigError: `PUL_IMAGE_ROOT` says the root of this process.
            StoreError: The images changed since they were looked for, or the database refuses.
        """
        with self._database.write() as connection:
            check_variable()
            _check_no_import(connection)
            places = self._places(connection)
            is_old = any(places.get(move.image_id) != move.old for move in found.moves)
            places |= {move.image_id: move.new for move in found.moves}
            if is_old or len(set(places.values())) < len(places):
                raise StoreError(
                    "These images were moved or imported by somebody else meanwhile. Look for them "
                    "again."
                )
            root = _fuller(self._image_root(connection), found.folder, places.values())
            self._store_places(connection, root, places)
            count_relocation(connection)
        return len(found.moves)

    def n_relocations(self) -> int:
        """Return how often images were moved: paths read before the last time are old.

        Raises:
            StoreError: The database refuses.
        """
        with self._database.read() as connection:
            return int(read_value(connection, _N_RELOCATIONS, 0))

    def _known_images(self) -> list[KnownImage]:
        columns = (images.c.image_id, images.c.path, images.c.n_bytes, images.c.content_hash)
        with self._database.read() as connection:
            root = self._image_root(connection)
            rows = connection.execute(select(*columns).order_by(images.c.image_id)).all()
        return [KnownImage(row[0], self._absolute(row[1], root), row[2], row[3]) for row in rows]

    def _places(self, connection: Connection) -> dict[int, str]:
        root = self._image_root(connection)
        rows = connection.execute(select(images.c.image_id, images.c.path))
        return {image_id: self._absolute(path, root) for image_id, path in rows}

    def _store_places(self, connection: Connection, root: str, places: Mapping[int, str]) -> None:
        """Rewrite the paths of all images, relative to a root."""
        stored = dict(connection.execute(select(images.c.image_id, images.c.path)).tuples().all())
        places = {**self._places(connection), **places}
        portable = {image_id: self._portable(path, root) for image_id, path in places.items()}
        changed = {key: path for key, path in portable.items() if path != stored[key]}
        # One image may get the path that another one gives up: no two have one path at any moment.
        if not changed.keys().isdisjoint(_owners(stored, changed.values())):
            _write_paths(connection, {image_id: f"moving:{image_id}" for image_id in changed})
        _write_paths(connection, changed)
        if read_value(connection, IMAGE_ROOT) != to_text(root):
            write_value(connection, IMAGE_ROOT, to_text(root))


def _doubled(known: list[KnownImage], missing: set[str]) -> tuple[tuple[str, str], ...]:
    """Return images whose file is gone with an image of the same name and content, still there.

    Of several, the one whose path ends most like the image's.
    """
    twins: dict[tuple[str, str], list[str]] = defaultdict(list)
    for image in known:
        if image.path not in missing and Path(image.path).is_file():
            twins[Path(image.path).name, image.content_hash].append(image.path)
    pairs = (
        (image.path, twins.get((Path(image.path).name, image.content_hash), []))
        for image in known
        if image.path in missing
    )
    return tuple((old, _nearest(old, copies)) for old, copies in pairs if copies)


def _nearest(path: str, copies: list[str]) -> str:
    return min(copies, key=lambda copy: len(_differing(path, copy)[0]))


def _describe(
    folder: str, n_images: int, wanted: list[KnownImage], found: FoundImages
) -> Relocation:
    paths = {image.image_id: image.path for image in wanted}
    places = sorted(found.places.items())
    return Relocation(
        folder=folder,
        n_images=n_images,
        n_wanted=len(wanted),
        moves=tuple(Move(i, paths[i], new) for i, new in places if new != paths[i]),
        n_in_place=sum(new == paths[i] for i, new in places),
        ambiguous=tuple((paths[i], files) for i, files in sorted(found.ambiguous.items())),
        changed=tuple((paths[i], file) for i, file in sorted(found.changed.items())),
        missing=tuple(
            path for i, path in paths.items() if i not in found.places and i not in found.ambiguous
        ),
        closed=found.closed,
    )


def _differing(old: str, new: str) -> tuple[str, str]:
    """Return two paths without the end that they share; the whole folders if names differ."""
    before, after = old.split("/"), new.split("/")
    while before and after and before[-1] == after[-1]:
        before.pop()
        after.pop()
    return "/".join(before) or "/", "/".join(after) or "/"


def _fuller(root: str, folder: str, paths: Iterable[str]) -> str:
    """Return the one of two roots that more images are below; the new one if equally many are."""
    if not root:
        return folder
    counts = Counter(each for path in paths for each in (root, folder) if is_below(path, each))
    return root if counts[root] > counts[folder] else folder


def _resolve(folder: str | Path) -> str:
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise ConfigError(
            f"{str(folder)!r} is not a folder. Give the folder that the images are in now, or any "
            "above it."
        )
    return str(place.resolve())


def count_relocation(connection: Connection) -> None:
    """Note that paths which were read before are old."""
    write_value(connection, _N_RELOCATIONS, read_value(connection, _N_RELOCATIONS, 0) + 1)


def check_variable() -> None:
    """Refuse to change where images are while this process is told so by its environment.

    Raises:
        ConfigError: `PUL_IMAGE_ROOT` is set.
    """
    if environ.get(IMAGE_ROOT_VARIABLE):
        raise ConfigError(
            f"{IMAGE_ROOT_VARIABLE} says where images are in this process, "
            f"{environ[IMAGE_ROOT_VARIABLE]!r}: unset it to change what the workspace stores."
        )


def _check_no_import(connection: Connection) -> None:
    is_import = (jobs.c.kind == "import") & jobs.c.status.in_(ACTIVE)
    job_id = connection.execute(select(jobs.c.job_id).where(is_import)).scalar()
    if job_id is not None:
        raise JobError(f"Job {job_id} imports images; wait until it has ended, or stop it.")


def _owners(stored: Mapping[int, str], paths: Iterable[str]) -> set[int]:
    wanted = set(paths)
    return {image_id for image_id, path in stored.items() if path in wanted}


def _write_paths(connection: Connection, paths: Mapping[int, str]) -> None:
    change = update(images).where(images.c.image_id == bindparam("number"))
    rows = [{"number": image_id, "place": path} for image_id, path in paths.items()]
    if rows:
        connection.execute(change.values(path=bindparam("place")), rows)
