"""The figures of a load test: acts reported and stored, waits, growth."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pul.labelling.annotations import Event

NOT_STORED = ("skip", "unskip")  # acts that are not stored
STORED_KINDS = ("create", "add", "unsure", "junk")  # acts whose kind in the store is the page's


@dataclass
class ReportedAct:
    """One act as a page reported it.

    Attributes:
        kind: Its kind on the page.
        author: Annotator of that page.
        images: Its images.
        is_acknowledged: Whether the page showed it as saved.
        refusal: Why it was not stored; "" if it was not refused.
    """

    kind: str
    author: str
    images: tuple[int, ...] = ()
    is_acknowledged: bool = False
    refusal: str = ""


@dataclass(frozen=True)
class Verdict:
    """Comparison of reported and stored acts; each list is empty if all is well.

    Attributes:
        n_acknowledged: Acts that pages showed as saved and that must be stored.
        n_stored: Acts in the store.
        lost: Acknowledged, but not stored.
        doubled: Stored twice, under one token or two.
        altered: Stored with another author, kind or images, or although reported as refused.
        strange: Stored, but reported by no page.
        unanswered: Never acknowledged.
        refused: Told as refused, and not stored: not a fault, but worth checking.
    """

    n_acknowledged: int
    n_stored: int
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def faults(self) -> dict[str, list[str]]:
        """The lists of faults that are not empty, by name."""
        names = ("lost", "doubled", "altered", "strange", "unanswered")
        return {name: found for name in names if (found := getattr(self, name))}


def compare(reported: Mapping[str, ReportedAct], stored: Sequence[Event]) -> Verdict:
    """Compare acts as pages reported them, by token, with the stored ones."""
    events: dict[str, list[Event]] = {}
    for event in stored:
        events.setdefault(str(event.payload.get("token")), []).append(event)
    acts = {token: act for token, act in reported.items() if act.kind not in NOT_STORED}
    taken = {token: act for token, act in acts.items() if act.is_acknowledged and not act.refusal}
    return Verdict(
        n_acknowledged=len(taken),
        n_stored=len(stored),
        lost=[_name(token, act) for token, act in taken.items() if token not in events],
        doubled=[*_twice(events), *_again(stored)],
        altered=[
            _name(token, act)
            for token, act in acts.items()
            if any(_differs(act, event) for event in events.get(token, ()))
        ],
        strange=[token for token in events if token not in acts],
        unanswered=[_name(token, act) for token, act in acts.items() if not act.is_acknowledged],
        refused=[
            f"{_name(token, act)}: {act.refusal}"
            for token, act in acts.items()
            if act.refusal and token not in events
        ],
    )


def _name(token: str, act: ReportedAct) -> str:
    return f"{act.kind} of {len(act.images)} images by {act.author} ({token})"


def _twice(events: Mapping[str, Sequence[Event]]) -> Iterator[str]:
    return (f"{token}: {len(same)} times" for token, same in events.items() if len(same) > 1)


def _again(stored: Iterable[Event]) -> list[str]:
    """Return identities created twice: the browser sent one key press under two tokens."""
    made = Counter(
        (event.author, tuple(event.payload["images"]))
        for event in {str(event.payload.get("token")): event for event in stored}.values()
        if event.kind == "create"
    )
    return [
        f"{len(images)} images, {n} times by {who}" for (who, images), n in made.items() if n > 1
    ]


def _differs(act: ReportedAct, event: Event) -> bool:
    if act.refusal or act.author != event.author:
        return True
    if act.kind not in STORED_KINDS:
        return False
    return (event.kind, sorted(event.payload["images"])) != (act.kind, sorted(act.images))


@dataclass(frozen=True)
class Spread:
    """How long one kind of act took, in seconds: how often, median, 95th percentile, worst."""

    n: int
    median: float
    p95: float
    worst: float


def spread(seconds: Sequence[float]) -> Spread:
    """Summarise the waits of one kind of action.

    Raises:
        ValueError: There is none.
    """
    if not seconds:
        raise ValueError("There are no waits to summarise.")
    median, late = np.percentile(seconds, (50, 95)).tolist()
    return Spread(len(seconds), median, late, max(seconds))


@dataclass(frozen=True)
class Growth:
    """A level after the warm-up and at the end, each a median over up to a minute."""

    first: float
    last: float

    @property
    def percent(self) -> float:
        """Growth in percent of the first."""
        return 100.0 * (self.last / self.first - 1.0)


def growth(samples: Sequence[tuple[float, float]], warm_up_s: float) -> Growth:
    """Return how a level grew from the minute after the warm-up to the last minute.

    Args:
        samples: Second and level, the seconds ascending.
        warm_up_s: When the warm-up is over. If less than two minutes follow, their two halves
            are compared.

    Raises:
        ValueError: There are not two samples after the warm-up.
    """
    warm = [(second, level) for second, level in samples if second >= warm_up_s]
    if len(warm) < 2:
        raise ValueError(f"Nothing was measured after {warm_up_s:.0f} s; run it for longer.")
    begin, end = warm[0][0], warm[-1][0]
    window_s = min(60.0, (end - begin) / 2)
    first = [level for second, level in warm if second <= begin + window_s]
    last = [level for second, level in warm if second >= end - window_s]
    return Growth(float(np.median(first)), float(np.median(last)))
