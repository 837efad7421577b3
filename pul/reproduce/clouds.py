"""Fig. 3: a few people in two iterations, with the reliable images of each, as plain numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pul.arrays import BoolArray, FloatArray, IntArray, l2_normalize
from pul.records import ExperimentRecord
from pul.reports.svg import Dots, draw_dots
from pul.reproduce.results import RowResult
from pul.store.workspace import Workspace

N_PEOPLE = 6  # more colours are hard to tell apart


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """2-D positions of images in one iteration.

    Attributes:
        iteration: The iteration.
        points: Positions, shape (M, 2).
        groups: Number of their colour, shape (M,), values in [0, `N_PEOPLE`).
        reliable: Whether they train in this iteration, shape (M,).
    """

    iteration: int
    points: FloatArray
    groups: IntArray
    reliable: BoolArray


def clouds_of(
    workspace: Workspace, record: ExperimentRecord, results: Sequence[RowResult]
) -> tuple[Cloud, ...]:
    """Return the same images in two iterations: 2 and 3 as in the paper, if they exist.

    The images are those of a few people where people are known, else of a few clusters of the
    later iteration: those with the most images. Features are projected on the two principal
    directions of the group means in the later iteration; both iterations share the projection.

    Args:
        workspace: Where the run is.
        record: The experiment; only `fig3` has clouds.
        results: Results of its rows so far.

    Returns:
        Two clouds; none before two iterations have trained.
    """
    (result, *_) = results
    if record.name != "fig3" or len(result.iterations) < 3 or result.row.run_id is None:
        return ()
    later = min(3, result.iterations[-1].iteration)
    run_id = result.row.run_id
    stored = {
        iteration: workspace.arrays(run_id, iteration, "features", "clusters", "reliable")
        for iteration in (later - 1, later)
    }
    pids = workspace.run_images(run_id, "train").pids
    of = pids if (pids > 0).any() else np.asarray(stored[later]["clusters"])
    images, groups = _largest(of, lowest=1 if of is pids else 0)
    axes = _axes(l2_normalize(stored[later]["features"][images]), groups)
    return tuple(
        Cloud(
            iteration=iteration,
            points=l2_normalize(arrays["features"][images]) @ axes,
            groups=groups,
            reliable=np.asarray(arrays["reliable"][images]),
        )
        for iteration, arrays in stored.items()
    )


def draw_clouds(clouds: Sequence[Cloud]) -> str:
    """Return Fig. 3 as the text of an SVG file: reliable images filled, the others hollow."""
    shown = [
        Dots(
            f"iteration {c.iteration}: {c.reliable.sum()} of {len(c.reliable)} reliable",
            c.points,
            c.groups,
            c.reliable,
        )
        for c in clouds
    ]
    return draw_dots("reliable images in two iterations", shown)


def _largest(of: IntArray, *, lowest: int) -> tuple[IntArray, IntArray]:
    """Return the images of the groups with the most images, and a number for each one's group."""
    names, counts = np.unique(of[of >= lowest], return_counts=True)
    chosen = np.sort(names[np.argsort(-counts, kind="stable")[:N_PEOPLE]])
    images = np.flatnonzero(np.isin(of, chosen))
    return images, np.searchsorted(chosen, of[images]).astype(np.int64)


def _axes(features: FloatArray, groups: IntArray) -> FloatArray:
    means = np.stack([features[groups == group].mean(axis=0) for group in np.unique(groups)])
    _, _, directions = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    axes = np.zeros((features.shape[1], 2), dtype=np.float32)
    axes[:, : min(2, len(directions))] = directions[:2].T
    return axes
