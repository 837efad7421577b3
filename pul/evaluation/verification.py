"""Are two pictures one person? Cosines of known pairs, and the threshold of a yes."""

from dataclasses import dataclass

import numpy as np

from pul.arrays import FloatArray, IntArray, l2_normalize
from pul.errors import ConfigError, EvaluationError

_N_IMAGES = 2_000  # at most so many are compared: two million pairs
_N_OF_PERSON = 50  # at most so many of one person, evenly chosen


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """Cosines of pairs of known people.

    Attributes:
        same: Of pairs of one person, ascending, shape (S,).
        different: Of pairs of two people, ascending, shape (D,).
        n_people: People among them.
        is_across_cameras: Whether the same pairs are of two cameras each.
    """

    same: FloatArray
    different: FloatArray
    n_people: int
    is_across_cameras: bool

    def threshold(self, false_accept_rate: float) -> float:
        """Return the lowest cosine above which at most this share of different pairs is.

        A pair is taken for one person where its cosine is above the threshold.

        Args:
            false_accept_rate: Share of different pairs that may be above, in [0, 1).

        Raises:
            ConfigError: The rate is outside [0, 1).
        """
        if not 0 <= false_accept_rate < 1:
            raise ConfigError(f"A false-accept rate is in [0, 1), but this is {false_accept_rate}.")
        n_above = int(false_accept_rate * len(self.different) + 1e-9)
        return float(self.different[len(self.different) - 1 - n_above])

    def false_accept_rate(self, threshold: float) -> float:
        """Return the share of different pairs above a threshold, in [0, 1]."""
        return _share_above(self.different, threshold)

    def true_accept_rate(self, threshold: float) -> float:
        """Return the share of same pairs above a threshold, in [0, 1]."""
        return _share_above(self.same, threshold)


def _share_above(ascending: FloatArray, threshold: float) -> float:
    below = np.searchsorted(ascending, np.float32(threshold), side="right")
    return float(1 - below / len(ascending))


def compare_known_pairs(
    features: FloatArray, people: IntArray, camids: IntArray, *, seed: int = 0
) -> Verification:
    """Compare all pairs of known people; of many people, a seeded choice of whole people.

    N images, D dimensions.

    Args:
        features: Un-normalised features, shape (N, D).
        people: Who each image shows, shape (N,); 0 or less where it is not known.
        camids: Camera of each image, shape (N,); -1 where it is not known.
        seed: Chooses the people.

    Returns:
        The cosines. Same pairs are of two cameras each, as retrieval is measured; only where no
        person was seen by two cameras, all same pairs count.

    Raises:
        EvaluationError: There are no two known people, or no two images of one.
    """
    rows = _choose(people, seed)
    names, cameras = people[rows], camids[rows]
    normalized = l2_normalize(features[rows])
    left, right = np.triu_indices(len(rows), k=1)
    cosines = np.asarray(normalized @ normalized.T, dtype=np.float32)[left, right]
    is_same = names[left] == names[right]
    is_across = is_same & (cameras[left] != cameras[right])
    is_across &= (cameras[left] >= 0) & (cameras[right] >= 0)
    same = is_across if is_across.any() else is_same
    if not same.any() or is_same.all():
        raise EvaluationError(
            "A threshold needs two known people and two images of one of them; label some first."
        )
    return Verification(
        np.sort(cosines[same]),
        np.sort(cosines[~is_same]),
        len(np.unique(names)),
        bool(is_across.any()),
    )


def _choose(people: IntArray, seed: int) -> IntArray:
    """Return the rows of known people, person by person in a seeded order as long as they fit."""
    order = np.random.default_rng(seed).permutation(np.unique(people[people > 0]))
    chosen: list[int] = []
    for person in order:
        rows = np.flatnonzero(people == person)
        step = -(-len(rows) // _N_OF_PERSON)
        if len(chosen) + len(rows[::step]) <= _N_IMAGES:
            chosen += rows[::step].tolist()
    return np.array(sorted(chosen), dtype=np.int64)
