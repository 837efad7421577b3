"""What every reader of a dataset layout takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pul.data.samples import Sample, Skipped


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found.

    Attributes:
        name: Name of the dataset, for people.
        samples: The images, in a stable order.
        skipped: Files left out, with reasons.
        notes: Remarks for people.
    """

    name: str
    samples: tuple[Sample, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


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
