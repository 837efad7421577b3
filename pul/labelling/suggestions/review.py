"""A short review at the end of a goal: joins that may be wrong, the most doubtful first."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pul.arrays import IntArray
from pul.labelling.annotations import Annotations, Identity, Side
from pul.labelling.suggestions.calibration import Compared, compare_groups
from pul.labelling.suggestions.index import SuggestionIndex
from pul.labelling.suggestions.likeness import ONE_PERSON
from pul.labelling.suggestions.pairs import PairQuestion, typical_images
from pul.labelling.suggestions.sides import bar_other_sides

N_REVIEWED = 38  # questions that take a minute
_DOUBTFUL = 0.2  # probability of being wrong from which a join is asked about again
_N_NEAR = 3  # identities that each one is compared with


class _Doubt(NamedTuple):
    probability: float  # that what was said is wrong
    question: PairQuestion


def review_questions(
    index: SuggestionIndex, annotations: Annotations, *, n: int = N_REVIEWED
) -> list[PairQuestion]:
    """Return joins to look at again: images unlike the rest of their identity, and look-alikes.

    What a review has asked already does not come again. `answer_pair` says what an answer does.

    Args:
        index: The iteration.
        annotations: What is known.
        n: At most so many; fewer where fewer are doubtful.
    """
    doubts = [*_strange_images(index, annotations), *_near_identities(index, annotations)]
    doubts = [doubt for doubt in doubts if doubt.probability >= _DOUBTFUL]
    doubts.sort(key=lambda doubt: -doubt.probability)
    index.drop_pages()
    return [doubt.question for doubt in doubts[:n]]


def _strange_images(index: SuggestionIndex, annotations: Annotations) -> Iterator[_Doubt]:
    """Yield each part of an identity that looks unlike the rest of it."""
    calibration = index.calibration(annotations)
    of = index.tracklets.groups.of
    for known in annotations.identities:
        rows = index.rows_of(np.array(known.images))
        tracklets, n_images = np.unique(of[rows], return_counts=True)
        parts = index.tracklets.bundle(tracklets, least=ONE_PERSON)
        core = np.bincount(parts, n_images).argmax() if len(parts) else 0
        for part in np.setdiff1d(parts, core):
            is_in = parts == part
            compared = _compare(index, tracklets[~is_in], n_images[~is_in], tracklets[is_in])
            images = index.image_ids[rows[np.isin(of[rows], tracklets[is_in])]]
            others = index.image_ids[rows[np.isin(of[rows], tracklets[parts == core])]]
            if not annotations.was_confirmed(known.identity, images.tolist()):
                probability = float(calibration.probability(compared)[0])
                yield _Doubt(1 - probability, _question(index, known, others, images))


def _question(
    index: SuggestionIndex, known: Identity, others: IntArray, images: IntArray
) -> PairQuestion:
    return PairQuestion(
        Side(identity=known.identity),
        Side(images=tuple(images.tolist())),
        typical_images(index, tuple(others.tolist())),
        typical_images(index, tuple(images.tolist())),
        len(images),
    )


def _near_identities(index: SuggestionIndex, annotations: Annotations) -> Iterator[_Doubt]:
    """Yield pairs of identities that look like one person and that nobody has compared."""
    answers, calibration = index.answers(annotations), index.calibration(annotations)
    if len(answers.identities) < 2:
        return
    shown = index.identity_sides(annotations)
    cosines = bar_other_sides(answers.means @ answers.means.T, shown, shown)
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :_N_NEAR]
    pairs = {
        (min(left, right), max(left, right))
        for left, row in enumerate(nearest.tolist())
        for right in row
        if np.isfinite(cosines[left, right])
    }
    members = [np.flatnonzero(answers.owners == identity) for identity in answers.identities]
    for left, right in sorted(pairs):
        sides = [tuple(index.image_ids[members[place]].tolist()) for place in (left, right)]
        if annotations.was_asked(*sides):
            continue
        of = index.tracklets.groups.of
        person, n_images = np.unique(of[members[left]], return_counts=True)
        compared = _compare(index, person, n_images, np.unique(of[members[right]]))
        one, other = (Side(identity=int(answers.identities[place])) for place in (left, right))
        pictures = [typical_images(index, images) for images in sides]
        n_all = len(sides[0]) + len(sides[1])
        question = PairQuestion(one, other, pictures[0], pictures[1], n_all)
        yield _Doubt(float(calibration.probability(compared)[0]), question)


def _compare(
    index: SuggestionIndex, person: IntArray, n_images: IntArray, others: IntArray
) -> Compared:
    """Compare some tracklets as one with a person."""
    mean, highest = index.tracklets.compare(person, n_images, others)
    return compare_groups(mean, highest, np.zeros(len(others), dtype=np.int64), 1)
