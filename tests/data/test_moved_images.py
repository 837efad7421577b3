"""Finding moved images by content, and among copies by the end of their paths."""

from pathlib import Path

import pytest

from pul.data.moved_images import KnownImage, find_moved_images, hash_content
from pul.errors import ConfigError


def known(*files: tuple[str, bytes]) -> list[KnownImage]:
    """Return images as they were imported, numbered from 1."""
    return [
        KnownImage(number, path, len(content), hash_content(content))
        for number, (path, content) in enumerate(files, start=1)
    ]


def write(folder: Path, **files: bytes) -> None:
    """Write files; __ in a name stands for /, and every name ends in .jpg."""
    for name, content in files.items():
        path = folder / f"{name.replace('__', '/')}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def names(folder: Path, places: dict[int, str]) -> dict[int, str]:
    return {number: str(Path(path).relative_to(folder)) for number, path in places.items()}


@pytest.mark.parametrize(
    "old",
    ["/volumes/nas/crops/p1/a.jpg", "/images/p1/a.jpg", "/w/D:\\crops\\p1\\a.jpg", "/p1/a.jpg",
     "/w/\\\\nas\\share\\p1\\A.JPG", "/other/name.jpg"],
)  # fmt: skip
def test_find_moved_images__wherever_they_were(tmp_path: Path, old: str) -> None:
    write(tmp_path, deeper__p1__a=b"one", deeper__p2__a=b"two")
    found = find_moved_images(known((old, b"one")), tmp_path)
    assert names(tmp_path, found.places) == {1: "deeper/p1/a.jpg"}
    assert (found.ambiguous, found.changed, found.closed) == ({}, {}, ())


def test_find_moved_images__the_same_name_and_size_are_not_trusted(tmp_path: Path) -> None:
    # As of BMP files, whose sizes are all alike; p1 is not there, and p2 holds another person.
    write(tmp_path, p2__0001=b"two")
    found = find_moved_images(known(("/old/p1/0001.jpg", b"one")), tmp_path)
    assert found.places == {}
    assert names(tmp_path, found.changed) == {1: "p2/0001.jpg"}


def test_find_moved_images__copies_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    write(tmp_path, x__query__a=b"same", x__gt_bbox__a=b"same")
    images = known(("/old/gt_bbox/a.jpg", b"same"), ("/old/query/a.jpg", b"same"))
    found = find_moved_images(images, tmp_path)
    assert names(tmp_path, found.places) == {1: "x/gt_bbox/a.jpg", 2: "x/query/a.jpg"}


def test_find_moved_images__a_whole_copy_beside_is_not_guessed(tmp_path: Path) -> None:
    write(tmp_path, copy__p__a=b"one", orig__p__a=b"one")
    found = find_moved_images(known(("/old/p/a.jpg", b"one")), tmp_path)
    assert found.places == {}
    assert [Path(path).parts[-3] for path in found.ambiguous[1]] == ["copy", "orig"]


def test_find_moved_images__one_file_is_not_given_to_two(tmp_path: Path) -> None:
    write(tmp_path, all__a=b"one")
    images = known(("/old/query/a.jpg", b"one"), ("/old/gallery/a.jpg", b"one"))
    found = find_moved_images(images, tmp_path)
    assert found.places == {}
    assert set(found.ambiguous) == {1, 2}


def test_find_moved_images__renamed_files_are_found_by_their_content(tmp_path: Path) -> None:
    write(tmp_path, one=b"1111", two=b"2222", three=b"3333")
    images = known(("/old/a.jpg", b"1111"), ("/old/b.jpg", b"3333"), ("/old/two.jpg", b"2222"))
    found = find_moved_images(images, tmp_path)
    assert names(tmp_path, found.places) == {1: "one.jpg", 2: "three.jpg", 3: "two.jpg"}


def test_find_moved_images__accents_taken_apart_and_other_case(tmp_path: Path) -> None:
    write(tmp_path, **{"cafe\u0301": b"one"})
    found = find_moved_images(known(("/old/CAF\u00c9.jpg", b"one")), tmp_path)
    assert list(found.places) == [1]


def test_find_moved_images__files_that_others_have_are_left_to_them(tmp_path: Path) -> None:
    write(tmp_path, a=b"one")
    taken = [str(tmp_path / "a.jpg")]
    found = find_moved_images(known(("/old/a.jpg", b"one")), tmp_path, taken=taken)
    assert found.places == found.ambiguous == {}


def test_find_moved_images__thousands_of_equal_images(tmp_path: Path) -> None:
    for number in range(600):
        write(tmp_path, **{f"p{number}__{number:04}": b"black"})
    images = known(*((f"/old/p{n}/{n:04}.jpg", b"black") for n in range(600)))
    images += [KnownImage(9999, "/old/gone.jpg", 5, hash_content(b"black"))]
    seen: list[tuple[int, int]] = []
    found = find_moved_images(images, tmp_path, on_progress=lambda *at: seen.append(at))
    assert len(found.places) == 600
    assert 9999 not in found.places
    assert seen[-1] == (600, 600)


def test_find_moved_images__no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a folder"):
        find_moved_images([], tmp_path / "none")
