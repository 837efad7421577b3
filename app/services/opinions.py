"""Second opinions: cards that another annotator answers blind, and how far they agree."""

from dataclasses import dataclass, replace

import numpy as np

from app.services.authors import shown_names
from app.services.cards import Board, Card, lay_out
from app.services.labels import read_annotations
from app.services.workspace import open_workspace
from pul.labelling import agreement
from pul.labelling.agreement import Agreement
from pul.labelling.agreement import Comparison as Comparison

PREFIX = "second-"  # of the name of such a card; the rest is the identity


@dataclass(frozen=True, slots=True)
class Opinions:
    """What first and second annotators said.

    Attributes:
        compared: Each card that two answered.
        by_annotator: How far each agrees with the others, by the name that is shown.
        names: The names that are shown, by author.
    """

    compared: tuple[Comparison, ...]
    by_annotator: dict[str, Agreement]
    names: dict[str, str]

    @property
    def open_conflicts(self) -> tuple[Comparison, ...]:
        """The cards on which two differ and nobody has decided."""
        return tuple(each for each in self.compared if each.in_conflict and not each.is_settled)


def share(location: str) -> float:
    """Return the share of cards that another annotator answers too, in [0, 1]."""
    return agreement.second_opinion_share(open_workspace(location))


def set_share(location: str, value: float) -> None:
    """Set the share of cards that another annotator answers too.

    Raises:
        StoreError: The database refuses.
    """
    agreement.set_second_opinion_share(open_workspace(location), value)


def next_card(on: Board, author: str, skipped: list[str]) -> Card | None:
    """Return a card that somebody else answered, as if nobody had; None if none is wanted.

    Args:
        on: What cards are made from.
        author: Who is asked.
        skipped: Names of skipped cards.
    """
    part = share(on.place[0]) if author else 0.0
    for identity in agreement.wanted_opinions(on.state, author, part) if part else ():
        name = f"{PREFIX}{identity}"
        found = None if name in skipped else agreement.blind_card(on.index, on.state, identity)
        if found is not None:
            laid, before = found
            answers = on.index.answers(before)
            blind = replace(on, state=before, owners=answers.owners, means=answers.means)
            reason = "a second opinion: you do not see what the first was"
            return replace(lay_out(blind, laid), card_id=name, reason=reason)
    return None


def opinions(location: str) -> Opinions:
    """Return what first and second annotators said, and how far they agree."""
    state = read_annotations(location)
    compared = agreement.comparisons(state)
    names = shown_names(location, (event.author for event in state.events)) if compared else {}
    found = agreement.agreement_by_annotator(compared)
    return Opinions(tuple(compared), {names[who]: each for who, each in found.items()}, names)


def agree_on(compared: Comparison) -> float:
    """Return the adjusted Rand index of one card."""
    rand = agreement.agreement([compared]).adjusted_rand
    return float(np.round(rand, 2))
