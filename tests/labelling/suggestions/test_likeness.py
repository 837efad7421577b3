"""Who is alike, of made-up people: tracklets, clocks, colours, and the index of an iteration."""

import numpy as np
import pytest

from pul.arrays import l2_normalize
from pul.data.footage import embed, find_tracklets
from pul.errors import FeatureError
from pul.labelling.annotations import Annotations
from pul.labelling.suggestions import (
    Footage,
    build_index,
    suggest_more,
)
from pul.labelling.suggestions.clocks import learn_clocks, unset_clocks
from pul.labelling.suggestions.colours import describe_colours
from tests.support.people import make_people


def test_find_tracklets__near_frames_and_alike() -> None:
    #          one person, near | one far in time | another person | another camera
    embedding = np.eye(2, dtype=np.float32)[[0, 0, 0, 1, 0]]
    footage = Footage.of(np.array([1, 1, 1, 1, 2]), frames=np.array([10, 20, 900, 15, 10]))
    assert find_tracklets(embedding, footage).tolist() == [0, 0, 1, 2, 3]


def test_find_tracklets__frames_of_two_recordings_do_not_compare() -> None:
    embedding = np.ones((2, 1), dtype=np.float32)
    cameras, frames = np.array([1, 1]), np.array([10, 20])
    assert find_tracklets(embedding, Footage.of(cameras, frames=frames)).tolist() == [0, 0]
    apart = Footage.of(cameras, frames=frames, recordings=np.array([1, 2]))
    assert find_tracklets(embedding, apart).tolist() == [0, 1]


def test_find_tracklets__those_that_the_data_names() -> None:
    embedding = np.eye(3, dtype=np.float32)
    footage = Footage.of(np.array([1, 1, 1]), tracklets=["a", "", "a"])
    assert find_tracklets(embedding, footage).tolist() == [0, 1, 0]


def test_footage__columns_of_different_length() -> None:
    with pytest.raises(FeatureError, match="one length"):
        Footage.of(np.array([1, 2]), frames=np.array([1]))


def test_embed__takes_off_what_a_camera_adds() -> None:
    people = make_people(noise=0.1)
    embedding = embed(people.features, people.camids)
    cosines = embedding @ embedding.T
    one_person = people.pids[:, None] == people.pids
    across = people.camids[:, None] != people.camids
    assert cosines[one_person & across].min() > cosines[~one_person & ~across].max()


def passers_by(
    n_people: int, late: int, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return means, cameras and times: everyone passes camera 1, and `late` frames on camera 2."""
    random = np.random.default_rng(seed)
    looks = random.normal(size=(n_people, 16))
    means = np.concatenate([looks, looks]) + 0.5 * random.normal(size=(2 * n_people, 16))
    times = random.uniform(0, 500_000, n_people)
    cameras = np.repeat([1, 2], n_people)
    return l2_normalize(means), cameras, np.concatenate([times, times + late])


def bonuses_between(means: np.ndarray, cameras: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the bonus of each person's two tracklets, and of each with the next person's."""
    clocks = unset_clocks(cameras, np.zeros_like(cameras), times)
    clocks = learn_clocks(clocks, means, cameras)
    n_people = len(times) // 2
    table = clocks.bonus(np.arange(n_people), np.arange(n_people, 2 * n_people))
    assert np.array_equal(
        table, clocks.bonus(np.arange(n_people, 2 * n_people), np.arange(n_people)).T
    )
    return np.stack([np.diag(table), np.diag(np.roll(table, -1, axis=1))])


@pytest.mark.parametrize("late", [0, 30_000, -12_000])
def test_clocks__learn_how_much_later_one_camera_is(late: int) -> None:
    own, others = bonuses_between(*passers_by(300, late))
    assert own.min() > 0.05
    assert np.median(others) <= 0


def test_clocks__say_nothing_where_they_do_not_agree() -> None:
    means, cameras, times = passers_by(300, 0)
    times[300:] = np.random.default_rng(1).permutation(times[300:])
    own, _ = bonuses_between(means, cameras, times)
    agreeing, _ = bonuses_between(*passers_by(300, 0))
    assert own.mean() < agreeing.mean() / 5


def test_clocks__unknown_times_and_cameras_add_nothing() -> None:
    means, cameras, times = passers_by(50, 0)
    times[:10], cameras[50:60] = np.nan, -1
    clocks = unset_clocks(cameras, np.zeros_like(cameras), times)
    clocks = learn_clocks(clocks, means, cameras)
    assert not clocks.bonus(np.arange(10), np.arange(100)).any()
    assert not clocks.bonus(np.arange(100), np.arange(50, 60)).any()
    nobody = unset_clocks(cameras, cameras, np.full(100, np.nan))
    assert not learn_clocks(nobody, means, cameras).bonus(np.arange(100), np.arange(100)).any()


def test_clocks__two_recordings_tell_only_how_often_people_come_back() -> None:
    means, cameras, times = passers_by(300, 0)
    recordings = np.tile(np.arange(300) % 2, 2)  # everyone is in one of two recordings
    clocks = learn_clocks(unset_clocks(cameras, recordings, times), means, cameras)
    across = clocks.bonus(np.array([0]), 300 + np.arange(1, 300, 2))
    assert len(np.unique(across)) == 1
    assert across[0, 0] < 0


def test_affinities__are_cosine_and_bonus() -> None:
    tracklets = make_people(40).index().tracklets
    left, right = np.array([0, 1]), np.array([2, 3, 4])
    cosines = tracklets.means[left] @ tracklets.means[right].T
    expected = cosines + tracklets.clocks.bonus(left, right)
    assert np.allclose(tracklets.affinities(left, right), expected)


def test_describe_colours__strips_from_head_to_foot() -> None:
    image = np.zeros((64, 32, 3), np.uint8)
    image[:32] = [255, 0, 0]  # red above, blue below
    image[32:] = [0, 0, 255]
    mirrored, other = image[:, ::-1], image[::-1]
    described = describe_colours(np.stack([image, mirrored, other]))
    strips = described.reshape(3, 8, -1)
    assert np.allclose((strips**2).sum(axis=2), 1)
    assert np.array_equal(described[0], described[1])
    assert np.allclose(strips[0], strips[2, ::-1])
    assert (strips[0, 0] @ strips[0, 7], strips[0, 0] @ strips[0, 2]) == (0, 1)
    assert 0 < strips[0, 3] @ strips[0, 4] < 1  # each takes in half of the other


def test_build_index__colours_tell_apart_whom_features_do_not() -> None:
    people = make_people(12)
    plain = np.random.default_rng(0).normal(size=people.features.shape).astype(np.float32)
    colours = np.abs(people.features)
    own = people.image_ids[people.pids == 4]
    given = own[people.camids[people.pids == 4] == 1]

    def n_found(colours: np.ndarray | None) -> int:
        similarities = np.full(len(plain), 0.9, np.float32)
        footage = Footage.of(people.camids)
        index = build_index(
            plain, people.clusters, similarities, people.image_ids, footage, colours=colours
        )
        row = suggest_more(index, Annotations(), given)
        return len({image for other in row for image in other.images.tolist()} & set(own.tolist()))

    assert n_found(colours) > n_found(None)


def test_build_index__refuses_arrays_of_different_length() -> None:
    people = make_people()
    with pytest.raises(FeatureError, match="one length"):
        build_index(
            people.features,
            people.clusters[1:],
            np.ones(len(people.pids), np.float32),
            people.image_ids,
            people.footage(),
        )
