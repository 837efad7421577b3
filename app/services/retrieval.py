"""Retrieval: queries and their ranked lists."""

import base64
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Semaphore
from typing import Literal

import numpy as np

from app.services.cache import cached
from app.services.sides import compared, image_sides
from app.services.workspace import (
    ROOT,
    database_number,
    image_path,
    open_workspace,
    run_images,
)
from pul.arrays import BoolArray, FloatArray, IntArray
from pul.errors import ImageError
from pul.evaluation.ranked_lists import Mark, mark_found, most_similar
from pul.records import ImageTable, IterationRankings

Order = Literal["in order", "worst first", "best first", "most gained", "most lost"]

MAX_PICTURE_BYTES = 10 * 2**20
N_LIST = 100  # of a query; as many as an iteration stores
_TIMEOUT_S = 120
_AT_ONCE = Semaphore(2)  # processes that read pictures: each loads a network


@dataclass(frozen=True, slots=True)
class Place:
    """An iteration to search with.

    Attributes:
        run_id: The run.
        iteration: One of its finished iterations.
    """

    run_id: int
    iteration: int


@dataclass(frozen=True, slots=True)
class Found:
    """One image that was found.

    Attributes:
        image_id: Its id in the store.
        camera: Its camera; None if unknown.
        similarity: Cosine to the query.
        mark: Match or mismatch; None if unknown.
    """

    image_id: int
    camera: int | None
    similarity: float
    mark: Mark | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An uploaded picture, decoded by `pul`.

    Attributes:
        feature: Its feature, shape (D,).
        url: A small version of it, as a data URL.
    """

    feature: FloatArray
    url: str


def queries(location: str, run_id: int) -> ImageTable:
    """Return the queries that a run is measured on."""
    return _test_images(location, database_number(location), run_id)[0]


def train_images(location: str, run_id: int) -> ImageTable:
    """Return the training images of a run."""
    return run_images(location, run_id)


def rankings(location: str, place: Place) -> IterationRankings | None:
    """Return the ranked lists of an iteration; None if it stored none.

    Raises:
        StoreError: There is no such iteration.
    """
    return _rankings(location, database_number(location), place)


def order_queries(location: str, places: Sequence[Place], order: Order) -> list[int]:
    """Return the rows of the queries, ordered by average precision.

    Args:
        location: The workspace.
        places: The iteration to order by and, for the last two orders, the one it is compared with.
        order: `most gained` and `most lost` compare the two; queries without AP come last.
    """
    stored = [rankings(location, place) for place in places]
    n_queries = len(queries(location, places[0].run_id))
    if order == "in order" or any(one is None for one in stored):
        return list(range(n_queries))
    levels = [np.asarray(one.average_precisions) for one in stored if one is not None]
    key = {
        "worst first": levels[0],
        "best first": -levels[0],
        "most gained": levels[-1] - levels[0],
        "most lost": levels[0] - levels[-1],
    }[order]
    return [int(row) for row in np.argsort(key, kind="stable")]  # NaN comes last


def average_precision(location: str, place: Place, image_id: int) -> float | None:
    """Return the AP of a query in an iteration; None if it is not counted."""
    stored, row = rankings(location, place), _row(queries(location, place.run_id), image_id)
    if stored is None or row is None or np.isnan(stored.average_precisions[row]):
        return None
    return float(stored.average_precisions[row])


def find(location: str, place: Place, image_id: int, *, n: int) -> list[Found]:
    """Return the ranked list of a query, with a mark for each image.

    Args:
        location: The workspace.
        place: The iteration.
        image_id: Id of the query.
        n: Maximum length; empty if the iteration stored no lists, or has no such query.

    Raises:
        StoreError: There is no such iteration.
    """
    stored = rankings(location, place)
    asked, gallery = _test_images(location, database_number(location), place.run_id)
    query = _row(asked, image_id)
    if stored is None or query is None:
        return []
    rows = np.asarray(stored.gallery[query][:n])
    marks = _marks(location, place, asked, query, gallery, rows)
    return _found(gallery, rows, stored.similarities[query], marks)


def _of_another_side(side: str, gallery: ImageTable, rows: IntArray) -> BoolArray:
    sides = [gallery.sides[row] for row in rows.tolist()]
    return np.array([bool(side and other and other != side) for other in sides], dtype=bool)


@dataclass(frozen=True, slots=True)
class TrueMatch:
    """One gallery image of a query's person that counts as a true match.

    Attributes:
        image_id: Its id in the store.
        camera: Its camera; None if unknown.
        rank: Its rank, from 1; None where it is beyond the stored list.
        similarity: Cosine to the query; None where it is beyond the stored list.
    """

    image_id: int
    camera: int | None
    rank: int | None
    similarity: float | None


def true_matches(location: str, place: Place, image_id: int) -> list[TrueMatch]:
    """Return where the true matches of a query are, the best ranked first.

    Args:
        location: The workspace.
        place: The iteration.
        image_id: Id of the query; empty if the iteration stored no lists, or has no such query.

    Raises:
        StoreError: There is no such iteration.
    """
    asked, gallery = _test_images(location, database_number(location), place.run_id)
    query = _row(asked, image_id)
    found = find(location, place, image_id, n=N_LIST)
    if query is None or not found:
        return []
    ranks: dict[int, tuple[int, float]] = {}
    for each in found:
        if each.mark in ("match", "wrong"):  # the others have no rank
            ranks[each.image_id] = (len(ranks) + 1, each.similarity)
    rows = np.flatnonzero(gallery.pids == asked.pids[query])
    marks = _marks(location, place, asked, query, gallery, rows)
    matches = [
        TrueMatch(
            image_id=int(gallery.image_ids[row]),
            camera=int(gallery.camids[row]) if gallery.camids[row] >= 0 else None,
            rank=ranks.get(int(gallery.image_ids[row]), (None, None))[0],
            similarity=ranks.get(int(gallery.image_ids[row]), (None, None))[1],
        )
        for row, mark in zip(rows.tolist(), marks, strict=True)
        if mark == "match"
    ]
    return sorted(matches, key=lambda match: (match.rank is None, match.rank or 0))


def _marks(
    location: str, place: Place, asked: ImageTable, query: int, gallery: ImageTable, rows: IntArray
) -> list[Mark]:
    evaluation = open_workspace(location).run(place.run_id).config["evaluation"]
    return mark_found(
        int(asked.pids[query]),
        int(asked.camids[query]),
        gallery.pids[rows],
        gallery.camids[rows],
        camera_aware=evaluation["camera_aware"],
        is_other_side=_of_another_side(asked.sides[query], gallery, rows)
        if evaluation.get("side_aware")  # runs made before there was this setting lack it
        else None,
    )


def find_like(location: str, place: Place, image_id: int, *, n: int) -> list[Found]:
    """Return the training images most similar to any image of the workspace, without itself.

    A training image has its feature already; any other one is read first, which takes seconds.

    Raises:
        ImageError: The image cannot be read.
        StoreError: There is no such image or iteration.
    """
    if is_train_image(location, place.run_id, image_id):
        return find_like_image(location, place, image_id, n=n)
    content = image_path(location, image_id).read_bytes()
    return find_like_picture(location, place, read_picture(location, place, content), n=n)


def is_train_image(location: str, run_id: int, image_id: int) -> bool:
    """Whether a run trains on an image; only those are labelled."""
    return _row(train_images(location, run_id), image_id) is not None


def find_like_image(location: str, place: Place, image_id: int, *, n: int) -> list[Found]:
    """Return the training images most similar to one of them, without itself.

    Those of another side are left out where the run tells sides apart.

    Args:
        location: The workspace.
        place: The iteration whose features are compared.
        image_id: Id of the image.
        n: Maximum length; empty if the run does not have that image.
    """
    row = _row(train_images(location, place.run_id), image_id)
    if row is None:
        return []
    features = _features(location, place)
    shown = image_sides(location, place.run_id)
    among = compared(shown, shown[row])
    rows, similarities = most_similar(np.asarray(features[row]), features, n=n + 1, among=among)
    others = rows != row
    table = train_images(location, place.run_id)
    return _found(table, rows[others][:n], similarities[others][:n])


def find_like_picture(location: str, place: Place, picture: Picture, *, n: int) -> list[Found]:
    """Return the training images most similar to a picture."""
    rows, similarities = most_similar(picture.feature, _features(location, place), n=n)
    return _found(train_images(location, place.run_id), rows, similarities)


@cached(maxsize=8)
def read_picture(location: str, place: Place, content: bytes) -> Picture:
    """Decode a picture and extract its feature, in a separate process; takes seconds.

    Raises:
        ImageError: It is too large, cannot be decoded, or takes too long.
    """
    if len(content) > MAX_PICTURE_BYTES:
        raise ImageError(
            f"The picture has {len(content) / 2**20:.1f} MiB, but at most "
            f"{MAX_PICTURE_BYTES // 2**20} MiB are allowed; crop or shrink it."
        )
    workspace = open_workspace(location)
    command = [sys.executable, "-m", "pul.jobs.query_feature", workspace.url]
    try:
        with _AT_ONCE:
            result = subprocess.run(
                [*command, str(place.run_id), str(place.iteration)],
                cwd=ROOT,
                env=os.environ | workspace.secrets,
                input=content,
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
    except subprocess.TimeoutExpired as error:
        raise ImageError(f"The picture took more than {_TIMEOUT_S} s; try again.") from error
    if result.returncode:
        reason = result.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise ImageError(reason or "The process that reads pictures failed; try again.")
    answer = np.load(io.BytesIO(result.stdout), allow_pickle=False)
    encoded = base64.b64encode(answer["thumbnail"].tobytes()).decode("ascii")
    return Picture(answer["feature"], f"data:{answer['media_type']};base64,{encoded}")


def _row(table: ImageTable, image_id: int) -> int | None:
    row = int(np.searchsorted(table.image_ids, image_id))
    return row if row < len(table) and table.image_ids[row] == image_id else None


def _found(
    table: ImageTable,
    rows: np.ndarray,
    similarities: np.ndarray,
    marks: Sequence[Mark] | None = None,
) -> list[Found]:
    cameras = table.camids[rows].tolist()
    no_marks: list[Mark | None] = [None] * len(rows)
    return [
        Found(image_id, camera if camera >= 0 else None, similarity, mark)
        for image_id, camera, similarity, mark in zip(
            table.image_ids[rows].tolist(),
            cameras,
            similarities[: len(rows)].tolist(),
            marks or no_marks,
            strict=True,
        )
    ]


def _features(location: str, place: Place) -> FloatArray:
    arrays = open_workspace(location).arrays(place.run_id, place.iteration, "features")
    return np.asarray(arrays["features"])


@cached(maxsize=8)
def _rankings(location: str, _number: int, place: Place) -> IterationRankings | None:
    return open_workspace(location).rankings(place.run_id, place.iteration)


@cached(maxsize=4)
def _test_images(location: str, _number: int, run_id: int) -> tuple[ImageTable, ImageTable]:
    return open_workspace(location).test_images(run_id)
