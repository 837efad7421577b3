"""What acts changed, in numbers and in the names of their time. No Streamlit here."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.services.authors import shown_names
from app.services.cache import cached
from app.services.labels import read_annotations
from app.services.workspace import open_workspace
from app.wording import fit
from pul.labelling import annotations
from pul.labelling.annotations import Act, Annotations, Event
from pul.store.workspace import Workspace

_N_SHOWN = 50


def history(location: str, n: int = _N_SHOWN) -> list[dict[str, str]]:
    """Return the last acts as table rows, the newest first: when, who, what, undone.

    Each act is told as it was when it was done: by the names and numbers of then, not of now.
    """
    state = read_annotations(location)
    names = shown_names(location, (event.author for event in state.events))
    texts = _texts(open_workspace(location), len(state.events), n)
    return [
        {
            "when": event.created_at[:19].replace("T", " "),
            "who": names[event.author],
            "what": text,
            "": "undone" if event.event_id in state.undone else "",
        }
        for event, text in zip(reversed(state.events[-n:]), reversed(texts), strict=False)
    ]


@cached(maxsize=4)
def _texts(workspace: Workspace, n_events: int, n: int) -> list[str]:
    """Return what each of the last n of the first `n_events` acts did, in their order."""
    events = tuple(workspace.annotation_events())[:n_events]
    before = annotations.fold(events[:-n])
    texts = []
    for event in events[-n:]:
        after = annotations.fold([event], before)
        texts.append(_text(before, after, event))
        before = after
    return texts


def _text(before: Annotations, after: Annotations, event: Event) -> str:
    if event.kind == "lost":
        return "an act that was damaged"
    if event.kind not in ("undo", "redo"):
        return describe(before, after, event.kind, event.payload, event.event_id)
    return f"{event.kind}: {_describe_earlier(before.events, event.payload['event'])}"


def _describe_earlier(events: Sequence[Event], event_id: int) -> str:
    """Describe an earlier act as it was when it was done."""
    place = next((n for n, event in enumerate(events) if event.event_id == event_id), None)
    if place is None or events[place].kind == "lost":
        return "an act"
    act, before = events[place], annotations.fold(events[:place])
    return describe(before, annotations.fold([act], before), act.kind, act.payload, event_id)


def report(before: Annotations, after: Annotations, act: Act, event_id: int) -> str:
    """Return what an act did that has just been stored, as a sentence."""
    if act.kind in ("undo", "redo"):
        start = "Undone" if act.kind == "undo" else "Redone"
        return f"{start}: {_describe_earlier(before.events, act.payload['event'])}."
    return f"{describe(before, after, act.kind, act.payload, event_id)}."


def describe(
    before: Annotations,
    after: Annotations,
    kind: str,
    payload: Mapping[str, Any],
    event_id: int,
) -> str:
    """Return what an act did.

    Args:
        before: The annotations just before it.
        after: Those just after it.
        kind: Its kind; none of `undo`, `redo` and `lost`.
        payload: Its arguments.
        event_id: Its number.
    """
    images = _counted(payload.get("images", ()), "image")
    identity = int(payload.get("identity", event_id))
    name = after.name(after.find(identity))
    if kind == "merge":
        return _describe_merge(before, after, payload["identities"])
    if kind == "rename":
        was = before.name(before.find(identity))
        return f"{was} renamed to {name}" if name != was else f"{name} kept its name"
    return {
        "create": f"{name} made of {images}",
        "add": f"{images} added to {name}",
        "remove": f"{images} removed from {name}",
        "split": f"{images} split off from {name} as {after.name(event_id)}",
        "same": fit(f"{images} stored as the same person"),
        "not_same": fit("a pair stored as different people"),
        "undecided": "a pair stored as undecided",
        "second": f"a second opinion of {name}: {images}",
        "settle": "a second opinion "
        + ("taken" if payload.get("is_taken") else "not taken: the first stays"),
        "unsure": f"{images} marked as unsure",
        "junk": f"{images} marked as junk",
        "role": f"{name} {'held out for' if payload.get('role') == 'validation' else 'used for'} "
        f"{payload.get('role')}",
    }[kind]


def _describe_merge(before: Annotations, after: Annotations, merged: Sequence[int]) -> str:
    names = [before.name(before.find(int(identity))) for identity in merged]
    target, n_images = after.find(int(merged[0])), 0
    if any(known.identity == target for known in after.identities):
        n_images = len(after.identity(target).images)
    who = f"{_counted(merged, 'identity', 'identities')} merged into {after.name(target)}"
    others = ", ".join(names[1:4]) + (", …" if len(names) > 4 else "")
    return f"{who} (with {others}), now {_counted(range(n_images), 'image')}"


def _counted(things: Sequence[Any], one: str, many: str = "") -> str:
    return f"{len(things):,} {one if len(things) == 1 else many or one + 's'}"
