"""Labels: stores acts from the browser, folds them into annotations, describes what changed.

Acts come from the browser as plain values with a token each; a token is stored once, however
often it is sent. No Streamlit here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from threading import Lock
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

from app.services.authors import shown_names
from app.services.workspace import missing_images, open_workspace
from app.wording import fit
from pul.errors import ConfigError, PulError, StoreError
from pul.labelling import annotations
from pul.labelling.annotations import Act, Annotations, Side
from pul.labelling.log import append_decided
from pul.store.annotations import NewEvent
from pul.store.workspace import Workspace

GOAL = 50
_LOG_NAME = "annotation_log"
_LATE_EVENTS = 200  # how far back to read for events that another writer stored out of order
_MAX_COUNTED_S = 60.0
_MAX_STORED_S = 86_400.0
_MAX_CARD_CHARACTERS = 200  # of a card's name
_MAX_KIND_CHARACTERS = 40
_MAX_TEXT_CHARACTERS = 400  # of an answer
_TOKEN = re.compile(r"[\w.:-]{1,200}", re.ASCII)  # as in outbox.js


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one act of the browser.

    Attributes:
        token: The act's token.
        kind: The act's kind.
        text: What changed, or why nothing did.
        is_refused: Whether nothing was stored.
    """

    token: str
    kind: str
    text: str
    is_refused: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """Progress of the labelling.

    Attributes:
        n_identities: Identities so far, L.
        goal: Identities to reach.
        n_images: Images in them.
        next_number: Number that the next identity gets.
        seconds: Mean labelling time per identity; None before the first.
    """

    n_identities: int
    goal: int
    n_images: int
    next_number: int
    seconds: float | None


class _Log:
    """The annotations of one workspace, updated incrementally with new events."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._state = Annotations()
        self._version = ""

    def read(self, workspace: Workspace) -> Annotations:
        with self._lock:
            version = workspace.version()
            if version == self._version:
                return self._state
            events = self._state.events
            known = events[-min(len(events), _LATE_EVENTS)].event_id - 1 if events else 0
            new_events = workspace.annotation_events(after=known)
            self._state = annotations.fold(new_events, self._state)
            self._version = version
            return self._state


_logs: WeakKeyDictionary[Workspace, _Log] = WeakKeyDictionary()


def read_annotations(location: str) -> Annotations:
    """Return the annotations so far: identities, links, refused images."""
    workspace = open_workspace(location)
    return _logs.setdefault(workspace, _Log()).read(workspace)


def log_name(location: str) -> str:
    """Return the browsers' key for unsent acts; a recreated workspace has a new one."""
    workspace = open_workspace(location)
    name = workspace.get_setting(_LOG_NAME)
    return str(name or workspace.init_setting(_LOG_NAME, uuid4().hex))


def pace(state: Annotations) -> Pace:
    """Return the progress and the speed of the labelling."""
    seconds = [
        min(_MAX_COUNTED_S, float(event.payload.get("seconds", 0.0)))
        for event in state.events
        if event.event_id not in state.undone
    ]
    identities = state.identities
    n_made = sum(1 for event in state.events if _is_made_by_hand(state, event))
    return Pace(
        n_identities=len(identities),
        goal=GOAL if len(identities) <= GOAL else len(identities),
        n_images=sum(len(identity.images) for identity in identities),
        next_number=max(state.numbers.values(), default=0) + 1,
        seconds=sum(seconds) / n_made if n_made else None,
    )


def _is_made_by_hand(state: Annotations, event: annotations.Event) -> bool:
    is_made = event.kind == "create" and event.event_id not in state.undone
    return is_made and bool(event.payload.get("seconds"))


# Acts


def store(location: str, author: str, commit: Mapping[str, Any]) -> Outcome:
    """Store one act of the browser.

    Args:
        location: The workspace.
        author: Its author.
        commit: The act: its `token`, `kind` and arguments, whatever they are.

    Returns:
        The outcome. An invalid act is refused, not raised: later acts in the queue are still
        stored.

    Raises:
        StoreError: The store failed; the act must be sent again.
    """
    token, kind = str(commit["token"]), str(commit["kind"])
    try:
        known = read_annotations(location)
        if _is_stored(known, token):
            return Outcome(token, kind, "Already stored.", False)
        extra = _context(commit) | {"token": token}
        _check_images(location, _act(known, author, commit))
        decided: list[tuple[Annotations, Act]] = []

        def decide(now: Annotations) -> list[NewEvent]:
            """Settle what the act comes to, while nobody else stores anything."""
            if _is_stored(now, token):
                return []
            act = _act(now, author, commit)
            decided[:] = [(now, act)]
            return [NewEvent(act.kind, act.payload | extra, token)]

        numbers, after = append_decided(open_workspace(location), decide, known, author=author)
        if not numbers:
            return Outcome(token, kind, "Already stored.", False)
        (before, act), (number,) = decided[0], numbers
        return Outcome(token, act.kind, _report(before, after, act, number), False)
    except StoreError:
        raise
    except KeyError as error:
        return refusal(token, kind, f"the act lacks {error}.")
    except (PulError, TypeError, ValueError, OverflowError) as error:
        return refusal(token, kind, str(error))


def _is_stored(state: Annotations, token: str) -> bool:
    return any(event.payload.get("token") == token for event in state.events)


def refusal(token: str, kind: str, why: str) -> Outcome:
    """Return the outcome of an act that cannot be stored; the browser's own words are cut."""
    return Outcome(token, kind[:_MAX_KIND_CHARACTERS], f"Not stored: {_shortened(why)}", True)


def is_token(value: object) -> bool:
    """Whether a value may be the token of an act, as our pages make them."""
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_TEXT_CHARACTERS else f"{text[:_MAX_TEXT_CHARACTERS]} …"


def _context(commit: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is stored with an act: its duration, and its card."""
    context: dict[str, Any] = {}
    if "seconds" in commit:
        seconds = float(commit["seconds"])
        context["seconds"] = min(max(0.0, seconds), _MAX_STORED_S) if isfinite(seconds) else 0.0
    if "card" in commit:
        context["card"] = annotations.check_name(str(commit["card"])[:_MAX_CARD_CHARACTERS])
    return context


def _act(state: Annotations, author: str, commit: Mapping[str, Any]) -> Act:
    kind = str(commit["kind"])
    if kind not in _ACTS:
        raise ConfigError(f"There is no act {kind[:40]!r}; use one of {', '.join(_ACTS)}.")
    return _ACTS[kind](state, author, commit)


def _check_images(location: str, act: Act) -> None:
    missing = missing_images(location, annotations.named_images(act))
    if missing:
        shown = ", ".join(map(str, missing[:3])) + (", …" if len(missing) > 3 else "")
        raise ConfigError(f"This workspace has no image {shown}; reload the page.")


def _images(commit: Mapping[str, Any], name: str = "images") -> list[int]:
    """Return a list of images of an act; text and mappings can be gone through, but are none."""
    images = commit[name]
    if not isinstance(images, list):
        raise ConfigError(f"{name!r} must be a list of image numbers.")
    return images


def _refused(commit: Mapping[str, Any]) -> list[int]:
    rejected = commit.get("rejected", [])
    if not isinstance(rejected, list) or not all(isinstance(group, list) for group in rejected):
        raise ConfigError("'rejected' must be a list of lists of image numbers.")
    dropped = _images({"dropped": [], **commit}, "dropped")
    return [*dropped, *(image for group in rejected for image in group)]


def _create(_state: Annotations, _author: str, commit: Mapping[str, Any]) -> Act:
    name = commit.get("name", "")
    if not isinstance(name, str):
        raise ConfigError("A name is text.")
    return annotations.create(_images(commit), refused=_refused(commit), name=name)


def _add(state: Annotations, _author: str, commit: Mapping[str, Any]) -> Act:
    identity = commit["identity"]
    if isinstance(identity, str):  # created by an act that was sent together with this one
        created = (event for event in state.events if event.payload.get("token") == identity)
        if (event := next(created, None)) is None:
            raise ConfigError("The person was not stored to whom images should be added.")
        identity = event.event_id
    known = _current_identity(state, identity)
    return annotations.add(known, _images(commit), refused=_refused(commit))


def _current_identity(state: Annotations, identity: int) -> int:
    """Return the current number of an identity, also if others have taken all its images.

    Raises:
        DataError: It was never created, or was undone.
    """
    known = state.find(annotations.to_number(identity))
    is_made = known in state.numbers and known not in state.undone
    return known if is_made else state.identity(known).identity


def _known(state: Annotations, identity: int) -> int:
    """Return the number of an identity as it was given, if there is such an identity."""
    _current_identity(state, identity)
    return identity


def _merge(state: Annotations, _author: str, commit: Mapping[str, Any]) -> Act:
    return annotations.merge([_known(state, known) for known in _images(commit, "identities")])


def _rename(state: Annotations, _author: str, commit: Mapping[str, Any]) -> Act:
    name = commit["name"]
    if not isinstance(name, str):
        raise ConfigError("A name is text.")
    return annotations.rename(_known(state, commit["identity"]), name)


def _pair(state: Annotations, _author: str, commit: Mapping[str, Any]) -> Act:
    question, answer = commit["question"], commit["answer"]
    if not isinstance(question, Mapping) or answer not in ("same", "different", "unsure"):
        raise ConfigError("A pair needs a question, and an answer: same, different or unsure.")
    left, right = (_side(state, question[name]) for name in ("left", "right"))
    if answer == "same":
        return _same(left, right)
    return (annotations.not_same if answer == "different" else annotations.undecided)(left, right)


def _same(left: Side, right: Side) -> Act:
    if left.identity is not None and right.identity is not None:
        return annotations.merge([left.identity, right.identity])
    if left.identity is not None:
        return annotations.add(left.identity, right.images)
    if right.identity is not None:
        return annotations.add(right.identity, left.images)
    return annotations.same([*left.images, *right.images])


def _side(state: Annotations, plain: Mapping[str, Any]) -> Side:
    if not isinstance(plain, Mapping):
        raise ConfigError("A side of a pair is an identity, or a list of image numbers.")
    identity = plain.get("identity")
    if identity is not None:
        return Side(identity=_known(state, identity))
    return Side(images=tuple(_images(plain)))


def _undo(state: Annotations, author: str, _commit: Mapping[str, Any]) -> Act:
    event = state.undoable(author)
    if event is None:
        raise ConfigError("There is nothing of yours to undo.")
    return annotations.undo(event)


def _redo(state: Annotations, author: str, _commit: Mapping[str, Any]) -> Act:
    event = state.redoable(author)
    if event is None:
        raise ConfigError("There is nothing of yours to redo.")
    return annotations.redo(event)


_ACTS: dict[str, Callable[[Annotations, str, Mapping[str, Any]], Act]] = {
    "create": _create,
    "add": _add,
    "unsure": lambda _state, _author, commit: annotations.unsure(_images(commit)),
    "junk": lambda _state, _author, commit: annotations.junk(_images(commit)),
    "pair": _pair,
    "merge": _merge,
    "split": lambda state, _author, commit: annotations.split(
        _known(state, commit["identity"]), _images(commit)
    ),
    "remove": lambda state, _author, commit: annotations.remove(
        _known(state, commit["identity"]), _images(commit)
    ),
    "rename": _rename,
    "role": lambda state, _author, commit: annotations.set_role(
        _known(state, commit["identity"]), commit["role"]
    ),
    "undo": _undo,
    "redo": _redo,
}


# What an act changed, in numbers


def history(location: str, n: int = 50) -> list[dict[str, str]]:
    """Return the last acts as table rows, the newest first: when, who, what, undone."""
    state = read_annotations(location)
    names = shown_names(location, (event.author for event in state.events))
    return [
        {
            "when": event.created_at[:19].replace("T", " "),
            "who": names[event.author],
            "what": _describe_event(state, event),
            "": "undone" if event.event_id in state.undone else "",
        }
        for event in reversed(state.events[-n:])
    ]


def _describe_event(state: Annotations, event: annotations.Event) -> str:
    """Describe an act by the current annotations; an undo by the act that it undid."""
    if event.kind not in ("undo", "redo"):
        return _describe(state, event.kind, event.payload, event.event_id)
    act = next((e for e in state.events if e.event_id == event.payload["event"]), None)
    what = _describe(state, act.kind, act.payload, act.event_id) if act else "an act"
    return f"{event.kind}: {what}"


def _report(before: Annotations, after: Annotations, act: Act, event_id: int) -> str:
    if act.kind in ("undo", "redo"):
        event = next(e for e in after.events if e.event_id == act.payload["event"])
        known = before if act.kind == "undo" else after
        start = "Undone" if act.kind == "undo" else "Redone"
        return f"{start}: {_describe(known, event.kind, event.payload, event.event_id)}."
    return f"{_describe(after, act.kind, act.payload, event_id)}."


def _describe(state: Annotations, kind: str, payload: Mapping[str, Any], event_id: int) -> str:
    images = _counted(payload.get("images", ()), "image")
    name = state.name(state.find(int(payload.get("identity", event_id))))
    if kind == "merge":
        merged = payload["identities"]
        target = state.name(state.find(merged[0]))
        images = _counted(_images_of(state, merged[0]), "image")
        return f"{_counted(merged, 'identity', 'identities')} merged into {target}, {images}"
    return {
        "create": f"{name} made of {images}",
        "add": f"{images} added to {name}",
        "remove": f"{images} removed from {name}",
        "split": f"{images} split off from {name} as {state.name(event_id)}",
        "same": fit(f"{images} stored as the same person"),
        "not_same": fit("a pair stored as different people"),
        "undecided": "a pair stored as undecided",
        "unsure": f"{images} marked as unsure",
        "junk": f"{images} marked as junk",
        "rename": f"{name} renamed",
        "role": f"{name} used for {payload.get('role')}",
    }[kind]


def _images_of(state: Annotations, identity: int) -> tuple[int, ...]:
    current = state.find(int(identity))
    return next((known.images for known in state.identities if known.identity == current), ())


def _counted(things: Sequence[Any], one: str, many: str = "") -> str:
    return f"{len(things):,} {one if len(things) == 1 else many or one + 's'}"
