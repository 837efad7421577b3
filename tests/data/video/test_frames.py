"""Videos and folders of frames: which picture is which frame, and when it was."""

import sys
from pathlib import Path

import numpy as np
import pytest

from pul.data.video.frames import open_film
from pul.errors import ConfigError, DatasetError
from tests.support.films import BLUE_STEP, picture, write_frames, write_video


def test_open_film__reads_each_frame_of_a_video(tmp_path: Path) -> None:
    film = open_film(write_video(tmp_path / "gate.mp4", 12))
    assert (len(film), film.size, film.notes) == (12, (96, 64), ())
    np.testing.assert_allclose(film.times, np.arange(12) / 25)
    for index, image in film.read([0, 7, 11]):
        np.testing.assert_array_equal(image, picture(index, (96, 64)))


def test_open_film__takes_the_times_of_a_variable_rate(tmp_path: Path) -> None:
    times = [0, 40, 80, 400, 440, 1500]
    film = open_film(write_video(tmp_path / "phone.mp4", 6, times_ms=times))
    np.testing.assert_allclose(film.times, np.array(times) / 1000)
    assert "do not follow each other evenly" in film.notes[0]
    assert [i for i, _ in film.read(range(6))] == [0, 1, 2, 3, 4, 5]


# A point of the stored picture, and where it is after turning by 90° counter-clockwise n times.
@pytest.mark.parametrize(
    ("turns", "size", "moved"),
    [(1, (64, 96), (20, 85)), (2, (96, 64), (85, 43)), (3, (64, 96), (43, 10))],
)
def test_open_film__sets_frames_upright(
    tmp_path: Path, turns: int, size: tuple[int, int], moved: tuple[int, int]
) -> None:
    film = open_film(write_video(tmp_path / "phone.mp4", 3, quarter_turns=turns))
    assert (film.size, film.stored_size, film.quarter_turns) == (size, (96, 64), turns)
    ((index, image),) = film.read([2])
    assert image.size == size
    assert image.getpixel(moved) == (10, 20, BLUE_STEP * index)
    assert f"turned by {90 * turns}°" in film.notes[0]


def test_open_film__takes_a_folder_of_motchallenge(tmp_path: Path) -> None:
    write_frames(tmp_path / "MOT17-02" / "img1", [1, 2, 3, 10])
    (tmp_path / "MOT17-02" / "seqinfo.ini").write_text(
        "[Sequence]\nname=MOT17-02\nimDir=img1\nframeRate=30\nseqLength=4\nimWidth=96\nimHeight=64\n"
    )
    for given in ("MOT17-02", "MOT17-02/img1"):
        film = open_film(tmp_path / given)
        assert [path.name for path in film.images] == [
            *("000001.png", "000002.png", "000003.png", "000010.png")
        ]
        np.testing.assert_allclose(film.times, np.arange(4) / 30)
        assert film.notes == ()
    ((_, image),) = film.read([3])
    np.testing.assert_array_equal(image, picture(3, (96, 64)))


def test_open_film__says_which_rate_it_takes_for_a_folder(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "frames", [0, 1])
    film = open_film(folder)
    assert film.times.tolist() == [0, 1 / 25]
    assert "--fps" in film.notes[0]
    assert open_film(folder, fps=5).times.tolist() == [0, 0.2]  # the advice works
    assert open_film(folder, fps=5).notes == ()


def test_open_film__orders_frames_by_number(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in (2, 10, 1):
        picture(number, (96, 64)).save(folder / f"frame_{number}.png")
    assert [path.stem for path in open_film(folder).images] == ["frame_1", "frame_2", "frame_10"]


def test_read__says_where_a_damaged_video_ends(tmp_path: Path) -> None:
    path = write_video(tmp_path / "cut.mkv", 40)
    whole = open_film(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DatasetError, match=r"cut.mkv.*(ends after|cannot be read)"):
        list(whole.read([39]))


@pytest.mark.parametrize("content", [b"", b"hello", b"1,1,1,1,9,9\n" * 99, b"\0" * 4096])
def test_open_film__says_that_a_file_is_no_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "gate.mp4"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"gate.mp4' (cannot be read as a|holds no) video"):
        open_film(path)


def test_open_film__says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="There is no video or folder"):
        open_film(tmp_path / "gone.mp4")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="holds no images"):
        open_film(tmp_path / "empty")
    with pytest.raises(ConfigError, match="fps must be above 0"):
        open_film(tmp_path / "empty", fps=0)


def test_open_film__names_the_install_where_pyav_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "gate.mp4", 2)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ConfigError, match="pip install av"):
        open_film(path)
    # The other way that the message names needs no PyAV.
    assert len(open_film(write_frames(tmp_path / "frames", [1, 2]))) == 2
