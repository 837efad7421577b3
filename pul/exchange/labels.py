"""What a file of labels says of one image, before it is known which image that is."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from pul.data.readers.numbers import counts_from_0, meaning_of

LabelRole = Literal["training", "validation", "junk", "unsure"]
LABEL_ROLES: tuple[LabelRole, ...] = get_args(LabelRole)


@dataclass(frozen=True, slots=True)
class Spot:
    """A box of a track, where the file names no image.

    Attributes:
        frame: Number of the frame, as written.
        track: The track, as written.
        is_alone: Whether its frame has no other box.
    """

    frame: int
    track: str
    is_alone: bool = True


@dataclass(frozen=True, slots=True)
class Label:
    """One image and whom it shows.

    Attributes:
        place: Where it stands, for people: `labels.csv, row 3`.
        path: The image as written: a path, the end of one, a file name; "" where there is a spot.
        identity: Whom it shows; "" for junk and unsure.
        role: What the image or its identity is for; None where the file does not say it.
        spot: The box, where the file names no image.
    """

    place: str
    path: str
    identity: str
    role: LabelRole | None = None
    spot: Spot | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file of labels that was not imported.

    Attributes:
        place: Where it stands.
        reason: Why, and what would be right.
    """

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Labels:
    """What was read from a file or a folder of labels.

    Attributes:
        labels: What it says of images.
        problems: What cannot be used.
        nobody: What names nobody: no identity, or a word or number that stands for none.
        notes: Remarks for people.
        format: What it was read as, for people: `COCO`.
        first_frame: What it calls the first frame of a video; None where it does not tell.
    """

    labels: tuple[Label, ...]
    problems: tuple[Problem, ...] = ()
    nobody: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    format: str = ""
    first_frame: int | None = None


def as_role(text: str) -> LabelRole | None:
    """Return the role that a text names; None where it names none."""
    return next((role for role in LABEL_ROLES if role == text.strip().lower()), None)


def settle_labels(labels: Labels) -> Labels:
    """Tell labels that name a person from those that mean nobody, as with images.

    The same words and numbers mean nobody as in the identities of a data set: junk and -1 are junk,
    `unknown` and the like in many languages, "other" bins, distractors and ids below -1 are left
    out, and so is 0 where the labels have junk (-1), as Market-1501 counts. A label whose role is
    said is taken as it stands.
    """
    open_ = [label for label in labels.labels if label.role is None]
    zero = "0" if not _counts_from_0(open_) else None
    kept: list[Label] = []
    nobody = list(labels.nobody)
    for label in labels.labels:
        reason = _nobody(label, zero) if label.role is None else ""
        if reason:
            nobody.append(Problem(label.place, reason))
        elif label.role is None and meaning_of(label.identity) == "junk":
            kept.append(replace(label, identity="", role="junk"))
        else:
            kept.append(replace(label, role=label.role or "training"))
    return replace(labels, labels=tuple(kept), nobody=tuple(nobody))


def one_person_each(labels: Iterable[Label]) -> tuple[list[Label], list[Problem]]:
    """Leave out images with boxes of several people: a label is of an image of one."""
    people: dict[str, list[str]] = {}
    listed = list(labels)
    for label in listed:
        if label.path and label.identity:
            names = people.setdefault(label.path, [])
            names += [] if label.identity in names else [label.identity]
    several = {path: " and ".join(names[:3]) for path, names in people.items() if len(names) > 1}
    problems = [
        Problem(
            label.place,
            f"{label.path} shows {several[label.path]}; labels are for images of one person, so "
            "cut the boxes out first",
        )
        for label in listed
        if label.path in several and label.identity
    ]
    kept = [label for label in listed if label.path not in several or not label.identity]
    return kept, problems


def _counts_from_0(labels: list[Label]) -> bool:
    has_junk = any(meaning_of(label.identity) == "junk" for label in labels)
    return counts_from_0(has_0=any(_is_zero(label) for label in labels), has_junk=has_junk)


def _is_zero(label: Label) -> bool:
    return label.identity != "" and not label.identity.strip("0")


def _nobody(label: Label, zero: str | None) -> str:
    if not label.identity:
        return "names nobody"
    if meaning_of(label.identity) in ("nobody", "distractor"):
        return f"{label.identity!r} is nobody"
    if zero is not None and _is_zero(label):
        return f"{label.identity!r} is nobody where junk is -1"
    return ""
