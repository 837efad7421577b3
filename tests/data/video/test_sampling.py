"""Which boxes become crops: every n-th, at most m, unoccluded first."""

import pytest

from pul.data.tracks import TrackBox
from pul.data.video.sampling import Candidate, SamplingRule, measure_hidden, sample_track
from pul.errors import ConfigError


def candidates(*frames: int, hidden: dict[int, float] | None = None) -> list[Candidate]:
    hidden = hidden or {}
    return [
        Candidate(TrackBox("1", frame, 0, 0, 10, 20), hidden.get(frame, 0.0)) for frame in frames
    ]


def frames(stretches: list[list[Candidate]]) -> list[list[int]]:
    return [[x.box.frame for x in stretch] for stretch in stretches]


def test_sample_track__takes_every_nth_frame_from_its_first() -> None:
    found = sample_track(candidates(*range(7, 30)), SamplingRule(every=5, most=99))
    assert frames(found) == [[7], [12], [17], [22], [27]]


def test_sample_track__counts_frames_not_boxes() -> None:
    # After a gap the next box counts, as it is far enough from the one before.
    found = sample_track(candidates(1, 2, 30, 31, 33, 35), SamplingRule(every=4, most=99))
    assert frames(found) == [[1], [30], [35]]


def test_sample_track__divides_the_way_into_as_many_stretches_as_crops() -> None:
    found = sample_track(candidates(*range(10)), SamplingRule(every=1, most=3))
    assert frames(found) == [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]


def test_sample_track__takes_unoccluded_ones_first() -> None:
    hidden = {0: 0.9, 1: 0.31, 2: 0.5, 5: 0.8}
    known = candidates(*range(6), hidden=hidden)
    assert frames(sample_track(known, SamplingRule(every=1, most=2))) == [[3], [4]]
    # Too few are clear: the least hidden others make up the number, in order of time.
    assert frames(sample_track(known, SamplingRule(every=1, most=4))) == [[1], [2], [3], [4]]


def test_sample_track__keeps_a_track_that_is_hidden_throughout() -> None:
    known = candidates(0, 1, 2, hidden={0: 0.9, 1: 0.7, 2: 0.8})
    assert frames(sample_track(known, SamplingRule(every=1, most=1))) == [[1]]


@pytest.mark.parametrize("rule", [{"every": 0}, {"most": 0}])
def test_sampling_rule__is_checked(rule: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        SamplingRule(**rule)


def test_measure_hidden__is_the_share_that_a_nearer_box_covers() -> None:
    behind = TrackBox("1", 5, 0, 0, 10, 20)
    before = TrackBox("2", 5, 5, 10, 10, 20)  # its lower edge is lower: nearer to the camera
    elsewhere = TrackBox("3", 6, 0, 0, 10, 40)  # another frame
    found = measure_hidden([behind, before, elsewhere], (100, 100))
    # 5 × 10 of the 10 × 20 pixels.
    assert found == {(5, "1"): 0.25, (5, "2"): 0.0, (6, "3"): 0.0}


def test_measure_hidden__counts_what_lies_outside_and_what_the_file_says() -> None:
    boxes = [
        TrackBox("1", 1, -4, 0, 10, 20),
        TrackBox("2", 1, 95, 90, 10, 20),
        TrackBox("3", 1, 40, 0, 10, 20, visibility=0.4),
        TrackBox("4", 1, 60, 0, 10, 20, is_occluded=True),
        TrackBox("5", 1, 80, 0, 0, 20),
    ]
    found = measure_hidden(boxes, (100, 100))
    assert found == pytest.approx(
        {(1, "1"): 0.4, (1, "2"): 0.75, (1, "3"): 0.6, (1, "4"): 0.5, (1, "5"): 1.0}
    )
