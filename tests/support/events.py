"""Acts of labelling as a store keeps them, for a fold."""

from dataclasses import dataclass
from typing import Any

from pul.labelling.annotations import Act, Annotations, fold


@dataclass(frozen=True)
class Stored:
    event_id: int
    author: str
    kind: str
    payload: dict[str, Any]


def log(*acts: Act | tuple[str, Act]) -> list[Stored]:
    """Return acts as events 1, 2, ...; by ann, or by whoever comes with the act."""
    signed = [act if isinstance(act, tuple) else ("ann", act) for act in acts]
    return [
        Stored(number, author, act.kind, act.payload)
        for number, (author, act) in enumerate(signed, 1)
    ]


def members(state: Annotations) -> dict[int, tuple[int, ...]]:
    """Return the images of every identity."""
    return {known.identity: known.images for known in state.identities}


def said(*acts: Act) -> Annotations:
    """Return what is known after acts."""
    return fold(log(*acts))


class Log:
    """Keeps acts as a workspace would."""

    def __init__(self, author: str = "oracle") -> None:
        self.author = author
        self.state = Annotations()

    def __call__(self, act: Act) -> Annotations:
        event = Stored(len(self.state.events) + 1, self.author, act.kind, act.payload)
        self.state = fold([event], self.state)
        return self.state
