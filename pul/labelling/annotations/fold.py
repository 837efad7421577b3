"""The fold of the log into identities and links: pure, deterministic, quick to continue."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pul.errors import DataError
from pul.labelling.annotations.acts import KINDS, ROLES, Side
from pul.labelling.annotations.state import (
    JUNK,
    UNSURE,
    Annotations,
    Event,
    Opinion,
    Pair,
    Refusal,
    SecondOpinion,
)


def fold(events: Iterable[Event], state: Annotations | None = None) -> Annotations:
    """Return what events come to, from nothing or from an earlier state.

    Args:
        events: Events in any order; those that the state has already are skipped.
        state: What `fold` returned for the events before; it is not changed.

    Returns:
        The same state whether folded at once or bit by bit.

    Raises:
        DataError: An event is damaged, or of a kind that this version does not know.
    """
    state = state or Annotations()
    known = {event.event_id for event in state.events}
    fresh = sorted((e for e in events if e.event_id not in known), key=lambda e: e.event_id)
    if not fresh:
        return state
    late = state.events and fresh[0].event_id < state.events[-1].event_id
    if late or any(event.kind in ("undo", "redo") for event in fresh):
        # What an act does depends on those before it: undoing one means folding all again.
        fresh = sorted((*state.events, *fresh), key=lambda event: event.event_id)
        state = Annotations()
    return _continue(state, fresh)


def _continue(state: Annotations, fresh: list[Event]) -> Annotations:
    undone = set(state.undone)
    for event in fresh:
        if event.kind in ("undo", "redo"):
            taken_back = _number(event)
            if event.kind == "redo":
                undone.discard(taken_back)
            elif taken_back < event.event_id:
                undone.add(taken_back)
    draft = Annotations(
        (*state.events, *fresh),
        frozenset(undone),
        dict(state.opinions),
        list(state.refusals),
        list(state.shown),
        dict(state.merged),
        dict(state.names),
        dict(state.roles),
        dict(state.numbers),
        list(state.links),
        list(state.cannot_links),
        list(state.undecided),
        dict(state.confirmed),
        dict(state.seconds),
        set(state.settled),
    )
    for event in fresh:
        apply = _APPLY.get(event.kind)
        if apply is None:
            raise DataError(
                f"Event {event.event_id} is of kind {event.kind!r}, which this version does not "
                f"know; it knows {', '.join(sorted(_APPLY))}. Update the program."
            )
        if _makes_identity(event):  # also where it is taken back: names stay put
            draft.numbers[event.event_id] = len(draft.numbers) + 1
        if event.event_id not in undone:
            _apply(draft, event, apply)
    return draft


def _makes_identity(event: Event) -> bool:
    """Whether an act made an identity, or may have: of a lost one its kind is all that is known."""
    if event.kind == "lost":
        was = event.payload.get("was")
        return was in ("create", "split") or was not in KINDS
    return event.kind in ("create", "split")


def _apply(draft: Annotations, event: Event, apply: Callable[[Annotations, Event], None]) -> None:
    try:
        apply(draft, event)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _is_damaged(event) from error


def _number(event: Event) -> int:
    number = event.payload.get("event") if isinstance(event.payload, dict) else None
    if not isinstance(number, int):
        raise _is_damaged(event)
    return number


def _is_damaged(event: Event) -> DataError:
    return DataError(
        f"Event {event.event_id} of the labels, {event.kind!r}, is damaged. "
        "`python -m pul doctor --repair` sets it aside; the other labels stay."
    )


def _create(state: Annotations, event: Event) -> None:
    payload = event.payload
    if payload.get("name"):
        state.names[event.event_id] = payload["name"]
    if payload.get("role") == ROLES[1]:
        state.roles[event.event_id] = ROLES[1]
    _say(state, event, event.event_id, payload["images"])
    _refuse(state, event, event.event_id, payload.get("refused", ()))
    _note_shown(state, event, event.event_id)


def _add(state: Annotations, event: Event) -> None:
    identity = state.find(event.payload["identity"])
    for image in event.payload["images"]:
        if any(state.find(o.identity) == identity for o in state.opinions.get(image, ())):
            state.confirmed[image] = identity
    _say(state, event, identity, event.payload["images"])
    _refuse(state, event, identity, event.payload.get("refused", ()))
    _note_shown(state, event, identity)


def _remove(state: Annotations, event: Event) -> None:
    identity = state.find(event.payload["identity"])
    _take_out(state, identity, event.payload["images"])
    _refuse(state, event, identity, event.payload["images"])


def _take_out(state: Annotations, identity: int, images: Iterable[int]) -> None:
    """Drop what anybody said of images about an identity."""
    for image in images:
        state.confirmed.pop(image, None)
        opinions = state.opinions.get(image, ())
        others = tuple(o for o in opinions if o.identity < 0 or state.find(o.identity) != identity)
        if others:
            state.opinions[image] = others
        else:
            state.opinions.pop(image, None)


def _merge(state: Annotations, event: Event) -> None:
    first, *others = map(state.find, event.payload["identities"])
    state.merged.update({other: first for other in others if other != first})


def _split(state: Annotations, event: Event) -> None:
    identity = state.find(event.payload["identity"])
    for image in event.payload["images"]:
        opinions = state.opinions.get(image) or (Opinion(0, event.author, identity),)
        state.opinions[image] = tuple(
            Opinion(event.event_id, opinion.author, event.event_id)
            if opinion.identity > 0 and state.find(opinion.identity) == identity
            else opinion
            for opinion in opinions
        )
    sides = Side(identity=identity), Side(identity=event.event_id)
    state.cannot_links.append(Pair(event.event_id, *sides))


def _same(state: Annotations, event: Event) -> None:
    state.links.append((event.event_id, tuple(event.payload["images"])))


def _not_same(state: Annotations, event: Event) -> None:
    pair = _pair(event)
    for one, other in ((pair.left, pair.right), (pair.right, pair.left)):
        if one.identity is not None and other.identity is None:
            _refuse(state, event, state.find(one.identity), other.images)
            return
    state.cannot_links.append(pair)


def _undecided(state: Annotations, event: Event) -> None:
    state.undecided.append(_pair(event))


def _unsure(state: Annotations, event: Event) -> None:
    _say(state, event, UNSURE, event.payload["images"])


def _junk(state: Annotations, event: Event) -> None:
    _say(state, event, JUNK, event.payload["images"])


def _rename(state: Annotations, event: Event) -> None:
    state.names[state.find(event.payload["identity"])] = event.payload["name"]


def _role(state: Annotations, event: Event) -> None:
    state.roles[state.find(event.payload["identity"])] = event.payload["role"]


def _second(state: Annotations, event: Event) -> None:
    payload = event.payload
    images, refused = tuple(payload["images"]), tuple(payload["refused"])
    said = SecondOpinion(event.event_id, event.author, payload["identity"], images, refused)
    state.seconds[event.event_id] = said


def _settle(state: Annotations, event: Event) -> None:
    """Take the images of the second opinion, and only those, among what its author saw."""
    said = state.seconds.get(event.payload["event"])
    if said is None:  # taken back
        return
    state.settled.add(said.event_id)
    if not event.payload["is_taken"]:
        return
    identity = state.find(said.identity)
    _take_out(state, identity, said.refused)
    _refuse(state, event, identity, said.refused)
    _say(state, event, identity, said.images)


def _nothing(state: Annotations, event: Event) -> None:
    """Undo and redo count before anything is applied; of a lost act nothing is known."""


_APPLY: dict[str, Callable[[Annotations, Event], None]] = {
    "create": _create,
    "add": _add,
    "remove": _remove,
    "merge": _merge,
    "split": _split,
    "same": _same,
    "not_same": _not_same,
    "undecided": _undecided,
    "unsure": _unsure,
    "junk": _junk,
    "rename": _rename,
    "role": _role,
    "second": _second,
    "settle": _settle,
    "undo": _nothing,
    "redo": _nothing,
    "lost": _nothing,
}


def _say(state: Annotations, event: Event, identity: int, images: Iterable[int]) -> None:
    """Replace what the author said of images; others keep theirs."""
    opinion = Opinion(event.event_id, event.author, identity)
    alone, opinions = (opinion,), state.opinions
    for image in images:
        before = opinions.get(image)
        if before is None or (len(before) == 1 and before[0].author == event.author):
            opinions[image] = alone
        else:
            opinions[image] = (*[o for o in before if o.author != event.author], opinion)


def _refuse(state: Annotations, event: Event, identity: int, images: Iterable[int]) -> None:
    if refused := tuple(images):
        state.refusals.append(Refusal(event.event_id, event.author, identity, refused))


def _note_shown(state: Annotations, event: Event, identity: int) -> None:
    if shown := tuple(event.payload.get("shown", ())):
        state.shown.append(Refusal(event.event_id, event.author, identity, shown))


def _pair(event: Event) -> Pair:
    return Pair(event.event_id, _to_side(event.payload["left"]), _to_side(event.payload["right"]))


def _to_side(plain: Mapping[str, Any]) -> Side:
    return Side(plain.get("identity"), tuple(plain.get("images", ())))
