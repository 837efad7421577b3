"""How tracks lie on a video: frames and pixels, by evidence or as told."""

from pathlib import Path

import numpy as np
import pytest

from pul.data.tracks import TrackBox, TrackFile
from pul.data.video.alignment import align_pictures, number_frames
from pul.data.video.frames import Film
from pul.errors import ConfigError, DatasetError


def film(
    n_frames: int = 100,
    size: tuple[int, int] = (192, 108),
    *,
    images: tuple[Path, ...] = (),
    turns: int = 0,
) -> Film:
    stored = size if turns % 2 == 0 else size[::-1]
    path = Path("gate.mp4")
    return Film(path, size, stored, np.arange(n_frames) / 25, images, turns)


def tracks(
    *boxes: TrackBox, kind: str = "mot", first: int | None = 1, size: tuple[int, int] | None = None
) -> TrackFile:
    return TrackFile(Path("gate.txt"), kind, boxes, first, size)


def at(*frames: int, image: str = "") -> list[TrackBox]:
    return [TrackBox("1", frame, 10, 10, 20, 40, image=image) for frame in frames]


def numbered(shown: Film, known: TrackFile, given: int | None = None) -> tuple[dict[int, int], int]:
    found, first, _ = number_frames(shown, known, known.boxes, given)
    return found, first


# Frames


def test_number_frames__counts_from_what_the_file_calls_the_first() -> None:
    assert numbered(film(), tracks(*at(1, 100))) == ({1: 0, 100: 99}, 1)
    assert numbered(film(), tracks(*at(3, 99), kind="cvat", first=0)) == ({3: 3, 99: 99}, 0)
    assert numbered(film(), tracks(*at(3, 99)), given=0) == ({3: 3, 99: 99}, 0)


def test_number_frames__tells_the_first_frame_where_one_reading_fits() -> None:
    assert numbered(film(), tracks(*at(5, 100), first=None)) == ({5: 4, 100: 99}, 1)
    assert numbered(film(), tracks(*at(0, 50), first=None)) == ({0: 0, 50: 50}, 0)
    with pytest.raises(ConfigError, match="Say it with --first-frame 0 or --first-frame 1"):
        numbered(film(), tracks(*at(5, 50), first=None))
    assert numbered(film(), tracks(*at(5, 50), first=None), given=1)[1] == 1  # the advice works


def test_number_frames__says_that_frames_are_missing() -> None:
    with pytest.raises(
        DatasetError, match=r"names frame 140, but gate.mp4 has 100 frames, 1 to 100"
    ):
        numbered(film(), tracks(*at(1, 140)))
    beyond = tracks(*at(1, 100), kind="cvat", first=0)
    with pytest.raises(DatasetError, match="If its first frame is 1, say --first-frame 1"):
        numbered(film(), beyond)
    assert numbered(film(), beyond, given=1) == ({1: 0, 100: 99}, 1)  # the advice works


def folder(*names: str) -> Film:
    return film(len(names), images=tuple(Path("img1") / name for name in names))


def test_number_frames__of_a_folder_goes_by_order_where_numbers_begin_at_0_or_1() -> None:
    mot = folder("000001.jpg", "000002.jpg", "000003.jpg")
    assert numbered(mot, tracks(*at(1, 3))) == ({1: 0, 3: 2}, 1)
    # CVAT counts from 0, whatever the images are called.
    assert numbered(mot, tracks(*at(1, 2), kind="cvat", first=0)) == ({1: 1, 2: 2}, 0)


def test_number_frames__of_a_folder_goes_by_numbers_where_some_are_left_out() -> None:
    every_5th = folder("000001.jpg", "000006.jpg", "000011.jpg")
    found, first, notes = number_frames(every_5th, tracks(*at(1, 6, 11)), at(1, 6, 11), None)
    assert (found, first) == ({1: 0, 6: 1, 11: 2}, 1)
    assert "numbers of the images, 1 to 11" in notes[0]
    part = folder("000300.jpg", "000301.jpg", "000302.jpg")
    assert numbered(part, tracks(*at(300, 302)))[0] == {300: 0, 302: 2}


def test_number_frames__of_a_folder_goes_by_names_where_tracks_have_them() -> None:
    shown = folder("a_1.jpg", "a_2.jpg", "b_1.jpg")
    boxes = [*at(7, image="set\\a_2.jpg"), *at(9, image="set/b_1.jpg")]
    assert numbered(shown, tracks(*boxes, kind="coco", first=None))[0] == {7: 1, 9: 2}


# Pixels


def placed(
    shown: Film, known: TrackFile, given: tuple[int, int] | None = None
) -> tuple[float, ...]:
    placement, _ = align_pictures(shown, known, given)
    return placement.place(known.boxes[0].corners)


BOX = TrackBox("1", 1, 10, 20, 30, 40)


def test_align_pictures__of_one_size_changes_nothing() -> None:
    for known in (tracks(BOX), tracks(BOX, size=(192, 108))):
        assert align_pictures(film(), known, None)[1] == ()
        assert placed(film(), known) == (10, 20, 40, 60)


@pytest.mark.parametrize(("size", "given"), [((96, 54), None), (None, (96, 54))])
def test_align_pictures__scales_boxes_and_says_so(
    size: tuple[int, int] | None, given: tuple[int, int] | None
) -> None:
    known = tracks(BOX, size=size)
    assert placed(film(), known, given) == (20, 40, 80, 120)
    (note,) = align_pictures(film(), known, given)[1]
    assert (
        "made on pictures of 96×54 pixels; the video shows 192×108, boxes are scaled by 2" in note
    )


def test_align_pictures__turns_boxes_that_were_made_on_stored_frames() -> None:
    upright = film(size=(108, 192), turns=3)  # stored 192×108, to be turned clockwise
    known = tracks(BOX, size=(192, 108))
    # Clockwise: the stored lower edge is the left one, y = 60 of 108.
    assert placed(upright, known) == (108 - 60, 10, 108 - 20, 40)
    assert "not turned upright" in align_pictures(upright, known, None)[1][0]
    # The same by where the boxes lie, where no size is known.
    far = tracks(*[TrackBox("1", n, 150, 20, 30, 40) for n in range(1, 9)])
    assert placed(upright, far) == (108 - 60, 150, 108 - 20, 180)


@pytest.mark.parametrize(
    ("turns", "expected"),
    [(1, (20, 192 - 40, 60, 192 - 10)), (2, (192 - 40, 108 - 60, 192 - 10, 108 - 20))],
)
def test_place__turns_corners(turns: int, expected: tuple[float, ...]) -> None:
    size = (192, 108) if turns == 2 else (108, 192)
    shown = film(size=size, turns=turns)
    if turns == 2:
        # A half turn leaves no trace in the size.
        assert placed(shown, tracks(BOX)) == (10, 20, 40, 60)
    else:
        assert placed(shown, tracks(BOX, size=(192, 108))) == expected


def test_align_pictures__says_that_sides_differ() -> None:
    with pytest.raises(
        DatasetError, match=r"made on pictures of 100×100 pixels, but gate.mp4 has 192×108"
    ):
        align_pictures(film(), tracks(BOX, size=(100, 100)), None)


def test_align_pictures__says_that_boxes_lie_outside() -> None:
    known = tracks(*[TrackBox("1", n, 300, 100, 40, 90) for n in range(1, 9)])
    with pytest.raises(DatasetError, match=r"100% of the boxes .* --track-size WIDTHxHEIGHT"):
        align_pictures(film(), known, None)
    assert placed(film(), known, (384, 216)) == (150, 50, 170, 95)  # the advice works


def test_align_pictures__suspects_tracks_of_a_smaller_picture() -> None:
    known = tracks(*[TrackBox("1", n, n, 5, 20, 40) for n in range(1, 61)])
    (note,) = align_pictures(film(), known, None)[1]
    assert "upper left 80×45 of 192×108 pixels" in note
    assert "--track-size" in note
    assert align_pictures(film(), known, (192, 108))[1] == ()  # said once, it is known
