"""The door to the oracle, which labels from ground truth where there is some."""

from collections.abc import Callable

from app.services.index import suggestion_index
from app.services.labels import read_annotations
from app.services.workspace import open_workspace, run_images
from pul.labelling import annotations
from pul.labelling.annotations import Act, Annotations
from pul.labelling.oracle import Oracle, OracleReport

ORACLE = "oracle"  # who the log says it was


def has_truth(location: str, run_id: int) -> bool:
    """Whether the training images of a run came with identities."""
    return bool((run_images(location, run_id).pids > 0).any())


def label_by_oracle(
    location: str,
    run_id: int,
    iteration: int,
    limit: int,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> OracleReport:
    """Label until there are `limit` identities, by the acts that a person would do.

    Args:
        location: The workspace.
        run_id: The run.
        iteration: The iteration that cards are made from.
        limit: Identities to reach, L; those that are there count.
        on_progress: Called with identities made and identities to make.

    Returns:
        What it labelled, and what that would have cost a person.
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


def take_back(location: str) -> int:
    """Take back all that the oracle said, and return how many acts that were."""
    state = read_annotations(location)
    acts = [event for event in state.events if event.author == ORACLE and event.kind != "undo"]
    acts = [event for event in acts if event.event_id not in state.undone]
    for event in reversed(acts):
        _store(location, annotations.undo(event.event_id))
    return len(acts)


def n_acts(location: str) -> int:
    """Return how many acts of the oracle count."""
    state = read_annotations(location)
    kept = (event for event in state.events if event.event_id not in state.undone)
    return sum(event.author == ORACLE and event.kind != "undo" for event in kept)


def _store(location: str, act: Act) -> Annotations:
    open_workspace(location).append_annotation_event(act.kind, act.payload, ORACLE)
    return read_annotations(location)
