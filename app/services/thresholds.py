"""The threshold between one person and unknown, measured on known people of an iteration."""

from dataclasses import dataclass

import numpy as np

from app.services.cache import cached
from app.services.map import identities_version
from app.services.retrieval import Place
from app.services.workspace import open_workspace, run_images
from pul.arrays import IntArray
from pul.errors import EvaluationError
from pul.evaluation.verification import Verification, compare_known_pairs
from pul.jobs.export import KeptThreshold, keep_threshold, kept_threshold
from pul.labelling.annotations import to_rows
from pul.labelling.log import read_annotations

__all__ = ["KeptThreshold"]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Pairs of known people.

    Attributes:
        pairs: Their cosines.
        source: Who is known, as text.
    """

    pairs: Verification
    source: str


def measure(location: str, place: Place) -> Measured | None:
    """Return the pairs that tell a threshold; None where too few people are known.

    Known are the validation identities if there are two, else all that are labelled, else the
    ground truth of the training images.

    Raises:
        StoreError: There is no such iteration.
    """
    return _measure(location, place, identities_version(location))


@cached(maxsize=8)
def _measure(location: str, place: Place, _version: int) -> Measured | None:
    workspace = open_workspace(location)
    table = run_images(location, place.run_id)
    state = read_annotations(workspace)
    held = _people(state.validation_mapping(), table.image_ids)
    everyone = _people(state.training_mapping() | state.validation_mapping(), table.image_ids)
    features = np.asarray(workspace.arrays(place.run_id, place.iteration, "features")["features"])
    for people, source in (
        (held, "validation identities"),
        (everyone, "labelled people, of whom this model may have learnt"),
        (table.pids, "people of the ground truth"),
    ):
        try:
            return Measured(compare_known_pairs(features, people, table.camids), source)
        except EvaluationError:
            continue
    return None


def _people(mapping: dict[int, int], image_ids: IntArray) -> IntArray:
    people = np.zeros(len(image_ids), dtype=np.int64)
    rows = to_rows(mapping, image_ids)
    people[list(rows)] = list(rows.values())
    return people


def keep(location: str, place: Place, measured: Measured, false_accept_rate: float) -> None:
    """Keep a threshold for an iteration's model: it is exported with it.

    Raises:
        StoreError: The database refuses.
    """
    pairs = measured.pairs
    threshold = pairs.threshold(false_accept_rate)
    kept = KeptThreshold(
        threshold=threshold,
        false_accept_rate=pairs.false_accept_rate(threshold),
        true_accept_rate=pairs.true_accept_rate(threshold),
        n_same=len(pairs.same),
        n_different=len(pairs.different),
        measured_on=f"{pairs.n_people} {measured.source}",
    )
    keep_threshold(open_workspace(location), place.run_id, place.iteration, kept)


def kept(location: str, place: Place) -> KeptThreshold | None:
    """Return the threshold that is kept for an iteration's model; None for none."""
    return kept_threshold(open_workspace(location), place.run_id, place.iteration)
