"""The order in which images come to a loss."""

from collections import Counter

import numpy as np
import pytest

from pul.algorithm.sampling import sample_batches
from pul.config import TrainConfig

CLASSES = np.array([0] * 5 + [1] * 4 + [2] * 2)
MEMORY = TrainConfig(loss="cluster_memory", batch_size=8, n_instances=4, other_cameras=True)


def batches_of(classes, config, cameras=None):
    cameras = np.zeros_like(classes) if cameras is None else cameras
    return sample_batches(classes, cameras, config, np.random.default_rng(0))


def test_sample_batches__instances_of_a_class_are_a_setting():
    classes = np.repeat(np.arange(10), 8)
    config = TrainConfig(loss="cluster_memory", batch_size=16, n_instances=8)
    for batch in batches_of(classes, config):
        counts = np.bincount(classes[batch], minlength=10)
        assert sorted(counts[counts > 0]) == [8, 8]


def test_sample_batches__softmax_sees_each_image_once():
    config = TrainConfig(batch_size=3)
    batches = list(batches_of(CLASSES, config))
    assert [len(batch) for batch in batches] == [3, 3, 3, 2]
    assert sorted(np.concatenate(batches)) == list(range(11))


def test_sample_batches__a_last_single_image_is_left_out():
    batches = list(batches_of(CLASSES, TrainConfig(batch_size=5)))
    assert [len(batch) for batch in batches] == [5, 5]


def test_sample_batches__small_set_is_one_batch():
    batches = list(batches_of(CLASSES, TrainConfig(batch_size=64)))
    assert [len(batch) for batch in batches] == [11]


def test_sample_batches__pairs_come_together_for_triplets():
    classes = np.repeat(np.arange(20), 8)
    config = TrainConfig(loss="triplet", batch_size=16)
    for batch in batches_of(classes, config):
        counts = np.bincount(classes[batch], minlength=20)
        assert set(counts[counts > 0]) <= {4, 8}


def test_sample_batches__an_anchor_and_images_of_other_cameras():
    classes, cameras = np.repeat(np.arange(6), 9), np.tile(np.arange(3), 18)
    batches = list(batches_of(classes, MEMORY, cameras))
    assert [len(batch) for batch in batches] == [8] * (54 // 8)
    for batch in batches:
        for group in batch.reshape(-1, 4):
            assert len(set(classes[group])) == 1
            assert cameras[group[0]] not in cameras[group[1:]]
            assert len(set(group)) == 4  # there are six others: none comes again


@pytest.mark.parametrize(
    ("cameras", "others"),
    [
        ([0, 1, 1, 1], {0: {1, 2, 3}, 1: {0}, 2: {0}, 3: {0}}),
        ([5, 5, 5, 5], {0: {1, 2, 3}, 1: {0, 2, 3}, 2: {0, 1, 3}, 3: {0, 1, 2}}),
    ],
)
def test_sample_batches__too_few_others_come_again_and_one_camera_will_do(cameras, others):
    config = MEMORY.replace(batch_size=4, n_steps=40)
    for anchor, *rest in batches_of(np.zeros(4, dtype=int), config, np.array(cameras)):
        assert set(rest) <= others[anchor]
        assert len(set(rest)) == min(3, len(others[anchor]))


def test_sample_batches__a_class_of_one_image_comes_only_where_all_are_such():
    classes = np.array([0, 0, 1])
    config = MEMORY.replace(batch_size=4, n_steps=9)
    drawn = np.concatenate(list(batches_of(classes, config)))
    assert set(drawn.tolist()) == {0, 1}
    alone = np.concatenate(list(batches_of(np.arange(3), config)))
    assert Counter(alone.tolist()).keys() == {0, 1, 2}


@pytest.mark.parametrize("loss", ["softmax", "triplet", "cluster_memory"])
def test_sample_batches__so_many_whole_batches_as_asked_for(loss):
    for n_steps in (1, 2, 7):
        config = TrainConfig(loss=loss, batch_size=4, n_steps=n_steps)
        batches = list(batches_of(CLASSES, config))
        assert [len(batch) for batch in batches] == [4] * n_steps
    counts = Counter(np.concatenate(batches).tolist())  # 28 of 11 images: two rounds and a half
    assert set(counts.values()) == {2, 3}
