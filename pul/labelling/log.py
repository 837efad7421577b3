"""The log of acts in a workspace: add to it, and read how things stand."""

from collections.abc import Callable, Iterable

from pul.labelling.annotations import Act, Annotations, fold
from pul.store.annotations import AnnotationEvent, NewEvent
from pul.store.workspace import Workspace


def append_act(
    workspace: Workspace, act: Act, state: Annotations, *, author: str, token: str = ""
) -> Annotations:
    """Store an act and return what is known then, the acts of others since the state included.

    Args:
        workspace: Where to store it.
        act: What was done.
        state: What was known.
        author: Who did it.
        token: Names the act, so that sending it again stores it once; "" for none.

    Raises:
        StoreError: The database refuses; then the act is not stored.
    """
    workspace.append_annotation_event(act.kind, act.payload, author, token=token)
    return read_annotations(workspace, state)


def append_decided(
    workspace: Workspace,
    decide: Callable[[Annotations], Iterable[NewEvent]],
    state: Annotations,
    *,
    author: str,
) -> tuple[list[int], Annotations]:
    """Store acts that depend on what is known: all or none, and nobody's in between.

    Args:
        workspace: Where to store them.
        decide: Given what is known now, it returns what to store. The database waits for it.
        state: What was known.
        author: Who did it.

    Returns:
        The numbers of the events, and what is known then.

    Raises:
        StoreError: The database refuses.
    """

    def go_on(events: list[AnnotationEvent]) -> Iterable[NewEvent]:
        return decide(fold(events, state))

    last = state.events[-1].event_id if state.events else 0
    numbers = workspace.append_annotation_events(go_on, author, after=last)
    return numbers, read_annotations(workspace, state)


def read_annotations(
    workspace: Workspace, state: Annotations | None = None, *, until: int | None = None
) -> Annotations:
    """Return what is known by now, given what was known before.

    Args:
        workspace: Where the acts are.
        state: What was known.
        until: The last act that counts; None for the newest.
    """
    last = state.events[-1].event_id if state and state.events else 0
    events = workspace.annotation_events(after=last)
    return fold([e for e in events if until is None or e.event_id <= until], state)
