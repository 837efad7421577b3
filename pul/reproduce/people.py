"""Labelled people for the rows of Table IV with 25 and 50 IDs."""

import numpy as np

from pul.errors import DataError
from pul.labelling.annotations import Act, Annotations, fold
from pul.labelling.loading import load_index
from pul.labelling.oracle import Oracle
from pul.records import ImageTable
from pul.store.annotations import AnnotationEvent
from pul.store.workspace import Workspace


def first_people(images: ImageTable, n_identities: int) -> dict[int, int]:
    """Return labels of all images of the first people, as the authors did.

    Args:
        images: Training images.
        n_identities: L.

    Returns:
        Number of an image → pid, of the lowest L pids.

    Raises:
        DataError: There are fewer known people.

    References:
        Sec. IV-E; the authors' code takes the first L folders.
    """
    known = np.unique(images.pids[images.pids > 0])
    if len(known) < n_identities:
        raise DataError(
            f"{n_identities} people are needed, but only {len(known)} are known; use a "
            "dataset with more."
        )
    chosen = np.isin(images.pids, known[:n_identities])
    pairs = zip(images.image_ids[chosen].tolist(), images.pids[chosen].tolist(), strict=True)
    return dict(pairs)


def queue_people(
    workspace: Workspace, run_id: int, n_identities: int, *, seed: int = 0
) -> dict[int, int]:
    """Return labels that an oracle makes in the order of the studio's queue.

    They are not stored: the annotations of the workspace do not change.

    Args:
        workspace: Where the run is; its training images need ground truth.
        run_id: The run whose iteration 0 is labelled on.
        n_identities: L.
        seed: Seed of the oracle.

    Returns:
        Number of an image → identity.

    Raises:
        DataError: The oracle finds fewer people.
    """
    images = workspace.run_images(run_id, "train")
    known = images.pids > 0
    pairs = zip(images.image_ids[known].tolist(), images.pids[known].tolist(), strict=True)
    state = fold([])

    def store(act: Act) -> Annotations:
        nonlocal state
        number = state.events[-1].event_id + 1 if state.events else 1
        state = fold([AnnotationEvent(number, "", "oracle", act.kind, act.payload)], state)
        return state

    oracle = Oracle(load_index(workspace, run_id, 0), dict(pairs), store, state, seed=seed)
    n_made = len(oracle.label(n_identities).identities)
    if n_made < n_identities:
        raise DataError(
            f"{n_identities} people are needed, but the oracle finds {n_made} clear ones; "
            "use the first people of the dataset: --ids first."
        )
    return state.training_mapping()
