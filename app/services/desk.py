"""The labelling state of one browser session: acts received, their outcomes, its cards."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from app import services
from app.services.cards import Board, Card
from app.services.labels import Outcome
from app.services.leases import leases_of
from pul.errors import StoreError

_N_OUTCOMES = 5


@dataclass
class Desk:
    """The labelling state of one browser session.

    Attributes:
        annotator: Author of the last acts.
        name: Name that the annotator typed, here or earlier in this browser; "" for none.
        stored: Tokens of the acts sent last that are stored and need not be sent again.
        outcomes: Outcomes of the last acts, and refusals that the browser may not know yet.
        skipped: Names of skipped cards, the last skipped last.
        notice: Message to show once on the next page; "" for none.
        drawn: The cards made last, and what they were made from.
        desk_id: Identifies this session.
    """

    annotator: str = ""
    name: str = ""
    stored: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    notice: str = ""
    drawn: tuple[tuple[Any, ...], list[Card]] = ((), [])
    desk_id: str = ""

    def receive(self, location: str, outbox: Mapping[str, Any], author: str = "") -> set[str]:
        """Store the acts that the browser sent; stored acts are recognised by their token.

        Args:
            location: The workspace.
            outbox: Acts, each with its token, and the annotator's name in that browser.
            author: Author of the acts; by default that name.

        Returns:
            Names of the cards that the outbox is about.
        """
        self.annotator = author or str(outbox.get("annotator", ""))
        commits = _commits(outbox)
        known = set(self.stored)
        try:
            for commit in commits:
                if commit["token"] not in known:
                    self._store(location, commit)
                    known.add(commit["token"])
        except (
            StoreError
        ) as error:  # the browser keeps this act and all later ones, and sends them again
            text = f"Not stored yet, but kept in this browser and sent again: {error}"
            self._remember_outcome(Outcome(commit["token"], commit["kind"], text, True))
        self.stored = [commit["token"] for commit in commits if commit["token"] in known]
        self._forget({commit["token"] for commit in commits})
        return {str(commit.get("card", "")) for commit in commits}

    def remember_name(self, outbox: Mapping[str, Any]) -> None:
        """Use the name stored in the browser, unless one was typed here."""
        self.name = self.name or str(outbox.get("name") or "")

    def next_cards(
        self,
        board: Board,
        n: int,
        chosen: Sequence[int] = (),
        is_here: Callable[[str], bool] = lambda _: True,
    ) -> list[Card]:
        """Return the next cards; they are made again only if something has changed.

        Args:
            board: What they are made from.
            n: How many.
            chosen: Images whose card comes first.
            is_here: Whether another session is still open; then it keeps its cards.
        """
        made_of = (board.iteration, len(board.state.events), tuple(self.skipped), n, tuple(chosen))
        if self.drawn[0] != made_of:
            first = services.cards.card_of_images(board, chosen)
            next_cards = partial(services.cards.next_cards, board, n=n, skipped=self.skipped)
            drawn = leases_of(*board.place).draw(
                self.desk_id, lambda taken: next_cards(taken=taken), is_here
            )
            cards = [services.cards.lay_out(board, card) for card in drawn]
            self.drawn = made_of, ([first] if first else []) + cards
        return self.drawn[1]

    def _store(self, location: str, commit: Mapping[str, Any]) -> None:
        if commit["kind"] == "skip":
            self.skipped.append(str(commit.get("card")))
            return
        if commit["kind"] == "unskip":
            self.skipped = [name for name in self.skipped if name != commit.get("card")]
            return
        outcome = services.labels.store(location, self.annotator, commit)
        self._remember_outcome(outcome)

    def _remember_outcome(self, outcome: Outcome) -> None:
        before = [other for other in self.outcomes if other.token != outcome.token]
        self.outcomes = [*before, outcome]

    def _forget(self, sent: set[str]) -> None:
        """Drop outcomes that the browser knows, except refusals of acts that it still sends."""
        last = self.outcomes[-_N_OUTCOMES:]
        self.outcomes = [
            o for o in self.outcomes if o in last or (o.is_refused and o.token in sent)
        ]


def _commits(outbox: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the valid acts that a browser sent; it may send anything."""
    sent = outbox.get("commits")
    acts = [act for act in sent if isinstance(act, Mapping)] if isinstance(sent, list) else []
    return [act for act in acts if all(isinstance(act.get(x), str) for x in ("token", "kind"))]
