"""Which identities may be one person: offered for a merge until somebody said yes or no."""

from dataclasses import dataclass

import numpy as np

from app.services.index import suggestion_index
from app.services.labels import read_annotations
from pul.labelling.annotations import Annotations
from pul.labelling.suggestions.sides import bar_other_sides

_LIKE = 0.55  # cosine of two means from which a merge is more likely than not: pairs.py
_MAX_ASKED = 200  # pairs that are looked at, the likest first


@dataclass(frozen=True, slots=True)
class Merge:
    """Two identities that may be one person.

    Attributes:
        left, right: Their numbers, the older first.
        likeness: Cosine of their mean embeddings.
        has_one_name: Whether they have the same name.
    """

    left: int
    right: int
    likeness: float
    has_one_name: bool


def suggest(location: str, run_id: int, iteration: int, *, n: int) -> list[Merge]:
    """Return the identities that may be one person, the likest first; same names come before.

    Pairs that somebody compared already do not come again.

    Raises:
        StoreError: There is no such iteration.
    """
    state = read_annotations(location)
    if len(state.identities) < 2:
        return []
    index = suggestion_index(location, run_id, iteration)
    owners = state.owner_of(index.image_ids)
    people = np.unique(owners[owners > 0])
    means = index.identity_means(state)
    sides = index.identity_sides(state)
    likeness = np.triu(bar_other_sides(means @ means.T, sides, sides), k=1)
    found = [
        Merge(
            int(people[left]),
            int(people[right]),
            float(likeness[left, right]),
            _is_one(state, int(people[left]), int(people[right])),
        )
        for left, right in _pairs(likeness)
    ]
    open_pairs = [each for each in found if not _is_answered(state, each)]
    return sorted(open_pairs, key=lambda each: (not each.has_one_name, -each.likeness))[:n]


def _pairs(likeness: np.ndarray) -> list[tuple[int, int]]:
    """Return the likest pairs above the threshold, at most so many."""
    flat = np.flatnonzero(likeness.ravel() >= _LIKE)
    best = flat[np.argsort(-likeness.ravel()[flat], kind="stable")[:_MAX_ASKED]]
    return [divmod(int(place), likeness.shape[1]) for place in best]


def _is_one(state: Annotations, left: int, right: int) -> bool:
    return state.name(left).casefold() == state.name(right).casefold()


def _is_answered(state: Annotations, pair: Merge) -> bool:
    left, right = state.identity(pair.left).images, state.identity(pair.right).images
    return state.was_asked(left, right)
