"""The rows of the Identities page, computed from the features of an iteration."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.services.cache import cached_by_identity
from app.services.index import suggestion_index
from app.services.labels import read_annotations
from app.wording import fit
from pul.arrays import BoolArray, l2_normalize
from pul.labelling.annotations import Annotations, Contradiction, Identity, find_contradictions
from pul.labelling.suggestions import SuggestionIndex
from pul.labelling.suggestions.sides import bar_other_sides

N_BEST = 8
_OUTLIER_SPREADS = 3.5  # of median absolute deviation, scaled to a normal's standard deviation
_MAD_TO_SD = 1.4826
_LEAST_SPREAD = 0.02


@dataclass(frozen=True, slots=True)
class Flag:
    """Something about an identity that needs attention.

    Attributes:
        kind: `contradiction`, `same_name`, `outlier` or `one_camera`.
        text: Short text.
        hint: Full text.
    """

    kind: str
    text: str
    hint: str


@dataclass(frozen=True, slots=True)
class Member:
    """One image of an identity."""

    image: int
    camera: int | None
    is_outlier: bool


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """One identity.

    Attributes:
        identity: Its number.
        name: Its name.
        colour: Number of its colour.
        role: `training` or `validation`.
        members: Its images, the most typical first.
        n_cameras: Number of its cameras.
        compactness: Mean cosine of its images to their mean.
        nearest: Number of the most similar identity; 0 if it is the only one.
        flags: What needs attention.
    """

    identity: int
    name: str
    colour: int
    role: str
    members: tuple[Member, ...]
    n_cameras: int
    compactness: float
    nearest: int
    flags: tuple[Flag, ...]


def identity_rows(location: str, run_id: int, iteration: int) -> tuple[IdentityRow, ...]:
    """Return a row for each identity, in the order they were made.

    Raises:
        StoreError: There is no such iteration.
    """
    state = read_annotations(location)
    if not state.identities:  # do not build the index for nothing
        return ()
    return _rows(state, suggestion_index(location, run_id, iteration))


# Both are made anew where anything changes: they are known by themselves, not by what they hold.
@cached_by_identity(maxsize=4)
def _rows(state: Annotations, index: SuggestionIndex) -> tuple[IdentityRow, ...]:
    people = [(known, index.rows_of(np.array(known.images))) for known in state.identities]
    people = [(known, rows) for known, rows in people if len(rows)]
    if not people:
        return ()
    means = l2_normalize([index.embedding[rows].mean(axis=0) for _, rows in people])
    shown = index.sides_of_rows([rows for _, rows in people])
    likeness = bar_other_sides(means @ means.T, shown, shown)
    np.fill_diagonal(likeness, -np.inf)
    nearest = likeness.argmax(axis=1)
    flags = _said_flags(state, find_contradictions(state))
    return tuple(
        _row(
            state, index, known, rows, means[n],
            people[int(nearest[n])][0].identity if np.isfinite(likeness[n, nearest[n]]) else 0,
            flags.get(known.identity, ()),
        )
        for n, (known, rows) in enumerate(people)
    )  # fmt: skip


def _said_flags(
    state: Annotations, contradictions: tuple[Contradiction, ...]
) -> dict[int, tuple[Flag, ...]]:
    """Return what labels alone tell of identities: contradictions, and shared names."""
    messages: dict[int, list[str]] = {}
    for each in contradictions:
        for identity in each.identities:
            messages.setdefault(identity, []).append(each.message)
    flags: dict[int, tuple[Flag, ...]] = {
        identity: (Flag("contradiction", "contradiction", " ".join(texts)),)
        for identity, texts in messages.items()
    }
    shared = Counter(known.name.casefold() for known in state.identities)
    for known in state.identities:
        if shared[known.name.casefold()] > 1:
            hint = "Another identity has this name; merge them, or rename one."
            before = flags.get(known.identity, ())
            flags[known.identity] = (*before, Flag("same_name", "same name", hint))
    return flags


def _row(
    state: Annotations,
    index: SuggestionIndex,
    known: Identity,
    rows: NDArray[np.int64],
    mean: NDArray[np.float32],
    nearest: int,
    said: tuple[Flag, ...],
) -> IdentityRow:
    cosines = index.embedding[rows] @ mean
    order = np.argsort(-cosines, kind="stable")
    far = outliers(cosines)
    camids = index.footage.camids[rows]
    cameras = set(camids[camids >= 0].tolist())
    members = tuple(
        Member(
            image=int(index.image_ids[rows[place]]),
            camera=int(camids[place]) if camids[place] >= 0 else None,
            is_outlier=bool(far[place]),
        )
        for place in order
    )
    return IdentityRow(
        identity=known.identity,
        name=state.name(known.identity),
        colour=known.colour,
        role=known.role,
        members=members,
        n_cameras=len(cameras),
        compactness=float(cosines.mean()),
        nearest=nearest,
        flags=(*said, *_flags(int(far.sum()), len(cameras), len(rows))),
    )


def _flags(n_far: int, n_cameras: int, n_images: int) -> tuple[Flag, ...]:
    flags = []
    if n_far:
        text = "1 outlier" if n_far == 1 else f"{n_far} outliers"
        flags.append(
            Flag("outlier", text, "Far from the other images; open the row and check them.")
        )
    if n_cameras == 1 and n_images > 1:
        hint = fit("Seen by one camera only; it helps little to recognise people across cameras.")
        flags.append(Flag("one_camera", "one camera", hint))
    return tuple(flags)


def outliers(cosines: NDArray[np.float32]) -> BoolArray:
    """Mark cosines that are far below the others, shape (N,); none among fewer than four."""
    if len(cosines) < 4:
        return np.zeros(len(cosines), dtype=bool)
    middle = np.median(cosines)
    spread = max(_MAD_TO_SD * float(np.median(np.abs(cosines - middle))), _LEAST_SPREAD)
    return np.asarray(cosines < middle - _OUTLIER_SPREADS * spread, dtype=bool)
