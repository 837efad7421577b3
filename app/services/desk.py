"""The labelling state of one browser session: acts received, their outcomes, its cards."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from app import services
from app.services.acts import Outcome
from app.services.cards import Board, Card
from app.services.leases import leases_of
from app.services.pairs import Round
from app.services.picked import PickedCard
from pul.errors import StoreError

_N_OUTCOMES = 5
_MAX_NAME = 200  # characters of a card's name
_MAX_SKIPPED = 10_000


@dataclass
class Desk:
    """The labelling state of one browser session.

    Attributes:
        name: Name that the annotator gave, for this browser to keep; "" for none.
        stored: Tokens of the acts sent last that are stored and need not be sent again.
        outcomes: Outcomes of the last acts, and refusals that the browser may not know yet.
        skipped: Names of skipped cards, the last skipped last.
        notice: Message to show until somebody labels again, and the version of the labels then.
        drawn: The cards made last, and what they were made from.
        review: The review that was asked for last.
        pick: Images that were picked on another page, and the cards of them that are left.
        desk_id: Identifies this session.
    """

    name: str = ""
    stored: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    notice: tuple[str, int] = ("", 0)
    drawn: tuple[tuple[Any, ...], list[Card]] = ((), [])
    pick: tuple[tuple[int, ...], list[PickedCard]] = ((), [])
    review: Round = field(default_factory=Round)
    desk_id: str = ""

    def receive(self, location: str, outbox: Mapping[str, Any], author: str) -> set[str]:
        """Store the acts that the browser sent; stored acts are recognised by their token.

        Args:
            location: The workspace.
            outbox: Acts, each with its token.
            author: Author of the acts.

        Returns:
            Names of the cards that the outbox is about.
        """
        commits, others = _commits(outbox)
        for other in others:
            self._remember_outcome(_no_act(other))
        known = set(self.stored)
        try:
            for commit in commits:
                if commit["token"] not in known:
                    self._store(location, commit, author)
                    known.add(commit["token"])
        except (
            StoreError
        ) as error:  # the browser keeps this act and all later ones, and sends them again
            text = f"Not stored yet, but kept in this browser and sent again: {error}"
            self._remember_outcome(Outcome(commit["token"], commit["kind"], text, True))
        self.stored = [commit["token"] for commit in commits if commit["token"] in known]
        self._forget({commit["token"] for commit in commits})
        return {str(commit.get("card", "")) for commit in commits}

    def next_cards(
        self,
        board: Board,
        n: int,
        chosen: Sequence[int] = (),
        is_here: Callable[[str], bool] = lambda _: True,
        author: str = "",
    ) -> list[Card]:
        """Return the next cards; they are made again only if something has changed.

        Args:
            board: What they are made from.
            n: How many.
            chosen: Images that were picked on another page: their cards come first.
            is_here: Whether another session is still open; then it keeps its cards.
            author: Who labels in this session.
        """
        picks = self._picks(board, chosen)[:n]
        names = tuple(part.name for part in picks)
        made_of = (board.iteration, len(board.state.events), tuple(self.skipped), n, names)
        if self.drawn[0] != made_of:
            first = [services.picked.card_of(board, part) for part in picks]
            next_cards = partial(services.cards.next_cards, board, n=n, skipped=self.skipped)
            drawn = leases_of(*board.place).draw(
                self.desk_id, lambda taken: next_cards(taken=taken), is_here, author
            )
            cards = [services.cards.lay_out(board, card) for card in drawn]
            second = services.opinions.next_card(board, author, self.skipped)
            self.drawn = made_of, [card for card in (*first, second) if card is not None] + cards
        return self.drawn[1]

    def round_of_pairs(self, board: Board, asked: object, counting: int) -> Round:
        """Return the pairs that were asked for last: a review, made once, or those that count.

        Args:
            board: What they are made from.
            asked: When the browser asked for a review, in milliseconds; it may send anything.
            counting: When counting people was begun; 0 where it was not.
        """
        if type(asked) is int and asked > counting:
            if asked != self.review.at:
                self.review = services.pairs.review(board, asked)
            return self.review
        return services.pairs.count(board, counting) if counting else Round()

    def finish_picks(self, answered: Collection[str]) -> bool:
        """Forget the picked cards that are answered; whether that was the last one."""
        images, picks = self.pick
        left = [part for part in picks if part.name not in answered]
        self.pick = images, left
        return bool(picks) and not left

    def _picks(self, board: Board, images: Sequence[int]) -> list[PickedCard]:
        if self.pick[0] != tuple(images):
            self.pick = tuple(images), services.picked.split(board, images)
        return self.pick[1]

    def _store(self, location: str, commit: Mapping[str, Any], author: str) -> None:
        if commit["kind"] == "skip":
            self.skipped = [*self.skipped, str(commit.get("card"))[:_MAX_NAME]][-_MAX_SKIPPED:]
            return
        if commit["kind"] == "unskip":
            self.skipped = [name for name in self.skipped if name != commit.get("card")]
            return
        outcome = services.acts.store(location, author, commit)
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


def _commits(outbox: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], list[object]]:
    """Return the acts that a browser sent, and what it sent besides; it may send anything."""
    sent = outbox.get("commits")
    acts: list[Mapping[str, Any]] = []
    others: list[object] = []
    for act in sent if isinstance(sent, list) else []:
        is_act = isinstance(act, Mapping) and services.acts.is_token(act.get("token"))
        (acts if is_act and isinstance(act.get("kind"), str) else others).append(act)
    return acts, others


def _no_act(sent: object) -> Outcome:
    """Return the refusal of what has no token or kind, under a name by which it is told once."""
    name = hashlib.sha256(repr(sent).encode(errors="replace")).hexdigest()[:16]
    why = "something arrived that is no act of this page. Reload the page if acts are missing."
    return services.acts.refusal(f"refused-{name}", "", why)
