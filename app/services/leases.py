"""Leases of cards, so that annotators who work at the same time get different cards.

They are advisory and within one server: labels of two annotators for the same images are both
stored, and contradictions are shown.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple, TypeVar

Card = TypeVar("Card")
LEASE_S = 300.0  # after this time without an act the annotator counts as away


class Lease(NamedTuple):
    """The cards that one session has.

    Attributes:
        until: When it counts as away, in seconds of the clock.
        cards: Their names.
        author: Who labels there; "" if unknown.
    """

    until: float
    cards: frozenset[str]
    author: str


@dataclass
class Leases:
    """The leased cards of one run.

    Attributes:
        now: Monotonic clock, in seconds.
    """

    now: Callable[[], float] = time.monotonic
    _held: dict[str, Lease] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def draw(
        self,
        who: str,
        choose: Callable[[Collection[str]], Mapping[str, Card]],
        is_here: Callable[[str], bool],
        author: str = "",
    ) -> list[Card]:
        """Lease cards that nobody else has; one caller at a time.

        Args:
            who: The session; its previous leases are released.
            choose: Given the names of cards leased by others, returns the chosen cards by name.
                Others wait for it, so it should only choose.
            is_here: Whether a session is still open: after a reload, the new session should see
                the same card again.
            author: Who labels in the session.
        """
        with self._lock:
            others = self._others(who, is_here)
            taken = choose({card for lease in others.values() for card in lease.cards})
            lease = Lease(self.now() + LEASE_S, frozenset(taken), author)
            self._held = others | {who: lease}
        return list(taken.values())

    def others(self, who: str, is_here: Callable[[str], bool]) -> dict[str, int]:
        """Return who else labels at present, and how many cards each has."""
        with self._lock:
            leases = list(self._others(who, is_here).values())
        n_cards: dict[str, int] = {}
        for lease in leases:
            if lease.author and lease.cards:
                n_cards[lease.author] = n_cards.get(lease.author, 0) + len(lease.cards)
        return n_cards

    def _others(self, who: str, is_here: Callable[[str], bool]) -> dict[str, Lease]:
        now = self.now()
        return {
            name: lease
            for name, lease in self._held.items()
            if name != who and lease.until > now and is_here(name)
        }


_leases: dict[tuple[str, int], Leases] = {}


def leases_of(location: str, run_id: int) -> Leases:
    """Return the leases of a run."""
    return _leases.setdefault((location, run_id), Leases())
