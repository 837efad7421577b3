"""What every reader of a dataset layout takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pul.data.samples import Sample, Skipped


@dataclass(frozen=True, slots=True)
class LevelReading:
    """One way to read the levels of folders.

    Attributes:
        levels: As `read_dataset(levels=...)` takes it: `camera/person`.
        text: What it makes of them, for people.
    """

    levels: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found.

    Attributes:
        name: Name of the dataset, for people.
        samples: The images, in a stable order.
        skipped: Files left out, with reasons.
        notes: Remarks for people.
        levels: What the levels of folders mean; "" where the layout says it.
        readings: The ways to read the folders, where evidence does not decide between them; there
            are no samples then.
    """

    name: str
    samples: tuple[Sample, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    levels: str = ""
    readings: tuple[LevelReading, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """One layout that we read.

    Attributes:
        format: Its name in `read_dataset(format=...)`.
        layout: What such a folder looks like, for people.
        recognises: Whether a path looks like this layout; reads listings only, never images.
        read: Reads it; its keyword-only arguments are the options of the format.
        parts: Names of its sub-folders: whoever points at one of them points one level too low.
    """

    format: str
    layout: str
    recognises: Callable[[Path], bool]
    read: Callable[..., Reading]
    parts: tuple[str, ...] = ()
