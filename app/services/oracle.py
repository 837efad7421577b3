"""The oracle, which simulates labels from ground truth."""

from collections.abc import Callable

from app.services.index import suggestion_index
from app.services.labels import read_annotations
from app.services.workspace import open_workspace, run_images
from pul.labelling import annotations
from pul.labelling.annotations import Act, Annotations
from pul.labelling.oracle import Oracle, OracleReport

ORACLE = "oracle"  # author of its acts


def has_truth(location: str, run_id: int) -> bool:
    """Whether the training images of a run have ground truth."""
    return bool((run_images(location, run_id).pids > 0).any())


def label_by_oracle(
    location: str,
    run_id: int,
    iteration: int,
    limit: int,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> OracleReport:
    """Label until there are `limit` identities, with the acts of a person.

    Args:
        location: The workspace.
        run_id: The run.
        iteration: The iteration that cards are made from.
        limit: Identities to reach, L, existing ones included.
        on_progress: Called with (identities made, identities to make).

    Returns:
        What it labelled, and the time that a person would need.
    """
    table = run_images(location, run_id)
    truth = {
        image: pid
        for image, pid in zip(table.image_ids.tolist(), table.pids.tolist(), strict=True)
        if pid > 0
    }
    index, state = suggestion_index(location, run_id, iteration), read_annotations(location)
    oracle = Oracle(index, truth, lambda act: _store(location, act), state)
    return oracle.label(max(0, limit - len(state.identities)), on_progress=on_progress)


def undo_all(location: str) -> int:
    """Undo all acts of the oracle, and return their number."""
    state = read_annotations(location)
    acts = [event for event in state.events if event.author == ORACLE and event.kind != "undo"]
    acts = [event for event in acts if event.event_id not in state.undone]
    for event in reversed(acts):
        _store(location, annotations.undo(event.event_id))
    return len(acts)


def n_acts(location: str) -> int:
    """Return the number of the oracle's acts that are not undone."""
    state = read_annotations(location)
    active = (event for event in state.events if event.event_id not in state.undone)
    return sum(event.author == ORACLE and event.kind != "undo" for event in active)


def _store(location: str, act: Act) -> Annotations:
    open_workspace(location).append_annotation_event(act.kind, act.payload, ORACLE)
    return read_annotations(location)
