"""What labelling costs a person: views, clicks and keys, and the time that they take."""

from dataclasses import dataclass

VIEW_S = 1.35  # to look at a card, a row of candidates or a pair
POINT_S = 1.1  # to point at a tile and click
KEY_S = 0.2  # to press a key

N_KEYS = 9  # candidates that a number key accepts; the others are clicked


@dataclass
class Effort:
    """What the labelling cost a person.

    Attributes:
        n_actions: Clicks and key presses.
        seconds: Modelled time: views, clicks and keys.
        n_cards: Cards shown.
        n_skipped: Cards passed over, as no person was clearly on them.
        n_pairs: Pair questions answered.
    """

    n_actions: int = 0
    seconds: float = 0.0
    n_cards: int = 0
    n_skipped: int = 0
    n_pairs: int = 0

    def view(self) -> None:
        """View a card, a row of candidates or a pair."""
        self.seconds += VIEW_S

    def press(self) -> None:
        """Press a key."""
        self.n_actions += 1
        self.seconds += KEY_S

    def click(self) -> None:
        """Point at something and click it."""
        self.n_actions += 1
        self.seconds += POINT_S

    def join(self, place: int, *, is_last: bool = False, is_whole: bool = False) -> None:
        """Press a candidate's number, or click it; with Shift to be done with its row.

        Args:
            place: Place of the candidate in its row, from 0.
            is_last: Whether all up to it join, which is the end of the row.
            is_whole: Whether it is the last one of the row: a whole row has a key of its own.
        """
        self.press() if place < N_KEYS or is_whole else self.click()
        self.seconds += KEY_S * is_last  # Shift is a key more, but one act with the other
