"""Checks of the data and of iterations: what was observed, why it matters, how to fix it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pul.algorithm.selection import threshold
from pul.arrays import FloatArray, IntArray, l2_normalize
from pul.config import suggest_n_clusters
from pul.data.file_names import printable
from pul.evaluation.course import Course, Settling
from pul.records import ImageTable

Severity = Literal["note", "warning"]

FEWEST_A_CLUSTER, MOST_A_CLUSTER = 4, 100  # images: the paper tries 10 to 52
ALL_RELIABLE, NONE_RELIABLE = 0.98, 0.01  # shares
SPLIT = 0.5  # share of a person's images in their main cluster
ONE_CAMERA, ABOVE_CHANCE = 0.5, 0.25  # shares of the clusters
COLLAPSED = 0.99  # mean cosine of two images; 0.3 to 0.9 is usual behind a ReLU
_N_NAMED = 5
_FEWEST_CLUSTERS, _FEWEST_IMAGES = 8, 4  # below them chance explains everything


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem.

    Attributes:
        code: Its name, for programs.
        severity: `note` (worth knowing) or `warning` (figures or training suffer).
        observed: What was observed, with its numbers.
        why: Why it matters.
        fix: What to do.
    """

    code: str
    severity: Severity
    observed: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True, eq=False)
class IterationView:
    """What an iteration stored. N images, K clusters, S of the images as a sample.

    Attributes:
        iteration: Its number.
        lambda_: λ that was used; None or 0 selects all.
        clusters: Cluster of each image, shape (N,).
        centers: Index of the center of each cluster, shape (K,).
        similarities: Cosine of each image to its center, shape (N,).
        camids: Camera of each image, shape (N,); -1 where it is not known.
        identities: Annotated identity of each image, shape (N,); 0 and below for none.
        features: Features of the sample, shape (S, D); none where they were removed to save room.
        previous: Features of the same images one iteration earlier, shape (S, D); None where the
            network is the same by design (iterations 0 and 1).
    """

    iteration: int
    lambda_: float | None
    clusters: IntArray
    centers: IntArray
    similarities: FloatArray
    camids: IntArray
    identities: IntArray
    features: FloatArray
    previous: FloatArray | None


def diagnose_images(
    images: ImageTable, nearly_one_colour: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """Find problems in a workspace's images that make figures or suggestions doubtful.

    Args:
        images: The images.
        nearly_one_colour: Paths of those that show nothing.
    """
    return (
        *_cameras(images.camids),
        *_unmatched(images),
        *_nearly_one_colour(nearly_one_colour),
    )


def _nearly_one_colour(paths: Sequence[str]) -> Iterator[Finding]:
    if paths:
        names = ", ".join(printable(path) for path in paths[:_N_NAMED])
        more = f" and {len(paths) - _N_NAMED:,} more" if len(paths) > _N_NAMED else ""
        yield Finding(
            "nearly_one_colour",
            "warning",
            f"{len(paths):,} images are nearly one colour: {names}{more}.",
            "They show nobody; the model groups them by their brightness.",
            "Look at them. If their files are right and only dark, stretch their grey values; else "
            "mark them as junk, or leave them out.",
        )


def diagnose_iteration(view: IterationView) -> tuple[Finding, ...]:
    """Find problems in an iteration's clusters, selection or features."""
    return (
        *_cluster_count(view),
        *_selection(view),
        *_split_identities(view),
        *_camera_clusters(view),
        *_collapse(view),
        *_unchanged_model(view),
    )


def diagnose_course(course: Course | None, settling: Settling | None) -> tuple[Finding, ...]:
    """Say so if a run makes its model worse: measured, or else a sign of it without known people.

    Args:
        course: Its mAP from the start model on; None where nothing is measured.
        settling: Whether its clusters settle; it counts only where nothing is measured.
    """
    if course is not None:
        return (_worse(course),) if course.is_worse else ()
    return (_unsettled(settling),) if settling is not None and settling.is_falling else ()


def _worse(course: Course) -> Finding:
    iteration, best = course.levels[-1][0], course.best
    where = "on the test set"
    if course.source == "validation":
        where = f"on {course.n_validation:,} validation identities"
    keep = (
        f"Keep iteration {best[0]}, which has {best[1]:.1%}"
        if best[0]
        else "Keep the start model, which no iteration has reached"
    )
    return Finding(
        "worse_than_start",
        "warning",
        f"mAP {where} is {course.end:.1%} after iteration {iteration}; the start model has "
        f"{course.start:.1%}.",
        "This run makes its model worse.",
        f"{keep}. Then try a higher λ, another K, a lower `finetune.learning_rate`, or label some "
        "people.",
    )


def _unsettled(settling: Settling) -> Finding:
    return Finding(
        "clusters_do_not_settle",
        "warning",
        f"The clusters of iteration {settling.iteration} agree with those before by at most "
        f"{settling.last:.2f} (adjusted Rand index); at first it was {settling.first:.2f}.",
        "Nobody is known to measure with, and this is no accuracy; but clusters that agree less "
        "and less are a sign that the run makes its model worse.",
        "Look at the clusters of the start model and of now, and hold out some labelled people "
        "for validation to measure. If they are worse, try a higher λ, another K, or a lower "
        "`finetune.learning_rate`.",
    )


def _cameras(camids: IntArray) -> Iterator[Finding]:
    if not len(camids):
        return
    known = np.unique(camids[camids >= 0])
    fix = "name files like 0001_c2s1_000151.jpg, or import a table with a column camid"
    if not len(known):
        yield Finding(
            "no_cameras",
            "warning",
            "No image has a camera number.",
            "Retrieval cannot be measured across cameras: a neighbouring frame counts as a match.",
            f"If the cameras are known, {fix}.",
        )
    elif len(known) == 1 and (camids >= 0).all():
        yield Finding(
            "one_camera",
            "warning",
            f"All {len(camids):,} images are of camera {known[0]}.",
            "Figures ignore images of a query's own camera: here that is all of them.",
            "Turn `evaluation.camera_aware` off (`--set evaluation.camera_aware=false`); if there "
            "are several cameras, " + fix + ".",
        )


def _unmatched(images: ImageTable) -> Iterator[Finding]:
    rows = list(zip(images.splits, images.pids.tolist(), images.camids.tolist(), strict=True))
    queries = [(pid, camid) for split, pid, camid in rows if split == "query" and pid > 0]
    seen_by: dict[int, set[int]] = {}
    for split, pid, camid in rows:
        if split == "gallery" and pid > 0:
            seen_by.setdefault(pid, set()).add(camid)
    n_absent = sum(pid not in seen_by for pid, _ in queries)
    n_own = sum(seen_by.get(pid) == {camid} and camid >= 0 for pid, camid in queries)
    if n_absent + n_own:
        yield Finding(
            "unmatched_queries",
            "warning",
            f"{n_absent + n_own:,} of {len(queries):,} queries have no true match: {n_absent:,} "
            f"show a person who is in no gallery image, {n_own:,} a person whom the gallery shows "
            "only on the query's own camera, which re-identification counts as junk.",
            "They count as 0 (`evaluation.unmatched` is `zero`) or not at all (`skip`).",
            "Add gallery images of these people from other cameras, or turn "
            "`evaluation.camera_aware` off if there is only one camera.",
        )


def _cluster_count(view: IterationView) -> Iterator[Finding]:
    n_images, n_clusters = len(view.clusters), len(view.centers)
    if n_images < 2:
        return
    if n_clusters < 2:
        yield _too_few_clusters(int((view.clusters >= 0).sum()), n_clusters, n_images)
        return
    if n_clusters == n_images:
        yield Finding(
            "no_pairs",
            "warning",
            f"Each of the {n_images:,} images is a cluster of its own.",
            "Nothing is learnt from: no two images are taken for the same person, and λ has no "
            "effect, as each image is a center.",
            f"Try {_other_k(n_images)}.",
        )
        return
    size = n_images / n_clusters
    is_plausible = FEWEST_A_CLUSTER <= size <= MOST_A_CLUSTER
    if is_plausible or n_images < FEWEST_A_CLUSTER or n_clusters == suggest_n_clusters(n_images):
        return
    many = size < FEWEST_A_CLUSTER
    yield Finding(
        "implausible_k",
        "warning",
        f"K is {n_clusters:,} for {n_images:,} images: {size:.1f} a cluster.",
        "Most people fall into several clusters." if many else "Clusters mix many people.",
        f"Try {_other_k(n_images)}, or Compare K on the Map.",
    )


def _other_k(n_images: int) -> str:
    """Return which K to try, for people."""
    n_clusters = suggest_n_clusters(n_images)
    per_person = ", which is 17 images a person" if n_clusters > 2 else ""
    return f"K near {n_clusters:,}{per_person}"


def _too_few_clusters(n_clustered: int, n_clusters: int, n_images: int) -> Finding:
    observed = (
        f"There is one cluster; {n_clustered:,} of {n_images:,} images are in it."
        if n_clusters
        else "No image is in a cluster: all are outliers."
    )
    return Finding(
        "one_cluster" if n_clusters else "no_cluster",
        "warning",
        observed,
        "Nothing is learnt from: there are no two people to tell apart.",
        f"Try {_other_k(n_images)}; with DBSCAN, "
        f"try {'a lower' if n_clusters else 'a higher'} `dbscan.eps`.",
    )


def _selection(view: IterationView) -> Iterator[Finding]:
    n_images, n_clusters = len(view.clusters), len(view.centers)
    n_others = n_images - n_clusters
    if not view.lambda_ or n_others < 1:
        return
    reliable = threshold(view.similarities, view.centers, lambda_=view.lambda_)
    share = (int(reliable.sum()) - n_clusters) / n_others
    if share >= ALL_RELIABLE:
        yield Finding(
            "everything_reliable",
            "warning",
            f"{share:.1%} of the images other than centers are reliable at λ {view.lambda_:.2f}.",
            "Nothing is selected: images in a wrong cluster train as well.",
            "Raise λ on the Map until purity is high and most clusters are still kept.",
        )
    elif share <= NONE_RELIABLE:
        yield Finding(
            "nothing_reliable",
            "warning",
            f"{share:.1%} of the images other than centers are reliable at λ {view.lambda_:.2f}.",
            "There is almost nothing to train on: each class is one image.",
            "Lower λ on the Map until most clusters keep two images.",
        )


def _split_identities(view: IterationView) -> Iterator[Finding]:
    spread = []
    is_clustered = view.clusters >= 0
    people, n_images = np.unique(
        view.identities[is_clustered & (view.identities > 0)], return_counts=True
    )
    for person in people[n_images >= _FEWEST_IMAGES]:
        of_person = is_clustered & (view.identities == person)
        counts = np.unique(view.clusters[of_person], return_counts=True)[1]
        if counts.max() / counts.sum() < SPLIT:
            spread.append((float(counts.max() / counts.sum()), len(counts)))
    if spread:
        share, n_clusters = min(spread)
        yield Finding(
            "split_identity",
            "note",
            f"{len(spread):,} of {len(people):,} labelled people lie in several clusters; the "
            f"worst in {n_clusters}, with {share:.0%} of the images in the largest.",
            "K is too high for them, or the model separates poses and cameras instead of people.",
            "Train on the labels; if many people are split, preview a lower K on the Map.",
        )


def _camera_clusters(view: IterationView) -> Iterator[Finding]:
    """Compare the share of one-camera clusters with its expectation for random clusters."""
    known = (view.camids >= 0) & (view.clusters >= 0)
    clusters, camids = view.clusters[known], np.unique(view.camids[known], return_inverse=True)[1]
    if not len(clusters) or camids.max() == 0:
        return
    table = np.zeros((len(view.centers), int(camids.max()) + 1), dtype=np.int64)
    np.add.at(table, (clusters, camids), 1)
    table = table[table.sum(axis=1) >= _FEWEST_IMAGES]
    if len(table) < _FEWEST_CLUSTERS:
        return
    sizes = table.sum(axis=1)
    share = float((table.max(axis=1) == sizes).mean())
    shares = np.bincount(camids) / len(camids)
    chance = float((shares[None, :] ** sizes[:, None]).sum(axis=1).mean())
    if share >= ONE_CAMERA and share >= chance + ABOVE_CHANCE:
        yield Finding(
            "one_camera_clusters",
            "warning",
            f"{share:.0%} of the clusters are of one camera only; by chance: {chance:.0%}.",
            "The model may see the camera and its background, not the person: training on such "
            "clusters makes that worse.",
            "Label a few people across cameras, or start from a model that was trained on "
            "several cameras.",
        )


def _collapse(view: IterationView) -> Iterator[Finding]:
    unit = l2_normalize(view.features).astype(np.float64)
    n = len(unit)
    if n < 2:
        return
    total = float((unit.sum(axis=0) ** 2).sum())
    cosine = (total - float((unit**2).sum())) / (n * (n - 1))  # of two different images
    if cosine >= COLLAPSED:
        yield Finding(
            "collapsed_features",
            "warning",
            f"The mean cosine of two images is {cosine:.3f}.",
            "The model gives every image nearly the same feature: clusters mean nothing.",
            "Fork an earlier iteration with a lower learning rate, or start from another model.",
        )


def _unchanged_model(view: IterationView) -> Iterator[Finding]:
    if view.previous is None or not len(view.features):
        return
    largest = float(np.abs(view.previous).max())
    if float(np.abs(view.features - view.previous).max()) <= 1e-6 * max(largest, 1e-12):
        yield Finding(
            "unchanged_model",
            "warning",
            f"The features of iteration {view.iteration} equal those of the iteration before.",
            "The fine-tuning between them changed nothing.",
            "Raise `finetune.learning_rate` or `finetune.n_epochs`, or lower λ so that more "
            "images train.",
        )
