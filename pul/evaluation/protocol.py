"""The single-query protocol: which gallery images are true matches or junk of which query."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pul.arrays import BoolArray, IntArray
from pul.errors import EvaluationError


@dataclass(frozen=True, slots=True)
class Protocol:
    """Identities and cameras of an evaluation of Q queries and G gallery images.

    Attributes:
        query_pids, query_camids: Identity and camera of each query, shape (Q,).
        gallery_pids, gallery_camids: Identity and camera of each gallery image, shape (G,).
        camera_aware: Whether images of the query's own identity and camera are junk.
        query_sides, gallery_sides: Side that each image shows, shapes (Q,) and (G,); -1 where it is
            not known. Images of another side than the query's are junk. None for no sides.
    """

    query_pids: IntArray
    query_camids: IntArray
    gallery_pids: IntArray
    gallery_camids: IntArray
    camera_aware: bool
    query_sides: IntArray | None = None
    gallery_sides: IntArray | None = None

    @classmethod
    def of(
        cls,
        query_pids: ArrayLike,
        query_camids: ArrayLike,
        gallery_pids: ArrayLike,
        gallery_camids: ArrayLike,
        camera_aware: bool,
        sides: tuple[Sequence[str], Sequence[str]] | None = None,
    ) -> "Protocol":
        """Build a protocol from four array-likes of ids, and the sides of queries and gallery."""
        return cls(
            np.asarray(query_pids, dtype=np.int64),
            np.asarray(query_camids, dtype=np.int64),
            np.asarray(gallery_pids, dtype=np.int64),
            np.asarray(gallery_camids, dtype=np.int64),
            camera_aware,
            *_numbered(sides),
        )

    @property
    def kept(self) -> BoolArray:
        """Gallery images that are not junk for every query, shape (G,): pid 0 or above."""
        return self.gallery_pids >= 0

    def check_lengths(self, n_queries: int, n_gallery: int) -> None:
        """Check that there is one id for each feature.

        Raises:
            EvaluationError: A column has another length, there are no queries, or the gallery is
                empty once junk is gone.
        """
        lengths = (n_queries, n_queries, n_gallery, n_gallery)
        names = ("query_pids", "query_camids", "gallery_pids", "gallery_camids")
        for name, length in zip(names, lengths, strict=True):
            if getattr(self, name).shape != (length,):
                raise EvaluationError(
                    f"{name} must have shape ({length},), one for each image, but has shape "
                    f"{getattr(self, name).shape}."
                )
        if not n_queries:
            raise EvaluationError("There are no queries; at least one is needed.")
        if not self.kept.any():
            raise EvaluationError(
                f"The gallery is empty: all of its {n_gallery} images are junk (negative pid). "
                "At least one image with pid 0 or above is needed."
            )

    def relations(self) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield for each query its true matches and its junk, as indices into the kept gallery."""
        pids, camids = self.gallery_pids[self.kept], self.gallery_camids[self.kept]
        order = np.argsort(pids, kind="stable")
        starts = np.searchsorted(pids[order], self.query_pids, side="left")
        ends = np.searchsorted(pids[order], self.query_pids, side="right")
        ends[self.query_pids <= 0] = starts[self.query_pids <= 0]  # a distractor matches nobody
        for query, (start, end) in enumerate(zip(starts, ends, strict=True)):
            same = order[start:end]
            is_junk = (camids[same] == self.query_camids[query]) & self.camera_aware
            other = self._of_another_side(query)
            if other is None:
                yield same[~is_junk], same[is_junk]
            else:
                is_junk |= other[same]
                other[same] |= is_junk
                yield same[~is_junk], np.flatnonzero(other)

    def _of_another_side(self, query: int) -> BoolArray | None:
        """Return which of the kept gallery show another side than a query; None for none."""
        if self.query_sides is None or self.gallery_sides is None or self.query_sides[query] < 0:
            return None
        sides = self.gallery_sides[self.kept]
        differs: BoolArray = (sides >= 0) & (sides != self.query_sides[query])
        return differs

    def is_measurable(self) -> bool:
        """Whether any query has a true match."""
        return any(len(matches) for matches, _ in self.relations())

    def explain_unmatched(self) -> str:
        """Return why no query has a true match: which rule removed what."""
        n_queries, n_dropped = len(self.query_pids), int((~self.kept).sum())
        nameless = self.query_pids <= 0
        absent = ~np.isin(self.query_pids, self.gallery_pids[self.kept]) & ~nameless
        side = "" if self.query_sides is None else " or of another side"
        n_same_camera = sum(len(junk) for _, junk in self.relations())
        reasons = {
            "have no identity (pid 0 or below)": int(nameless.sum()),
            "have an identity that the gallery lacks": int(absent.sum()),
            f"have theirs in the gallery, but only from their own camera{side}": n_queries
            - int((nameless | absent).sum()),
        }
        found = "; ".join(f"{n} {reason}" for reason, n in reasons.items() if n)
        message = (
            f"No query has a true match: of {n_queries} queries, {found}. Removed as junk: "
            f"{n_dropped} of {len(self.kept)} gallery images with a negative pid, and "
            f"{n_same_camera} {'images' if side else 'matches'} from a query's own camera{side}."
        )
        if n_same_camera:
            message += (
                " With one camera or none, turn `evaluation.camera_aware` off: `pul evaluate "
                "--no-camera-aware`, `pul run --set evaluation.camera_aware=false`."
            )
        if side:
            message += (
                " To compare all sides, turn `evaluation.side_aware` off: `pul evaluate "
                "--no-side-aware`, `pul run --set evaluation.side_aware=false`."
            )
        return message


def _numbered(
    sides: tuple[Sequence[str], Sequence[str]] | None,
) -> tuple[IntArray | None, IntArray | None]:
    """Number the sides, -1 for ""; None where queries or gallery have no known side."""
    if sides is None or not all(map(any, sides)):
        return None, None
    names = sorted({side for each in sides for side in each if side})
    numbers = {side: number for number, side in enumerate(names)} | {"": -1}
    query, gallery = (np.array([numbers[side] for side in each], dtype=np.int64) for each in sides)
    return query, gallery
