"""How the tracks of a file lie on a video: which frame is which, and which pixel."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pul.data.crops import Corners
from pul.data.tracks import TrackBox, TrackFile
from pul.data.video.frames import Film, frame_number, read_seqinfo
from pul.errors import ConfigError, DatasetError

Size = tuple[int, int]
_MOST_OUTSIDE = 0.2  # of the boxes' centers; more, and the tracks are of another picture
_SMALL = 0.6  # of the picture, each way, into which all boxes fit by chance rarely
_MANY = 50
_SAME_SHAPE = 0.02


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a box of the tracks lies on an upright picture of the film.

    Attributes:
        size: Width and height of the pictures that the tracks were made on.
        quarter_turns: How often that picture is turned by 90° counter-clockwise to be upright.
        scale: Factors for x and y of the upright picture.
    """

    size: Size
    quarter_turns: int = 0
    scale: tuple[float, float] = (1.0, 1.0)

    def place(self, corners: Corners) -> Corners:
        """Return a box's left, top, right and lower edge in pixels of the film."""
        left, top, right, low = corners
        width, height = self.size
        turned = {
            0: (left, top, right, low),
            1: (top, width - right, low, width - left),
            2: (width - right, height - low, width - left, height - top),
            3: (height - low, left, height - top, right),
        }[self.quarter_turns]
        x, y = self.scale
        return turned[0] * x, turned[1] * y, turned[2] * x, turned[3] * y


def align_pictures(
    film: Film, tracks: TrackFile, given: Size | None
) -> tuple[Placement, tuple[str, ...]]:
    """Find out on pictures of which size the tracks were made, and how they lie on the film.

    Args:
        film: The video.
        tracks: Its tracks.
        given: Size of the pictures the tracks were made on, if the user says it.

    Returns:
        The placement, and remarks for people where it is not the obvious one.

    Raises:
        DatasetError: The sizes do not fit; the message says how to say the right one.
    """
    size = given or tracks.size or _seqinfo_size(film)
    if size is None:
        return _align_by_boxes(film, tracks)
    if size == film.size:
        return Placement(film.size), _suspect_small(film, tracks) if given is None else ()
    for turns in {0, film.quarter_turns}:
        upright = size if turns % 2 == 0 else size[::-1]
        scale = film.size[0] / upright[0], film.size[1] / upright[1]
        if abs(scale[0] / scale[1] - 1) <= _SAME_SHAPE:
            return Placement(size, turns, scale), (_say_size(size, film, scale, turns),)
    raise DatasetError(
        f"The tracks {tracks.path.name} were made on pictures of {_x(size)} pixels, but "
        f"{film.path.name} has {_x(film.size)}: other sides. Give the video that they were made on."
    )


def number_frames(
    film: Film, tracks: TrackFile, boxes: Sequence[TrackBox], given: int | None
) -> tuple[dict[int, int], int, tuple[str, ...]]:
    """Find out which frame of the film each frame of the tracks is.

    Args:
        film: The video.
        tracks: The file of its tracks.
        boxes: Those of this video.
        given: What the tracks call the first frame, if the user says it.

    Returns:
        Index of the film's frame by number of the tracks' frame; the number of the first frame; and
        remarks for people.

    Raises:
        DatasetError: The tracks name frames that the film does not have.
        ConfigError: Nothing tells what the first frame is called.
    """
    frames = sorted({box.frame for box in boxes})
    if film.images and given is None:
        named = _by_image_names(film, boxes) or _by_image_numbers(film, tracks, frames)
        if named is not None:
            return named
    first = tracks.first_frame if given is None else given
    if first is None:
        fitting = [x for x in (0, 1) if x <= frames[0] and frames[-1] < x + len(film)]
        if len(fitting) != 1:
            raise ConfigError(
                f"{tracks.path.name} does not tell whether its first frame is 0 or 1. Say it with "
                "--first-frame 0 or --first-frame 1."
            )
        first = fitting[0]
    if frames[0] < first or frames[-1] >= first + len(film):
        raise DatasetError(_say_beyond(film, tracks, frames, first))
    return {frame: frame - first for frame in frames}, first, ()


def _seqinfo_size(film: Film) -> Size | None:
    numbers = read_seqinfo(film.path) if film.images else {}
    width, height = numbers.get("imwidth"), numbers.get("imheight")
    return (int(width), int(height)) if width and height else None


def _align_by_boxes(film: Film, tracks: TrackFile) -> tuple[Placement, tuple[str, ...]]:
    """Tell by where the boxes lie; most files of tracks do not say a size."""
    if _share_outside(tracks.boxes, film.size) <= _MOST_OUTSIDE:
        return Placement(film.size), _suspect_small(film, tracks)
    if film.stored_size != film.size:
        share = _share_outside(tracks.boxes, film.stored_size)
        if share <= _MOST_OUTSIDE:
            turns = film.quarter_turns
            note = _say_size(film.stored_size, film, (1.0, 1.0), turns)
            return Placement(film.stored_size, turns), (note,)
    share = _share_outside(tracks.boxes, film.size)
    raise DatasetError(
        f"{share:.0%} of the boxes of {tracks.path.name} lie outside the {_x(film.size)} pixels of "
        f"{film.path.name}: they were made on larger pictures, or on another video. If it is the "
        "right one, say their size with --track-size WIDTHxHEIGHT."
    )


def _share_outside(boxes: Sequence[TrackBox], size: Size) -> float:
    inside = sum(
        0 <= box.left + box.width / 2 <= size[0] and 0 <= box.top + box.height / 2 <= size[1]
        for box in boxes
    )
    return 1 - inside / max(1, len(boxes))


def _suspect_small(film: Film, tracks: TrackFile) -> tuple[str, ...]:
    right = max(box.corners[2] for box in tracks.boxes)
    low = max(box.corners[3] for box in tracks.boxes)
    is_small = right < _SMALL * film.size[0] and low < _SMALL * film.size[1]
    if not is_small or len(tracks.boxes) < _MANY:
        return ()
    return (
        f"All boxes lie in the upper left {right:.0f}×{low:.0f} of {_x(film.size)} pixels. If the "
        "tracks were made on smaller pictures, say their size with --track-size WIDTHxHEIGHT.",
    )


def _say_size(size: Size, film: Film, scale: tuple[float, float], turns: int) -> str:
    turned = ", not turned upright" if turns else ""
    scaled = f", boxes are scaled by {scale[0]:.3g}" if scale != (1.0, 1.0) else ""
    return (
        f"The tracks were made on pictures of {_x(size)} pixels{turned}; the video shows "
        f"{_x(film.size)}{scaled}{' and turned with it' if turns else ''}."
    )


def _by_image_names(
    film: Film, boxes: Sequence[TrackBox]
) -> tuple[dict[int, int], int, tuple[str, ...]] | None:
    """Match frames by the names of their images, where the tracks name them all."""
    indices = {path.name: index for index, path in enumerate(film.images)}
    wanted = {box.frame: Path(box.image.replace("\\", "/")).name for box in boxes}
    if not set(wanted.values()) <= indices.keys():
        return None
    found = {frame: indices[name] for frame, name in wanted.items()}
    return found, min(frame - index for frame, index in found.items()), ()


def _by_image_numbers(
    film: Film, tracks: TrackFile, frames: Sequence[int]
) -> tuple[dict[int, int], int, tuple[str, ...]] | None:
    """Match frames by the numbers in the names of the images, where counting cannot be meant.

    That is so where the images leave numbers out, or begin at another one than 0 and 1.
    """
    numbers = [frame_number(path) for path in film.images]
    known = {number: index for index, number in enumerate(numbers) if number is not None}
    if len(known) < len(film) or not set(frames) <= known.keys():
        return None
    first, last = min(known), max(known)
    is_counted = last - first + 1 == len(known) and first in (0, 1)
    if is_counted or tracks.format == "cvat":
        return None
    note = f"Frames are matched by the numbers of the images, {first} to {last}."
    return {frame: known[frame] for frame in frames}, first, (note,)


def _say_beyond(film: Film, tracks: TrackFile, frames: Sequence[int], first: int) -> str:
    last = first + len(film) - 1
    beyond = frames[0] if frames[0] < first else frames[-1]
    other = 1 - first if first in (0, 1) else None
    fits_other = other is not None and other <= frames[0] and frames[-1] < other + len(film)
    advice = (
        f"If its first frame is {other}, say --first-frame {other}."
        if fits_other
        else "Is it the video that the tracks were made on, at its full frame rate?"
    )
    return (
        f"{tracks.path.name} names frame {beyond}, but {film.path.name} has {len(film)} frames, "
        f"{first} to {last}. {advice}"
    )


def _x(size: Size) -> str:
    return f"{size[0]}×{size[1]}"
