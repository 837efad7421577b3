"""A labeller who knows the truth and works through the same acts as the screen, at human pace."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Literal

import numpy as np

from pul.arrays import IntArray
from pul.errors import ConfigError
from pul.labelling.annotations import (
    Act,
    Annotations,
    add,
    answer_pair,
    create,
)
from pul.labelling.effort import Effort
from pul.labelling.label_quality import LabelQuality, measure
from pul.labelling.suggestions import (
    N_CANDIDATES,
    Candidate,
    Card,
    PairQuestion,
    SuggestionIndex,
    card_of,
    join_sure,
    next_cards,
    pair_questions,
    suggest_more,
)

Strategy = Literal["queue", "random", "largest-first"]
STRATEGIES: tuple[Strategy, ...] = ("queue", "random", "largest-first")

_CARDS_PER_BURST = 10  # cards between two bursts of pair questions
_PAIRS_PER_BURST = 3

Store = Callable[[Act], Annotations]


@dataclass(frozen=True, slots=True)
class OracleReport:
    """What an oracle labelled, how well, and at what cost."""

    strategy: Strategy
    effort: Effort
    identities: tuple[LabelQuality, ...]

    @property
    def n_images(self) -> int:
        """Images that are in an identity."""
        return sum(known.n_images for known in self.identities)

    @property
    def precision(self) -> float:
        """Mean precision of the identities; NaN where there is none."""
        return float(np.mean([known.precision for known in self.identities] or [np.nan]))

    @property
    def recall(self) -> float:
        """Mean recall of the identities; NaN where there is none."""
        return float(np.mean([known.recall for known in self.identities] or [np.nan]))

    @property
    def actions_per_identity(self) -> float:
        """All actions, those on skipped cards and pairs too, by the number of identities."""
        return self.effort.n_actions / max(1, len(self.identities))

    @property
    def seconds_per_identity(self) -> float:
        """All modelled seconds by the number of identities."""
        return self.effort.seconds / max(1, len(self.identities))


@dataclass
class Oracle:
    """Labels identities card by card.

    Attributes:
        index: The iteration that is labelled on.
        truth: Image → pid; images without one are taken for nobody.
        store: Keeps an act and returns what is known then.
        annotations: What is known.
        strategy: `queue` (what the screen suggests), `random` (the cluster of a random image) or
            `largest-first`.
        error_rate: Share of the decisions that come out wrong, in [0, 1).
        seed: Seed of errors and of the random strategy.
        patience: Rows of candidates without the person that are replaced before the next question;
            each costs one view and one key.
    """

    index: SuggestionIndex
    truth: Mapping[int, int]
    store: Store
    annotations: Annotations
    strategy: Strategy = "queue"
    error_rate: float = 0.0
    seed: int = 0
    patience: int = 0
    effort: Effort = field(default_factory=Effort)

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            known = ", ".join(STRATEGIES)
            raise ConfigError(f"There is no strategy {self.strategy!r}; choose one of {known}.")
        if not 0 <= self.error_rate < 1:
            raise ConfigError(f"The error rate must be in [0, 1), but is {self.error_rate}.")
        self._random = np.random.default_rng(self.seed)
        self._skipped: set[int] = set()
        people = measure(self.annotations, self.truth, self.index.image_ids)
        self._known = {person.pid: person.identity for person in people}
        self._made: set[int] = set()

    def label(
        self, n_identities: int, *, on_progress: Callable[[int, int], None] | None = None
    ) -> OracleReport:
        """Label until so many identities are made, or no card is left.

        Args:
            n_identities: Identities to make.
            on_progress: Called with (identities made, n_identities) after each card.

        Returns:
            Quality of the identities made, and the effort.
        """
        while len(self._made) < n_identities and (card := self._next_card()) is not None:
            self._answer(card)
            if self.effort.n_cards % _CARDS_PER_BURST == 0:
                for question in pair_questions(self.index, self.annotations, n=_PAIRS_PER_BURST):
                    self._answer_pair(question)
            if on_progress:
                on_progress(len(self._made), n_identities)
        made = {self.annotations.find(identity) for identity in self._made}
        quality = tuple(
            known
            for known in measure(self.annotations, self.truth, self.index.image_ids)
            if known.identity in made
        )
        return OracleReport(self.strategy, self.effort, quality)

    def _next_card(self) -> Card | None:
        if self.strategy == "queue":
            cards = next_cards(self.index, self.annotations, skipped=self._skipped)
            return cards[0] if cards else None
        key = _pick(self.index, self.annotations, self._skipped, self.strategy, self._random)
        return None if key is None else card_of(self.index, self.annotations, key)

    def _answer(self, card: Card) -> None:
        self.effort.n_cards += 1
        self.effort.view()
        pid = _majority(self._pids(card.images[card.chosen]))
        if pid is None:
            self._skipped.add(card.key)
            self.effort.n_skipped += 1
            self.effort.press()
            return
        kept = self._toggle(card, pid)
        dropped = set(card.images[card.chosen].tolist()) - kept
        known = self._known.get(pid)
        if known is not None:
            self._add_to(known, card, kept, dropped, pid)
            return
        more, passed, left = self._accept_more(card, kept, dropped, pid)
        self.effort.press()
        act = create(kept | more, refused=(dropped | passed) - more, shown=left - more - passed)
        self._keep(act)
        events = reversed(self.annotations.events)  # others may have stored acts meanwhile
        self._known[pid] = next(e.event_id for e in events if e.payload == act.payload)
        self._made.add(self._known[pid])

    def _add_to(self, known: int, card: Card, kept: set[int], dropped: set[int], pid: int) -> None:
        """Add a card to somebody known: take out strangers, then A, the thumbnail, Enter."""
        joined, _ = self._join_sure(card)
        for place, candidate in enumerate(joined):
            if self._decide(_majority(self._pids(candidate.images)) == pid):
                right, wrong = self._sort_out(candidate, pid)
                kept |= right
                dropped |= wrong
            else:
                self.effort.join(place)
                dropped |= set(candidate.images.tolist())
        self.effort.press()
        self.effort.view()
        self.effort.click()
        self.effort.press()
        self._keep(add(known, kept, refused=dropped - kept))

    def _join_sure(self, card: Card) -> tuple[list[Candidate], list[Candidate]]:
        """Return who is joined on a card before anyone looks, and who else is suggested."""
        chosen, others = card.images[card.chosen].tolist(), card.images.tolist()
        return join_sure(self.index, self.annotations, chosen, refused=others)

    def _toggle(self, card: Card, pid: int) -> set[int]:
        """Click tracklets that are chosen wrongly, or wrongly not; return what is chosen then."""
        kept: set[int] = set()
        for tracklet in np.unique(card.tracklets):
            mask = card.tracklets == tracklet
            wanted = self._decide(_majority(self._pids(card.images[mask])) == pid)
            if wanted != card.chosen[mask][0]:
                self.effort.click()
            if wanted:
                kept |= set(card.images[mask].tolist())
        return kept or set(card.images[card.chosen][:1].tolist())

    def _accept_more(
        self, card: Card, kept: set[int], dropped: set[int], pid: int
    ) -> tuple[set[int], set[int], set[int]]:
        """Sort out who was joined beforehand, and accept candidates row by row.

        Returns:
            The images that are the person's, those that are somebody else's, and those of the last
            row, of which those not taken are left.
        """
        joined, found = self._join_sure(card)
        row = [*joined, *likely(found)]
        n_joined = len(joined)
        more: set[int] = set()
        passed: set[int] = set()
        left: set[int] = set()
        patience = self.patience
        while row:
            shown = row[: max(N_CANDIDATES, n_joined)]
            left = {image for other in shown for image in other.images.tolist()}
            self.effort.view()
            wanted = [self._decide(_majority(self._pids(c.images)) == pid) for c in shown]
            singly, last = plan_joins(wanted, n_joined)
            for place in singly:
                self.effort.join(place)
            for candidate, is_wanted in zip(shown, wanted, strict=True):
                right, wrong = self._sort_out(candidate, pid) if is_wanted else (set(), set())
                more |= right
                passed |= wrong
            patience = self.patience + 1 if any(wanted[n_joined:]) else patience
            taken_out = compress(shown[:n_joined], (not each for each in wanted))
            passed |= {image for other in taken_out for image in other.images.tolist()}
            if not patience:
                break
            patience -= 1
            if last is not None:  # these are, the others are not this person: the next row
                self.effort.join(last, is_last=True, is_whole=last == len(shown) - 1)
            else:
                self.effort.press()
            passed |= left - more
            refused = dropped | passed
            found = suggest_more(self.index, self.annotations, kept | more, refused=refused)
            row, n_joined = likely(found), 0
        return more, passed, left

    def _sort_out(self, candidate: Candidate, pid: int) -> tuple[set[int], set[int]]:
        """Drop the tracklets of others from an accepted candidate."""
        right: set[int] = set()
        wrong: set[int] = set()
        for tracklet in np.unique(candidate.tracklets):
            images = candidate.images[candidate.tracklets == tracklet]
            is_right = self._decide(_majority(self._pids(images)) == pid)
            (right if is_right else wrong).update(images.tolist())
            if not is_right:
                self.effort.click()
        return right, wrong

    def _answer_pair(self, question: PairQuestion) -> None:
        self.effort.n_pairs += 1
        self.effort.view()
        self.effort.press()
        left = _majority(self._pids(np.array(question.left_images)))
        right = _majority(self._pids(np.array(question.right_images)))
        is_same = self._decide(left is not None and left == right)
        sides = question.left, question.right
        self._keep(answer_pair(self.annotations, *sides, is_same=is_same))

    def _decide(self, truth: bool) -> bool:
        is_wrong = self.error_rate > 0 and self._random.random() < self.error_rate
        return truth != is_wrong

    def _keep(self, act: Act) -> None:
        self.annotations = self.store(act)

    def _pids(self, images: IntArray) -> list[int]:
        return [self.truth.get(image, -1) for image in images.tolist()]


def likely(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that are shown without being asked for."""
    return [candidate for candidate in candidates if not candidate.is_unlikely]


def plan_joins(wanted: Sequence[bool], n_joined: int = 0) -> tuple[list[int], int | None]:
    """Return how to answer a row: some places singly, then all others up to one by a last chord.

    Args:
        wanted: Whether each is the person; those that were joined beforehand come first.
        n_joined: How many these are.

    Returns:
        The places that take an act each: strangers who were joined, and people behind the first
        stranger who was not; and the place of the last one before that stranger, whose chord is the
        end of the row; None where there is none.
    """
    strangers = (p for p in range(n_joined, len(wanted)) if not wanted[p])
    first = next(strangers, len(wanted))
    singly = [place for place in range(n_joined) if not wanted[place]]
    singly += [place for place in range(first, len(wanted)) if wanted[place]]
    return singly, first - 1 if first > n_joined else None


def _majority(pids: list[int]) -> int | None:
    """Return the person on more than half of the images; None if there is none."""
    best = max(sorted(set(pids)), key=pids.count, default=-1)
    return best if best > 0 and 2 * pids.count(best) > len(pids) else None


def _pick(
    index: SuggestionIndex,
    annotations: Annotations,
    skipped: set[int],
    strategy: Strategy,
    random: np.random.Generator,
) -> int | None:
    """Return the largest bundle of the largest cluster, or of the cluster of a random image."""
    n_free = np.bincount(index.images.of, index.free(annotations), len(index.means))
    n_free[list(skipped)] = 0
    n_free[n_free < 2] = 0  # one image is no question
    if not n_free.any():
        return None
    clusters = index.clusters_of_bundles()
    sizes = np.bincount(clusters, n_free)
    weights = sizes / sizes.sum()
    cluster = (
        sizes.argmax() if strategy == "largest-first" else random.choice(len(sizes), p=weights)
    )
    return int(np.where(clusters == cluster, n_free, -1).argmax())
