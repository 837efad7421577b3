"""Second opinions: which cards another annotator answers blind, and how far the two agree."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pul.evaluation.cluster_quality import adjusted_rand
from pul.labelling.annotations import Annotations, Event, fold
from pul.labelling.suggestions import Card, SuggestionIndex, card_of
from pul.store.workspace import Workspace

_SETTING = "share of second opinions"
_DRAWS = 10_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two annotators said of one card. An image is in where it was said to show the person.

    Attributes:
        identity: The identity that the first one made of it.
        event_id: The act of the second one.
        first, second: The annotators.
        shown: Images that both judged, ascending.
        in_first, in_second: Those of them that each put in.
        is_settled: Whether somebody has decided between the two.
    """

    identity: int
    event_id: int
    first: str
    second: str
    shown: tuple[int, ...]
    in_first: frozenset[int]
    in_second: frozenset[int]
    is_settled: bool

    @property
    def in_conflict(self) -> frozenset[int]:
        """Images that only one of the two put in."""
        return self.in_first ^ self.in_second


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far annotators agree on some cards.

    Attributes:
        n_cards: The cards.
        adjusted_rand: The adjusted Rand index of who is together: 1 where all is the same, about 0
            by chance. NaN without a card.
        n_pairs: Pairs of images of one card that were compared.
        n_conflicts: Those of them that one put together and the other did not.
    """

    n_cards: int
    adjusted_rand: float
    n_pairs: int
    n_conflicts: int


def second_opinion_share(workspace: Workspace) -> float:
    """Return the share of cards that another annotator answers too, in [0, 1]; 0 by default."""
    return float(workspace.get_setting(_SETTING, 0.0))


def set_second_opinion_share(workspace: Workspace, share: float) -> None:
    """Set the share of cards that another annotator answers too.

    Raises:
        StoreError: The database refuses.
    """
    workspace.set_setting(_SETTING, min(1.0, max(0.0, float(share))))


def wanted_opinions(state: Annotations, author: str, share: float) -> list[int]:
    """Return the identities whose card somebody else answered first and an author should, too.

    Args:
        state: What is known.
        author: Who is asked.
        share: Share of cards, in [0, 1]; which ones it is does not change when the share grows.

    Returns:
        Their numbers, the oldest first; without those that have a second opinion already.
    """
    if share <= 0:
        return []
    answered = {state.find(said.identity) for said in state.seconds.values()}
    there = {known.identity for known in state.identities}
    return [
        event.event_id
        for event in state.events
        if event.kind == "create"
        and event.author != author
        and event.event_id in there - answered
        and _draw(event) < share
    ]


def blind_card(
    index: SuggestionIndex, state: Annotations, identity: int
) -> tuple[Card, Annotations] | None:
    """Return the card of an identity as if nobody had answered it, and what is known without that.

    Returns:
        The card, and the annotations without any act on the identity; None where this iteration has
        none of its images.
    """
    made = next(event for event in state.events if event.event_id == identity)
    before = fold(_without(state.events, identity))
    rows = index.rows_of(np.array(made.payload["images"], dtype=np.int64))
    rows = rows[index.free(before)[rows]]
    if not len(rows):
        return None
    key = int(np.bincount(index.images.of[rows]).argmax())
    return card_of(index, before, key), before


def comparisons(state: Annotations) -> list[Comparison]:
    """Return what first and second annotators said of the same cards, in the order of the second.

    An image that one of them never saw counts as not put in.
    """
    made = {event.event_id: event for event in state.events if event.kind == "create"}
    there = {known.identity for known in state.identities}
    found = []
    for said in state.seconds.values():
        first = made.get(said.identity)
        if first is None or state.find(said.identity) not in there:
            continue
        mine = frozenset(first.payload["images"])
        shown = mine.union(first.payload.get("refused", ()), said.images, said.refused)
        found.append(
            Comparison(
                identity=state.find(said.identity),
                event_id=said.event_id,
                first=first.author,
                second=said.author,
                shown=tuple(sorted(shown)),
                in_first=mine,
                in_second=frozenset(said.images),
                is_settled=said.event_id in state.settled,
            )
        )
    return found


def agreement(compared: Sequence[Comparison]) -> Agreement:
    """Return how far some comparisons agree, all their images taken together."""
    left, right = _partition(compared, "in_first"), _partition(compared, "in_second")
    sizes = [(len(c.shown), len(c.in_first), len(c.in_second), len(c.in_first & c.in_second))
             for c in compared]  # fmt: skip
    n_pairs = sum(_n_pairs(shown) for shown, *_ in sizes)
    n_conflicts = sum(
        _n_pairs(first) + _n_pairs(second) - 2 * _n_pairs(both) for _, first, second, both in sizes
    )
    rand = adjusted_rand(left, right) if left else float("nan")
    return Agreement(len(compared), rand, n_pairs, n_conflicts)


def agreement_by_annotator(compared: Sequence[Comparison]) -> dict[str, Agreement]:
    """Return how far each annotator agrees with the others, on all cards that they share."""
    people = sorted({name for each in compared for name in (each.first, each.second)})
    return {
        name: agreement([each for each in compared if name in (each.first, each.second)])
        for name in people
    }


def _draw(event: Event) -> float:
    token = str(event.payload.get("token", event.event_id))
    return int(hashlib.sha256(token.encode()).hexdigest(), 16) % _DRAWS / _DRAWS


def _without(events: Iterable[Event], identity: int) -> list[Event]:
    """Return the events but those on an identity, and those that took them back."""
    gone = {identity}
    left = []
    for event in events:
        if event.event_id in gone or _is_about(event, gone):
            gone.add(event.event_id)
        else:
            left.append(event)
    return left


def _is_about(event: Event, gone: set[int]) -> bool:
    payload = event.payload
    if event.kind in ("undo", "redo"):
        return payload["event"] in gone
    sides = (payload.get(name, {}).get("identity") for name in ("left", "right"))
    named = {payload.get("identity"), *payload.get("identities", ()), *sides}
    return not gone.isdisjoint(named)


def _partition(compared: Sequence[Comparison], side: str) -> list[int]:
    """Return the group of each image of each card: the person, or a group of its own."""
    groups: list[int] = []
    for each in compared:
        start = len(groups)
        person: frozenset[int] = getattr(each, side)
        groups += [
            start if image in person else start + 1 + place
            for place, image in enumerate(each.shown)
        ]
    return groups


def _n_pairs(n: int) -> int:
    return n * (n - 1) // 2
