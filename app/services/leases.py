"""Leases of cards, so that annotators who work at the same time get different cards.

They are advisory and within one server: labels of two annotators for the same images are both
stored, and contradictions are shown.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

Card = TypeVar("Card")
LEASE_S = 300.0  # after this time without an act the annotator counts as away


@dataclass
class Leases:
    """The leased cards of one run.

    Attributes:
        now: Monotonic clock, in seconds.
    """

    now: Callable[[], float] = time.monotonic
    _held: dict[str, tuple[float, frozenset[str]]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def draw(
        self,
        who: str,
        choose: Callable[[Collection[str]], Mapping[str, Card]],
        is_here: Callable[[str], bool],
    ) -> list[Card]:
        """Lease cards that nobody else has; one caller at a time.

        Args:
            who: The session; its previous leases are released.
            choose: Given the names of cards leased by others, returns the chosen cards by name.
                Others wait for it, so it should only choose.
            is_here: Whether a session is still open: after a reload, the new session should see
                the same card again.
        """
        with self._lock:
            now = self.now()
            others = {
                name: (until, cards)
                for name, (until, cards) in self._held.items()
                if name != who and until > now and is_here(name)
            }
            taken = choose({card for _, cards in others.values() for card in cards})
            self._held = others | {who: (now + LEASE_S, frozenset(taken))}
        return list(taken.values())


_leases: dict[tuple[str, int], Leases] = {}


def leases_of(location: str, run_id: int) -> Leases:
    """Return the leases of a run."""
    return _leases.setdefault((location, run_id), Leases())
