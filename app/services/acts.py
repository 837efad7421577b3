"""Acts from the browser: checked, stored once each, and told what they changed. No Streamlit here.

Acts come as plain values with a token each; a token is stored once, however often it is sent.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any
from uuid import uuid4

from app.services.authors import shown_names
from app.services.history import report
from app.services.labels import read_annotations
from app.services.workspace import missing_images, open_workspace
from pul.errors import ConfigError, PulError, StoreError
from pul.labelling import annotations
from pul.labelling.annotations import Act, Annotations, Side
from pul.labelling.log import append_decided
from pul.store.annotations import NewEvent

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
        is_news: Whether a person should read it, whatever the browser knows of its act already.
    """

    token: str
    kind: str
    text: str
    is_refused: bool
    is_news: bool = False


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
        text = report(before, after, act, number)
        taken = _taken_from_others(location, before, act, author)
        return Outcome(token, act.kind, f"{text}{taken}", False, is_news=bool(taken))
    except StoreError:
        raise
    except KeyError as error:
        return refusal(token, kind, f"the act lacks {error}.")
    except (PulError, TypeError, ValueError, OverflowError) as error:
        return refusal(token, kind, str(error))


def settle(location: str, author: str, event: int, *, is_taken: bool) -> Outcome:
    """Decide between two who answered a card, and return what changed.

    Args:
        location: The workspace.
        author: Who decides.
        event: The second opinion.
        is_taken: Whether it counts; else the first one does.

    Raises:
        StoreError: The store failed.
    """
    commit = {
        "token": f"settle-{event}-{uuid4().hex}",
        "kind": "settle",
        "event": event,
        "is_taken": is_taken,
    }
    return store(location, author, commit)


def _is_stored(state: Annotations, token: str) -> bool:
    return any(event.payload.get("token") == token for event in state.events)


def _taken_from_others(location: str, before: Annotations, act: Act, author: str) -> str:
    """Return which images of an act others put elsewhere meanwhile, as text; "" for none."""
    if act.kind not in ("create", "add", "unsure", "junk"):
        return ""
    own = before.find(act.payload["identity"]) if act.kind == "add" else 0
    others: dict[tuple[str, str], int] = {}
    for image in act.payload["images"]:
        for opinion in before.opinions.get(image, ()):
            identity = before.find(opinion.identity) if opinion.identity > 0 else 0
            if opinion.author != author and identity > 0 and identity != own:
                key = opinion.author, before.name(identity)
                others[key] = others.get(key, 0) + 1
    names = shown_names(location, (event.author for event in before.events)) if others else {}
    parts = (f"{n} of them in {name} by {names[who]}" for (who, name), n in others.items())
    return f" Put elsewhere by others meanwhile: {'; '.join(parts)}." if others else ""


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


def _create(state: Annotations, _author: str, commit: Mapping[str, Any]) -> Act:
    name = _name({"name": "", **commit})
    refused, shown = _refused(commit), _images({"shown": [], **commit}, "shown")
    act = annotations.create(_images(commit), refused=refused, shown=shown, name=name)
    return _with_free_name(state, act, own=0)


def _add(state: Annotations, _author: str, commit: Mapping[str, Any]) -> Act:
    identity = commit["identity"]
    if isinstance(identity, str):  # created by an act that was sent together with this one
        created = (event for event in state.events if event.payload.get("token") == identity)
        if (event := next(created, None)) is None:
            raise ConfigError("The person was not stored to whom images should be added.")
        identity = event.event_id
    known = _current_identity(state, identity)
    shown = _images({"shown": [], **commit}, "shown")
    return annotations.add(known, _images(commit), refused=_refused(commit), shown=shown)


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
    act = annotations.rename(_known(state, commit["identity"]), _name(commit))
    return _with_free_name(state, act, own=state.find(act.payload["identity"]))


def _name(commit: Mapping[str, Any]) -> str:
    name = commit["name"]
    if not isinstance(name, str):
        raise ConfigError("A name is text.")
    return name


def _with_free_name(state: Annotations, act: Act, own: int) -> Act:
    """Return an act unless it gives a name that somebody else has; case does not count."""
    wanted = act.payload["name"].casefold()
    for known in state.identities:
        if wanted and known.identity != own and known.name.casefold() == wanted:
            raise ConfigError(
                f"{known.name} is somebody else's name; merge the two, or choose another name."
            )
    return act


def _pair(state: Annotations, _author: str, commit: Mapping[str, Any]) -> Act:
    question, answer = commit["question"], commit["answer"]
    if not isinstance(question, Mapping) or answer not in ("same", "different", "unsure"):
        raise ConfigError("A pair needs a question, and an answer: same, different or unsure.")
    left, right = (_side(state, question[name]) for name in ("left", "right"))
    if answer == "unsure":
        return annotations.undecided(left, right)
    return annotations.answer_pair(state, left, right, is_same=answer == "same")


def _side(state: Annotations, plain: Mapping[str, Any]) -> Side:
    if not isinstance(plain, Mapping):
        raise ConfigError("A side of a pair is an identity, or a list of image numbers.")
    identity = plain.get("identity")
    if identity is not None:
        return Side(identity=_known(state, identity))
    return Side(images=tuple(_images(plain)))


def _second(state: Annotations, author: str, commit: Mapping[str, Any]) -> Act:
    """Return a second opinion; the identity is named by its card alone, as its author is blind."""
    number = str(commit["card"]).removeprefix("second-")
    event = next((e for e in state.events if str(e.event_id) == number), None)
    if event is None or event.kind != "create":
        raise ConfigError("The card was taken back meanwhile, so that no second opinion is needed.")
    if event.author == author:
        raise ConfigError("A second opinion comes from somebody else than the first.")
    return annotations.second(event.event_id, _images(commit), refused=_refused(commit))


def _settle(state: Annotations, _author: str, commit: Mapping[str, Any]) -> Act:
    if commit["event"] not in state.seconds:
        raise ConfigError("The second opinion was taken back meanwhile.")
    if commit["event"] in state.settled:
        raise ConfigError("Somebody has decided this meanwhile; reload the page.")
    return annotations.settle(commit["event"], is_taken=bool(commit["is_taken"]))


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
    "second": _second,
    "settle": _settle,
    "rename": _rename,
    "role": lambda state, _author, commit: annotations.set_role(
        _known(state, commit["identity"]), commit["role"]
    ),
    "undo": _undo,
    "redo": _redo,
}
