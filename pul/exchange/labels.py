"""What a file of labels says of one image, before it is known which image that is."""

from dataclasses import dataclass
from typing import Literal, get_args

LabelRole = Literal["training", "validation", "junk", "unsure"]
LABEL_ROLES: tuple[LabelRole, ...] = get_args(LabelRole)


@dataclass(frozen=True, slots=True)
class Label:
    """One image and whom it shows.

    Attributes:
        place: Where it stands, for people: `labels.csv, row 3`.
        path: The image as written: a path, the end of one, or a file name.
        identity: Whom it shows; "" for junk and unsure.
        role: What the image or its identity is for.
    """

    place: str
    path: str
    identity: str
    role: LabelRole = "training"


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
    """What was read from a file or a folder of labels."""

    labels: tuple[Label, ...]
    problems: tuple[Problem, ...] = ()
