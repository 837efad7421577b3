"""Names of images."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pul.data.samples import ParsedName, parse_name

ids = st.integers(-1, 99_999)
cameras = st.integers(0, 99)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("0002_c1s1_000451_03.jpg", ParsedName(2, 1, 1, 451)),
        ("0002_c1s1_000451_03.jpg.jpg", ParsedName(2, 1, 1, 451)),
        ("-1_c3s2_000001_00.jpg", ParsedName(-1, 3, 2, 1)),
        ("0000_c6s4_002427_01.jpg", ParsedName(0, 6, 4, 2427)),
        ("0001_c2_f0046182.jpg", ParsedName(1, 2, None, 46182)),
        ("1501_c12s10_000001_00.png", ParsedName(1501, 12, 10, 1)),
        ("0551_c1_f01.png", ParsedName(551, 1, None, 1)),
        ("0003_c2_21.png", ParsedName(3, 2, None, 21)),
        ("0003_c2_left.png", ParsedName(3, 2, None, None)),
        ("0003_c2.png", ParsedName(3, 2, None, None)),
        ("0003_c2_12ab.png", ParsedName(3, 2, None, None)),
        ("0003_c2s1_\n'\".png", ParsedName(3, 2, 1, None)),
    ],
)
def test_parse_name__forms_that_exist(name: str, expected: ParsedName) -> None:
    assert parse_name(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Thumbs.db",
        "x_c1.jpg",
        "a_0002_c1s1_000451_03.jpg",
        "--1_c1s1_000451_03.jpg",
        "0002c1s1_000451_03.jpg",
        "0002_cs1_000451_03.jpg",
        "0002_c1x_000451.jpg",
        "0000_000_01_0303morning_0015_0.jpg",
        "٣_c1s1_000451_03.jpg",
        "9" * 12 + "_c1s1_000001_00.jpg",
    ],
)
def test_parse_name__other_names(name: str) -> None:
    assert parse_name(name) is None


@given(ids, cameras, st.integers(0, 99), st.integers(0, 999_999), st.integers(0, 99))
def test_parse_name__market_round_trip(
    pid: int, camid: int, sequence: int, frame: int, box: int
) -> None:
    number = "-1" if pid == -1 else f"{pid:04d}"
    name = f"{number}_c{camid}s{sequence}_{frame:06d}_{box:02d}.jpg"
    assert parse_name(name) == ParsedName(pid, camid, sequence, frame)


@given(ids, cameras, st.integers(0, 9_999_999))
def test_parse_name__duke_round_trip(pid: int, camid: int, frame: int) -> None:
    number = "-1" if pid == -1 else f"{pid:04d}"
    assert parse_name(f"{number}_c{camid}_f{frame:07d}.jpg") == ParsedName(pid, camid, None, frame)


@given(st.text(max_size=60))
def test_parse_name__any_text_is_no_error(name: str) -> None:
    parsed = parse_name(name)
    assert parsed is None or name.startswith(("-1_c", *"0123456789"))


def test_parse_name__nobody_is_no_person_and_no_junk() -> None:
    """PRW calls people whom nobody knows -2."""
    name = parse_name("-2_c3s1_000451_03.jpg")
    assert name is not None
    assert (name.person, name.camid, name.frame) == (None, 3, 451)
    junk = parse_name("-1_c3s1_000451_03.jpg")
    assert junk is not None
    assert junk.person == -1
