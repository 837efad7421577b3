"""What is known of who is with whom: must-links and cannot-links of images."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from pul.arrays import BoolArray, IntArray
from pul.errors import ConfigError

Apart = tuple[Collection[int], Collection[int]]


class LinkedSets:
    """Disjoint sets of which some must not be joined: two identities, or a pair that is apart."""

    def __init__(self, identities: Iterable[int], apart: Iterable[Sequence[int]] = ()) -> None:
        """Begin with each element alone.

        Args:
            identities: Identity of each element; -1 where it has none.
            apart: Pairs of elements that must not be in one set.
        """
        self._identities = [int(identity) for identity in identities]
        self._parents = list(range(len(self._identities)))
        self._others: dict[int, set[int]] = {}  # root → roots that must not join it
        for left, right in apart:
            self.part(int(left), int(right))

    def find(self, element: int) -> int:
        """Return the set of an element, named after one of its elements."""
        while self._parents[element] != element:
            self._parents[element] = self._parents[self._parents[element]]
            element = self._parents[element]
        return element

    def may_join(self, left: int, right: int) -> bool:
        """Whether nothing forbids that two elements are in one set."""
        left, right = self.find(left), self.find(right)
        known = {self._identities[left], self._identities[right]} - {-1}
        return left == right or (len(known) < 2 and right not in self._others.get(left, ()))

    def join(self, left: int, right: int) -> bool:
        """Join the sets of two elements, and return whether they are one now."""
        if not self.may_join(left, right):
            return False
        kept, gone = sorted((self.find(left), self.find(right)))
        if kept != gone:
            self._parents[gone] = kept
            self._identities[kept] = max(self._identities[kept], self._identities[gone])
            self._take_over(kept, gone)
        return True

    def part(self, left: int, right: int) -> bool:
        """Keep the sets of two elements apart from now on; False where they are one already."""
        left, right = self.find(left), self.find(right)
        if left == right:
            return False
        self._others.setdefault(left, set()).add(right)
        self._others.setdefault(right, set()).add(left)
        return True

    def roots(self) -> IntArray:
        """Return the set of each element, shape (E,)."""
        return np.array([self.find(e) for e in range(len(self._parents))], dtype=np.int64)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the pairs of sets that must not be joined, without those of two identities."""
        return ((a, b) for a, others in self._others.items() for b in others if a < b)

    def _take_over(self, kept: int, gone: int) -> None:
        for other in self._others.pop(gone, ()):
            self._others[other].discard(gone)
            self._others[other].add(kept)
            self._others.setdefault(kept, set()).add(other)


@dataclass(frozen=True)
class Links:
    """N images in G groups, each of them one person for sure; L of the groups have an identity.

    Attributes:
        groups: Group of each image, shape (N,), values in [0, G), numbered by first image.
        identities: Rank of each group's identity, shape (G,), values in [0, L); -1 where it has
            none. No two groups have the same.
        apart: Pairs of groups that are two people, shape (P, 2). That two identities are two people
            is not listed.
    """

    groups: IntArray
    identities: IntArray
    apart: IntArray

    @classmethod
    def of(
        cls,
        n_images: int,
        *,
        annotations: Mapping[int, int] | None = None,
        together: Iterable[Sequence[int]] = (),
        apart: Iterable[Apart] = (),
        tracklets: IntArray | None = None,
        moments: IntArray | None = None,
    ) -> Self:
        """Put together what people and cameras say. What comes first wins where they contradict.

        Args:
            n_images: N.
            annotations: Image → identity, by people.
            together: Images that people said are one person.
            apart: Two sides that people said are two people: each image of one side is apart from
                each of the other.
            tracklets: Tracklet of each image, shape (N,).
            moments: Number of the camera's frame that each image was cut from, shape (N,); -1 where
                it is not known. Images of one frame in two tracklets are two people.

        Raises:
            ConfigError: An image is named that is not among the N.

        >>> Links.of(5, annotations={3: 7, 0: 7}, together=[(1, 4)]).groups.tolist()
        [0, 1, 2, 0, 1]
        """
        sets = LinkedSets(_ranks(n_images, annotations or {}))
        for images in (*_members_of(annotations or {}), *together):
            _check(images, n_images)
            _chain(sets, images)
        for left, right in apart:
            _check((*left, *right), n_images)
            for a in left:
                for b in right:
                    sets.part(a, b)
        if tracklets is not None:
            for images in _rows_of(tracklets):
                _chain(sets, images)
        if tracklets is not None and moments is not None:
            for images in _rows_of(moments, known=moments >= 0):
                _part_all(sets, images, tracklets)
        return cls._of_sets(sets, _ranks(n_images, annotations or {}))

    @classmethod
    def _of_sets(cls, sets: LinkedSets, ranks: IntArray) -> Self:
        roots, groups = np.unique(sets.roots(), return_inverse=True)  # a root is its first image
        identities = np.full(len(roots), -1, dtype=np.int64)
        np.maximum.at(identities, groups, ranks)
        pairs = np.array(sorted(sets.pairs()), dtype=np.int64).reshape(-1, 2)
        named = (identities[np.searchsorted(roots, pairs)] >= 0).all(axis=1)
        return cls(groups.astype(np.int64), identities, np.searchsorted(roots, pairs[~named]))

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def n_groups(self) -> int:
        """G."""
        return len(self.identities)

    @cached_property
    def n_identities(self) -> int:
        """L."""
        return int((self.identities >= 0).sum())

    @cached_property
    def sizes(self) -> IntArray:
        """Number of images of each group, shape (G,)."""
        return np.bincount(self.groups, minlength=self.n_groups)

    @cached_property
    def says_nothing(self) -> bool:
        """Whether each image is alone and nothing is known of it."""
        return self.n_groups == len(self) and not len(self.apart) and not self.n_identities

    @cached_property
    def identity_of(self) -> IntArray:
        """Rank of each image's identity, shape (N,); -1 where it has none."""
        return self.identities[self.groups] if len(self) else np.empty(0, dtype=np.int64)

    def hold_in(self, clusters: IntArray) -> bool:
        """Whether each link holds and identity l is cluster l, in clusters of shape (N,)."""
        firsts = np.unique(self.groups, return_index=True)[1]
        of_groups = clusters[firsts]
        left, right = of_groups[self.apart].T
        named = self.identities >= 0
        return bool(
            (of_groups[self.groups] == clusters).all()
            and (of_groups[named] == self.identities[named]).all()
            and not ((left == right) & (left >= 0)).any()
        )

    def take(self, images: IntArray | BoolArray) -> Self:
        """Return what is known of some images among themselves.

        Args:
            images: Their rows, ascending, or a mask, shape (N,).
        """
        kept, groups = np.unique(self.groups[images], return_inverse=True)
        identities = self.identities[kept]
        known = np.flatnonzero(identities >= 0)
        identities[known] = np.unique(identities[known], return_inverse=True)[1]
        inside = np.isin(self.apart, kept).all(axis=1)
        order = np.argsort(np.unique(groups, return_index=True)[1])  # by first image
        places = np.argsort(order)
        return type(self)(
            places[groups].astype(np.int64),
            identities[order],
            places[np.searchsorted(kept, self.apart[inside])].reshape(-1, 2),
        )

    def sets(self) -> LinkedSets:
        """Return the groups as sets to join by whatever else says that two are one person."""
        return LinkedSets(self.identities, self.apart)


def beside_identities(links: Links, find_clusters: Callable[[IntArray], IntArray]) -> IntArray:
    """Give each identity a cluster of its own images alone, and cluster the other images.

    Args:
        links: What is known of N images, L identities among it.
        find_clusters: Given the rows of the images of no identity, returns their clusters from 0,
            or -1 for an outlier; not called where there are none.

    Returns:
        Cluster of each image, shape (N,): the identities are the first L.
    """
    clusters = links.identity_of.copy()
    free = np.flatnonzero(clusters < 0)
    if len(free):
        found = find_clusters(free)
        clusters[free] = np.where(found < 0, found, found + links.n_identities)
    return clusters


def _ranks(n_images: int, annotations: Mapping[int, int]) -> IntArray:
    _check(annotations, n_images)
    ranks = np.full(n_images, -1, dtype=np.int64)
    images = np.fromiter(annotations.keys(), dtype=np.int64, count=len(annotations))
    identities = np.fromiter(annotations.values(), dtype=np.int64, count=len(annotations))
    ranks[images] = np.unique(identities, return_inverse=True)[1]
    return ranks


def _members_of(annotations: Mapping[int, int]) -> Iterable[list[int]]:
    members: dict[int, list[int]] = {}
    for image, identity in annotations.items():
        members.setdefault(identity, []).append(image)
    return members.values()


def _check(images: Iterable[int], n_images: int) -> None:
    for image in images:
        if not 0 <= image < n_images:
            raise ConfigError(
                f"Annotations name image {image}, but there are {n_images} images, from 0."
            )


def _chain(sets: LinkedSets, images: Sequence[int]) -> None:
    """Join each image to the one before it, or to the nearest before that it may join."""
    for place, image in enumerate(images):
        any(sets.join(before, image) for before in reversed(images[:place]))


def _part_all(sets: LinkedSets, images: Sequence[int], tracklets: IntArray) -> None:
    for place, left in enumerate(images):
        for right in images[place + 1 :]:
            if tracklets[left] != tracklets[right]:
                sets.part(left, right)


def _rows_of(numbers: IntArray, known: BoolArray | None = None) -> Iterator[list[int]]:
    """Yield the rows that share a number, where more than one does."""
    rows = np.arange(len(numbers)) if known is None else np.flatnonzero(known)
    rows = rows[np.argsort(numbers[rows], kind="stable")]
    for members in np.split(rows, np.flatnonzero(np.diff(numbers[rows])) + 1):
        if len(members) > 1:
            yield members.tolist()
