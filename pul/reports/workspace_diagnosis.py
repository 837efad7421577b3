"""The diagnosis of a workspace's images and of a run's iterations."""

from collections.abc import Sequence

import numpy as np

from pul.arrays import FloatArray, IntArray
from pul.errors import StoreError
from pul.evaluation.course import course_of
from pul.jobs.course import judge_settling
from pul.labelling.annotations import Annotations, to_rows
from pul.labelling.log import read_annotations
from pul.records import ImageTable, IterationRecord
from pul.reports.diagnosis import (
    Finding,
    IterationView,
    diagnose_course,
    diagnose_images,
    diagnose_iteration,
)
from pul.store.upkeep import FEATURES
from pul.store.workspace import Workspace

N_SAMPLED = 400  # images whose features are checked


def examine_images(workspace: Workspace) -> tuple[Finding, ...]:
    """Diagnose the images of a workspace.

    Raises:
        StoreError: It cannot be read.
    """
    return diagnose_images(workspace.images(), workspace.nearly_one_colour().paths)


def examine_iteration(
    workspace: Workspace,
    run_id: int,
    iteration: int,
    *,
    images: ImageTable | None = None,
    annotations: Annotations | None = None,
) -> tuple[Finding, ...]:
    """Diagnose a finished iteration of a run.

    Args:
        workspace: Where the run is.
        run_id: The run.
        iteration: One of its finished iterations.
        images: Its training images, if already loaded; read otherwise.
        annotations: The annotations, if already loaded; read otherwise.

    Raises:
        StoreError: There is no such run or iteration, or its images are gone.
        ArtifactError: An array is missing or damaged.
    """
    arrays = workspace.arrays(run_id, iteration, "clusters", "centers", "similarities")
    records = [r for r in workspace.iterations(run_id) if r.iteration <= iteration]
    record = records[-1]
    if images is None:
        images = workspace.run_images(run_id, "train")
    n_images = len(arrays["clusters"])
    if len(images) != n_images:
        raise StoreError(
            f"Iteration {iteration} of run {run_id} has {n_images} images, but the workspace holds "
            f"{len(images)}; restore a backup of its database."
        )
    sampled = np.unique(np.linspace(0, n_images - 1, min(N_SAMPLED, n_images)).astype(np.int64))
    features = _features(workspace, run_id, iteration, sampled)
    before = _features(workspace, run_id, iteration - 1, sampled) if iteration > 1 else None
    state = read_annotations(workspace) if annotations is None else annotations
    owners = to_rows(state.owners, images.image_ids)
    identities = np.zeros(n_images, dtype=np.int64)
    identities[list(owners)] = list(owners.values())
    view = IterationView(
        iteration=iteration,
        lambda_=record.lambda_,
        clusters=np.asarray(arrays["clusters"]),
        centers=np.asarray(arrays["centers"]),
        similarities=np.asarray(arrays["similarities"]),
        camids=images.camids,
        identities=identities,
        features=np.empty((0, 1), dtype=np.float32) if features is None else features,
        previous=before,
    )
    return (*diagnose_iteration(view), *_examine_course(workspace, run_id, records))


def _features(
    workspace: Workspace, run_id: int, iteration: int, rows: IntArray
) -> FloatArray | None:
    """Return some features of an iteration; None if they were removed to save room."""
    if FEATURES in workspace.pruned(run_id, iteration):
        return None
    features: FloatArray = workspace.arrays(run_id, iteration, "features")["features"][rows]
    return features


def _examine_course(
    workspace: Workspace, run_id: int, records: Sequence[IterationRecord]
) -> tuple[Finding, ...]:
    """Diagnose where a run has come to, after the last of some iterations."""
    course = course_of(records)
    last = records[-1].iteration
    settling = judge_settling(workspace, run_id, last) if course is None else None
    return diagnose_course(course, settling)
