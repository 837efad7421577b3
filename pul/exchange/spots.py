"""Which image a box of a track is, by the numbers of frame and track in the names of files."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from pul.exchange.labels import Spot

_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_OFFSETS = (0, 1, -1)  # frames are counted from 0 in one place and from 1 in the other


@dataclass(frozen=True)
class _Rule:
    """Where in a name the numbers stand, and what is added to the number of a frame.

    `track` is -1 where names have the frame only.
    """

    frame: int
    track: int
    offset: int

    def key(self, spot: Spot) -> tuple[int, int] | None:
        """Return what a name has to say to be this box; None where it cannot be."""
        if self.track < 0:
            return spot.frame + self.offset, -1
        is_number = re.fullmatch(r"\d{1,18}", spot.track, re.ASCII)
        return (spot.frame + self.offset, int(spot.track)) if is_number else None


def find_spots(
    spots: Sequence[Spot], paths: Sequence[str], first_frame: int | None = None
) -> tuple[list[int | str], tuple[str, ...]]:
    """Return the row of the image that each box is, or why there is none.

    A crop has the numbers of its frame and its track in its name, a frame that of the frame; where
    in the name these are is what finds most images. A frame with several boxes is no image of one
    person.

    Args:
        spots: Boxes, N of them.
        paths: Paths of the images.
        first_frame: What the file of tracks calls the first frame; None where it does not tell.

    Returns:
        N rows or reasons, and remarks for people.
    """
    if not spots:
        return [], ()
    numbers = [_numbers(path) for path in paths]
    rules = sorted(_rules(numbers), key=lambda rule: abs(rule.offset))
    best: dict[_Rule, dict[tuple[int, int], list[int]]] = {}
    most = 0
    for rule in rules:
        images = _images(numbers, rule)
        n_found = len({rule.key(spot) for spot in spots} & images.keys())
        if n_found > most or (n_found == most and _is_as_good(rule, best)):
            best = {rule: images} if n_found > most else {**best, rule: images}
            most = n_found
    if not most:
        return [_none(spot) for spot in spots], ()
    found = [_find(spot, best) for spot in spots]
    offset = next(iter(best)).offset
    if offset == 0:
        return found, ()
    counted = f"; the tracks count them from {first_frame}" if first_frame is not None else ""
    return found, (
        f"Frame {spots[0].frame} of the tracks is {spots[0].frame + offset} in the names of the "
        f"images{counted}.",
    )


def _is_as_good(rule: _Rule, best: Mapping[_Rule, object]) -> bool:
    """Whether a rule that finds as many images is another reading, and not a worse one."""
    first = next(iter(best), None)
    return (
        first is not None
        and abs(first.offset) == abs(rule.offset)
        and ((first.track < 0) == (rule.track < 0))
    )


def _numbers(path: str) -> tuple[int, ...]:
    """Return the numbers in the name of an image, after those of its folder."""
    pure = PurePath(path)
    found = [*_NUMBER.findall(pure.parent.name), *_NUMBER.findall(pure.stem)]
    return tuple(map(int, found))


def _rules(numbers: Sequence[tuple[int, ...]]) -> Iterator[_Rule]:
    """Yield every way to read names; places count from the end, where names are alike."""
    n_most = min(max(map(len, numbers), default=0), 8)
    for offset in _OFFSETS:
        for frame in range(n_most):
            yield from (_Rule(frame, t, offset) for t in range(n_most) if t != frame)
        if n_most:
            yield _Rule(0, -1, offset)


def _images(numbers: Sequence[tuple[int, ...]], rule: _Rule) -> dict[tuple[int, int], list[int]]:
    images: dict[tuple[int, int], list[int]] = {}
    for row, found in enumerate(numbers):
        if len(found) > max(rule.frame, rule.track):
            track = -1 if rule.track < 0 else found[-1 - rule.track]
            images.setdefault((found[-1 - rule.frame], track), []).append(row)
    return images


def _find(spot: Spot, best: Mapping[_Rule, Mapping[tuple[int, int], list[int]]]) -> int | str:
    rows: set[int] = set()
    for rule, images in best.items():
        key = rule.key(spot)
        rows |= set(images.get(key, ())) if key is not None else set()
        if rows and rule.track < 0 and not spot.is_alone:
            return (
                f"frame {spot.frame} shows several people; cut them out with `pul import VIDEO "
                "--tracks FILE`, and label the crops"
            )
    if len(rows) > 1:
        return (
            f"frame {spot.frame} of track {spot.track} may be any of {len(rows)} images, by the "
            "numbers in their names"
        )
    return rows.pop() if rows else _none(spot)


def _none(spot: Spot) -> str:
    return f"no image has frame {spot.frame} and track {spot.track} in its name"
