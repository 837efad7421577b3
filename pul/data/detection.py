"""Which reader a folder needs, and what to say where none fits."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pul.data.readers import LOOSE_LAYOUT, NAMED_LAYOUTS
from pul.data.readers.listing import has_images, is_readable, subfolders
from pul.data.readers.reading import Reader
from pul.data.samples import Skipped
from pul.errors import ConfigError, DatasetError

READERS = (*NAMED_LAYOUTS, LOOSE_LAYOUT)
_N_SHOWN = 6  # entries of a folder that an error message lists
_DEEPEST = 3  # levels below a place that are searched for a dataset
_N_SEARCHED = 1_000  # folders of a level that are searched: more are those of people


class Found(NamedTuple):
    """The reader for a place, the folder it should read, and a note if that is another folder."""

    reader: Reader
    folder: Path
    notes: tuple[str, ...] = ()


def locate(place: Path) -> Found:
    """Find the reader that recognises a place, or the only dataset below it.

    Raises:
        DatasetError: Nothing fits, several things do, or the place is a part of a dataset.
    """
    reader = _recognise(place, NAMED_LAYOUTS)
    if reader is not None:
        return Found(reader, place)
    below = _below(place, NAMED_LAYOUTS)
    if len(below) == 1:
        return _found_below(place, *below[0])
    if below:
        names = [str(folder.relative_to(place)) for _, folder in below]
        raise DatasetError(
            f"{str(place)!r} holds {len(below)} datasets: {_shown(names)}. "
            "Give one of these folders."
        )
    _refuse_part(place)
    if LOOSE_LAYOUT.recognises(place):
        return Found(LOOSE_LAYOUT, place)
    raise DatasetError(_nothing_fits(place))


def locate_named(place: Path) -> Found | None:
    """Return the reader of a published layout that is in a folder, or at one place below it."""
    layouts = [reader for reader in NAMED_LAYOUTS if reader.format != "table"]
    reader = _recognise(place, layouts)
    below = [(reader, place)] if reader is not None else _below(place, layouts)
    return Found(*below[0]) if len(below) == 1 else None


def open_as(place: Path, format: str) -> Found:
    """Return the reader of a format that was asked for by name.

    Raises:
        ConfigError: There is no such format.
    """
    reader = _reader(format)
    if reader in NAMED_LAYOUTS and not reader.recognises(place):
        below = _below(place, [reader])
        if len(below) == 1:
            return _found_below(place, *below[0])
    return Found(reader, place)


def resolve(root: str | Path) -> Path:
    """Return the absolute path behind any links, which exists and may be read.

    Raises:
        DatasetError: It does not exist or may not be read.
    """
    try:
        place = Path(root).expanduser().resolve()
        exists = place.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise DatasetError(f"{str(root)!r} is no path that can be read: {error}.") from error
    if not exists:
        raise DatasetError(f"There is no {str(place)!r}. Give a folder, or a CSV or Parquet file.")
    if place.is_dir() and not is_readable(place):
        raise DatasetError(f"The folder {str(place)!r} may not be read. Change its permissions.")
    return place


def nothing_found(reader: Reader, folder: Path, skipped: Sequence[Skipped]) -> str:
    """Word that a folder was read, but held no image, and why."""
    reasons = "".join(f"\n- {item.path.name!r}: {item.reason}" for item in skipped[:_N_SHOWN])
    return (
        f"No image to read in {str(folder)!r} as {reader.format} "
        f"({len(skipped)} files were left out).{reasons}\n"
        f"Seen: {_seen(folder)}.\nRight: {reader.layout}."
    )


def _reader(format: str) -> Reader:
    for reader in READERS:
        if reader.format == format:
            return reader
    raise ConfigError(
        f"format must be auto or one of {', '.join(r.format for r in READERS)}, but is {format!r}."
    )


def _found_below(place: Path, reader: Reader, folder: Path) -> Found:
    lower = folder.relative_to(place)
    return Found(reader, folder, (f"The dataset was found at a lower level, in {lower}.",))


def _recognise(place: Path, readers: Sequence[Reader]) -> Reader | None:
    return next((reader for reader in readers if reader.recognises(place)), None)


def _below(place: Path, readers: Sequence[Reader]) -> list[tuple[Reader, Path]]:
    """Find the datasets of some layouts below a place, the nearest ones."""
    level = [place] if place.is_dir() and not has_images(place) else []
    for _ in range(_DEEPEST):
        folders = [b for folder in level for b in subfolders(folder) if is_readable(b)]
        found = [(_recognise(folder, readers), folder) for folder in folders]
        datasets = [(reader, folder) for reader, folder in found if reader is not None]
        if datasets:
            return datasets
        level = [folder for folder in folders[:_N_SEARCHED] if not has_images(folder)]
    return []


def _refuse_part(place: Path) -> None:
    """Refuse a sub-folder of a known layout, which would be read as mere training images."""
    reader = _recognise(place.parent, [r for r in NAMED_LAYOUTS if place.name in r.parts])
    if reader is not None:
        raise DatasetError(
            f"{place.name!r} is a part of a dataset ({reader.format}). Give its folder, "
            f"{str(place.parent)!r}, or read this part alone with --format folders."
        )


def _nothing_fits(place: Path) -> str:
    layouts = "\n".join(f"- {reader.layout}" for reader in READERS)
    return f"{str(place)!r} is of no layout that we read.\nSeen: {_seen(place)}.\nRight:\n{layouts}"


def _seen(place: Path) -> str:
    if not place.is_dir():
        return f"a file of type {place.suffix or 'unknown'}"
    names = [path.name + "/" if path.is_dir() else path.name for path in place.iterdir()]
    return _shown(sorted(names)) if names else "an empty folder"


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - _N_SHOWN} more" if len(names) > _N_SHOWN else ""
    return ", ".join(map(repr, names[:_N_SHOWN])) + more
