"""Pair questions: are these two one person? Asked where an answer decides most."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pul.arrays import FloatArray, IntArray
from pul.labelling.annotations import Annotations, Side
from pul.labelling.suggestions.index import SuggestionIndex

_N_BUNDLES = 300  # largest bundles that take part
_TILES = 4  # images shown of each side
_OPEN = 0.55  # cosine of two means at which either answer is as likely
_WIDTH = 0.15


@dataclass(frozen=True)
class PairQuestion:
    """Two sides that may be one person.

    `same` over all images answers yes for two bundles; with an identity on a side, `add` or `merge`
    does. `not_same(left, right)` answers no, `undecided(left, right)` neither.

    Attributes:
        left, right: An identity, or the images of a bundle.
        left_images, right_images: The images to show, at most four each, most typical first.
        n_images: Images that the answer is about.
    """

    left: Side
    right: Side
    left_images: tuple[int, ...]
    right_images: tuple[int, ...]
    n_images: int


def pair_questions(
    index: SuggestionIndex, annotations: Annotations, *, n: int = 5
) -> list[PairQuestion]:
    """Return pairs whose answer decides most: open ones that many images hang on.

    Pairs of two identities (shall they be merged?), of an identity and a bundle, and of two
    bundles. Nothing that is answered is asked again, nor whether two sides are one individual.
    """
    sides, parts = _sides(index, annotations)
    if not parts:
        return []
    sizes = np.array([len(rows) for rows in parts], dtype=np.float64)
    cosines = index.cosines_among(parts)
    openness = np.exp(-(((cosines - _OPEN) / _WIDTH) ** 2))
    worth = np.triu(openness * np.sqrt(np.minimum(sizes[:, None], sizes[None])), 1)
    questions: list[PairQuestion] = []
    for left, right in _by_worth(worth):
        if len(questions) >= n:
            break
        one, other = _images(annotations, sides[left]), _images(annotations, sides[right])
        if not annotations.was_asked(one, other):
            shown = _shown(index, one), _shown(index, other)
            n_images = len(one) + len(other)
            questions.append(PairQuestion(sides[left], sides[right], *shown, n_images))
    return questions


def _sides(index: SuggestionIndex, annotations: Annotations) -> tuple[list[Side], list[IntArray]]:
    """Return identities and the largest free bundles, with their rows."""
    free = index.free(annotations)
    n_free = np.bincount(index.images.of, free, len(index.means))
    bundles = np.argsort(-n_free, kind="stable")[:_N_BUNDLES]
    bundles = bundles[n_free[bundles] >= 2]
    identities = [known for known in annotations.identities if _rows(index, known.images).size]
    parts = [_rows(index, known.images) for known in identities]
    parts += [rows[free[rows]] for rows in map(index.images.members, bundles.tolist())]
    sides = [Side(identity=known.identity) for known in identities]
    bare = parts[len(identities) :]
    sides += [Side(images=tuple(index.image_ids[rows].tolist())) for rows in bare]
    return sides, parts


def _by_worth(worth: FloatArray) -> Iterator[tuple[int, int]]:
    order = np.argsort(-worth, axis=None, kind="stable")
    for flat in order[: np.count_nonzero(worth > 0)]:
        left, right = divmod(int(flat), worth.shape[1])
        yield left, right


def _images(annotations: Annotations, side: Side) -> tuple[int, ...]:
    return side.images if side.identity is None else annotations.identity(side.identity).images


def _rows(index: SuggestionIndex, images: tuple[int, ...]) -> IntArray:
    return index.rows_of(np.array(images, dtype=np.int64))


def _shown(index: SuggestionIndex, images: tuple[int, ...]) -> tuple[int, ...]:
    rows = _rows(index, images)
    closeness = index.embedding[rows] @ index.embedding[rows].mean(axis=0)
    best = rows[np.argsort(-closeness, kind="stable")[:_TILES]]
    return tuple(index.image_ids[best].tolist())
