"""Which cards lie before whom, so that people who label at once get different people to label.

It is a courtesy within one server, no lock: what two say about the same images is kept, and shown
where they contradict each other.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

Card = TypeVar("Card")
LEASE_S = 300.0  # who did nothing for so long has left the desk, though the page is open


@dataclass
class Leases:
    """The cards of one run that lie before somebody.

    Attributes:
        now: Seconds of a clock that only goes forward.
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
        """Let somebody choose cards that lie before nobody else; one after another.

        Args:
            who: The desk; what lay before it is put back.
            choose: Given the names of the cards of all others, returns those that are taken, by
                name. All others wait for it, so it makes no more than the choice.
            is_here: Whether somebody still sits at a desk: who reloads a page gets a new one, and
                shall see the card again that was there.
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
    """Return the cards of a run of a workspace that lie before somebody."""
    return _leases.setdefault((location, run_id), Leases())
