"""Pair questions: are these two one person? Asked where an answer decides most."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pul.arrays import BoolArray, DoubleArray, FloatArray, IntArray, row_blocks
from pul.labelling.annotations import Annotations, Side
from pul.labelling.suggestions.groups import group
from pul.labelling.suggestions.index import SuggestionIndex
from pul.labelling.suggestions.likeness import mean_of
from pul.labelling.suggestions.sides import bar_other_sides

_N_BUNDLES = 300  # largest bundles that take part
_TILES = 4  # images shown of each side
_OPEN = 0.55  # cosine of two means at which either answer is as likely
_WIDTH = 0.15
_ROUNDING = 1e-5
_BLOCK = 64
_FIRST_PAIRS = 256  # pairs that are ranked at first: nearly always enough


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

    Pairs of two identities (should they be merged?), of an identity and a bundle, and of two
    bundles. Nothing that is answered is asked again, nor whether two flanks are one individual.
    """
    sides, means, sizes, flanks = _sides(index, annotations)
    questions: list[PairQuestion] = []
    for left, right in _by_worth(means, sizes, flanks):
        if len(questions) >= n:
            break
        one, other = _images(annotations, sides[left]), _images(annotations, sides[right])
        if not annotations.was_asked(one, other):
            pictures = typical_images(index, one), typical_images(index, other)
            n_images = len(one) + len(other)
            questions.append(PairQuestion(sides[left], sides[right], *pictures, n_images))
    return questions


def _sides(
    index: SuggestionIndex, annotations: Annotations
) -> tuple[list[Side], FloatArray, DoubleArray, BoolArray]:
    """Return identities and the largest free bundles: mean embeddings, sizes, sides of images."""
    answers = index.answers(annotations)
    n_free = np.bincount(index.images.of, answers.free, len(index.means))
    bundles = np.argsort(-n_free, kind="stable")[:_N_BUNDLES]
    bundles = bundles[n_free[bundles] >= 2]
    identities = answers.identities.tolist()
    sides = [Side(identity=identity) for identity in identities]
    parts = [rows[answers.free[rows]] for rows in map(index.images.members, bundles.tolist())]
    sides += [Side(images=tuple(index.image_ids[rows].tolist())) for rows in parts]
    n_images = np.bincount(np.searchsorted(identities, answers.owners[answers.owners > 0]))
    sizes = np.concatenate([n_images, n_free[bundles]]).astype(np.float64)
    bare = index.means[bundles]
    cut = np.flatnonzero(n_free[bundles] < index.images.sizes()[bundles])  # partly judged
    if len(cut):
        rows = [parts[place] for place in cut.tolist()]
        numbers = np.repeat(np.arange(len(cut)), [len(each) for each in rows])
        bare[cut] = mean_of(index.embedding[np.concatenate(rows)], group(numbers))
    index.drop_pages()
    shown = np.concatenate([index.identity_sides(annotations), index.sides[bundles]])
    return sides, np.concatenate([answers.means, bare]), sizes, shown


def _by_worth(means: FloatArray, sizes: DoubleArray, shown: BoolArray) -> Iterator[tuple[int, int]]:
    """Yield the pairs of sides, best first; those that are worth nothing are left out."""
    done, wanted = 0, _FIRST_PAIRS
    while True:
        flat, worth = _best_pairs(means, sizes, shown, wanted)
        order = np.lexsort((flat, -worth))
        yield from (divmod(each, len(sizes)) for each in flat[order][done:].tolist())
        if len(flat) < wanted:
            return
        done, wanted = len(flat), 16 * wanted


def _best_pairs(
    means: FloatArray, sizes: DoubleArray, shown: BoolArray, wanted: int
) -> tuple[IntArray, DoubleArray]:
    """Return at least so many of the best pairs, as left times the sides plus right, and worths.

    A block of rows at a time: of 2,000 identities the whole table would take seconds.
    """
    n_sides = len(sizes)
    flat, worth = np.empty(0, dtype=np.int64), np.empty(0)
    for rows in row_blocks(n_sides, _BLOCK):
        cosines = means[rows] @ means[rows.start :].T  # (B, n_sides - start)
        bar_other_sides(cosines, shown[rows], shown[rows.start :])
        width = _open_width(sizes[rows], _least(worth, wanted))
        is_near = np.abs(cosines - np.float32(_OPEN)) <= width[:, None]
        left, right = np.nonzero(np.triu(is_near, 1))
        openness = np.exp(-(((cosines[left, right] - _OPEN) / _WIDTH) ** 2))
        left, right = left + rows.start, right + rows.start
        flat = np.append(flat, left * n_sides + right)
        worth = np.append(worth, openness * np.sqrt(np.minimum(sizes[left], sizes[right])))
        best = (worth > 0) & (worth >= _least(worth, wanted))
        flat, worth = flat[best], worth[best]
    return flat, worth


def _open_width(sizes: DoubleArray, least: float) -> FloatArray:
    """Return how far from open a cosine may be for a pair to be worth so much, shape (B,).

    The other side may be as large at most.
    """
    if least == 0:
        return np.full(len(sizes), np.inf, dtype=np.float32)
    excess = np.log(np.sqrt(sizes) / least)
    width = np.where(excess >= 0, _WIDTH * np.sqrt(np.maximum(excess, 0)), -1)
    return (width + _ROUNDING).astype(np.float32)


def _least(worth: DoubleArray, wanted: int) -> float:
    """Return what a pair must be worth to be among so many."""
    return float(np.partition(worth, -wanted)[-wanted]) if len(worth) >= wanted else 0.0


def _images(annotations: Annotations, side: Side) -> tuple[int, ...]:
    return side.images if side.identity is None else annotations.identity(side.identity).images


def _rows(index: SuggestionIndex, images: tuple[int, ...]) -> IntArray:
    return index.rows_of(np.array(images, dtype=np.int64))


def typical_images(index: SuggestionIndex, images: tuple[int, ...]) -> tuple[int, ...]:
    """Return the four images nearest to the mean of some, nearest first."""
    rows = _rows(index, images)
    closeness = index.embedding[rows] @ index.embedding[rows].mean(axis=0)
    best = rows[np.argsort(-closeness, kind="stable")[:_TILES]]
    return tuple(index.image_ids[best].tolist())
