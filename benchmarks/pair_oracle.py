"""A labeller who answers one pair of images after another, as published active re-ID asks them."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from pul.arrays import FloatArray, IntArray, row_blocks
from pul.labelling.annotations import Act, Side, not_same, same
from pul.labelling.oracle import Effort

_N_NEIGHBOURS = 30  # of an image that it is asked about
_BLOCK = 1024


@dataclass
class PairOracle:
    """Answers whether two images show one person, the most uncertain pair first.

    Most uncertain is the pair whose similarity is nearest to where "same" and "different" are as
    frequent. That threshold is learnt from the answers (Robbins and Monro, 1951). What follows from
    answers is not asked: images said to be one person are one group, and two images of groups that
    are different people are different.

    Attributes:
        image_ids: Number of each image, shape (N,).
        embedding: What likeness is judged by, l2-normalised, shape (N, P).
        truth: Image → pid.
        store: Keeps an act.
        error_rate: Share of the answers that come out wrong.
        seed: Seed of the errors.
    """

    image_ids: IntArray
    embedding: FloatArray
    truth: Mapping[int, int]
    store: Callable[[Act], object]
    error_rate: float = 0.0
    seed: int = 0
    effort: Effort = field(default_factory=Effort)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)
        self._pairs, self._cosines = find_pairs(self.embedding)
        self._is_open = np.ones(len(self._pairs), dtype=bool)
        self._threshold = float(np.median(self._cosines))
        self._spread = float(self._cosines.std())
        self._group = np.arange(len(self.image_ids))
        self._apart: dict[int, set[int]] = defaultdict(set)  # group → groups of other people

    def label(self) -> None:
        """Answer until no pair is open."""
        while (pair := self._next_pair()) is not None:
            self._answer(*pair)

    def _next_pair(self) -> tuple[int, int] | None:
        distances = np.where(self._is_open, np.abs(self._cosines - self._threshold), np.inf)
        for place in np.argsort(distances, kind="stable") if self._is_open.any() else ():
            if not self._is_open[place]:
                break
            self._is_open[place] = False
            left, right = self._pairs[place].tolist()
            if not self._is_known(left, right):
                return left, right
        return None

    def _is_known(self, left: int, right: int) -> bool:
        first, second = int(self._group[left]), int(self._group[right])
        return first == second or second in self._apart[first]

    def _answer(self, left: int, right: int) -> None:
        self.effort.n_pairs += 1
        self.effort.view()
        self.effort.press()
        one, other = int(self.image_ids[left]), int(self.image_ids[right])
        is_wrong = self.error_rate > 0 and self._random.random() < self.error_rate
        is_same = (0 < self.truth[one] == self.truth[other]) != is_wrong
        step = self._spread / np.sqrt(self.effort.n_pairs)
        self._threshold -= step if is_same else -step
        first, second = int(self._group[left]), int(self._group[right])
        if is_same:
            self._join(first, second)
            self.store(same([one, other]))
        else:
            self._apart[first].add(second)
            self._apart[second].add(first)
            self.store(not_same(Side(images=(one,)), Side(images=(other,))))

    def _join(self, first: int, second: int) -> None:
        self._group[self._group == second] = first
        for third in self._apart.pop(second, set()):
            self._apart[third].discard(second)
            self._apart[third].add(first)
            self._apart[first].add(third)


def find_pairs(embedding: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the pairs of each image and its nearest ones, shape (M, 2), and their cosines."""
    n_images = len(embedding)
    n_near = min(_N_NEIGHBOURS, n_images - 1)
    codes = []
    for rows in row_blocks(n_images, _BLOCK):
        cosines = embedding[rows] @ embedding.T
        numbers = np.arange(rows.start, rows.start + len(cosines))
        cosines[np.arange(len(cosines)), numbers] = -np.inf
        near = np.argpartition(-cosines, n_near - 1, axis=1)[:, :n_near]
        left, right = np.repeat(numbers, n_near), near.ravel()
        codes.append(np.minimum(left, right) * n_images + np.maximum(left, right))
    pairs = np.stack(np.divmod(np.unique(np.concatenate(codes)), n_images), axis=1)
    return pairs, np.einsum("md,md->m", embedding[pairs[:, 0]], embedding[pairs[:, 1]])
