"""Whether a run makes its model worse, from what is stored of it."""

import numpy as np

from pul.arrays import IntArray
from pul.evaluation.course import FEWEST_TO_SETTLE, Settling, course_of, settling_of
from pul.store.workspace import Workspace


def judge_settling(
    workspace: Workspace, run_id: int, iteration: int | None = None
) -> Settling | None:
    """Return whether the clusters of a run settle, which needs no known people.

    Args:
        workspace: Where the run is.
        run_id: The run.
        iteration: Its iteration to judge; None for the last.

    Returns:
        The agreement at first and at last; None before iteration 4.

    Raises:
        StoreError: There is no such run.
        ArtifactError: Clusters are missing or damaged.
    """
    last = workspace.run(run_id).n_iterations_done if iteration is None else iteration
    if last < FEWEST_TO_SETTLE:
        return None

    def clusters(at: int) -> IntArray:
        return np.asarray(workspace.arrays(run_id, at, "clusters")["clusters"])

    later = [clusters(at) for at in (last - 2, last - 1, last)]
    return settling_of([clusters(1), clusters(2)], later, last)


def tell_worse(workspace: Workspace, run_id: int) -> str:
    """Return a line that says that the model is, or may be, worse than the start model; or "".

    Raises:
        StoreError: There is no such run.
        ArtifactError: Clusters are missing or damaged.
    """
    course = course_of(workspace.iterations(run_id))
    if course is not None:
        where = "on the test set" if course.source == "test" else "on validation identities"
        if not course.is_worse:
            return ""
        return (
            f"worse than the start model: mAP {course.end:.1%} {where}, "
            f"{course.start:.1%} with the start model"
        )
    settling = judge_settling(workspace, run_id)
    if settling is None or not settling.is_falling:
        return ""
    return (
        "may be worse than the start model: clusters agree less from iteration to iteration "
        f"(adjusted Rand index {settling.last:.2f}, {settling.first:.2f} at first; no accuracy)"
    )
