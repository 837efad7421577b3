"""Runs of Algorithm 1 on a tiny place, in memory: 6 people, a network of a tenth of the width."""

import copy

import numpy as np
import torch

from pul.algorithm.events import EvaluationSet, IterationFinished
from pul.algorithm.loop import run
from pul.config import RunConfig, TrainConfig
from tests.support.networks import coloured_images

CONFIG = RunConfig(
    n_clusters=6,
    lambda_=0.5,
    n_iterations=3,
    convergence_tolerance=0,
    projection=False,
    n_threads=1,
    device="cpu",
    finetune=TrainConfig(n_epochs=1, batch_size=16, learning_rate=0.01),
)


def tiny_place():
    """Return the images (48, 32, 16, 3) and who they show (48,)."""
    return coloured_images()


def tiny_evaluation():
    """Return a test set of five other people in two cameras."""
    pids = tiny_place()[1]
    others, other_pids = coloured_images(5, 4, seed=1)
    camids = np.tile([1, 2], 10)
    return EvaluationSet(
        others[::2], others, other_pids[::2], camids[::2], other_pids, camids, train_pids=pids
    )


def finished(network, pixels, config, **options):
    """Run to the end; return copies of what each iteration gave."""
    return [
        (event.record, event.arrays, copy.deepcopy(event.network.state_dict()))
        for event in run(network, pixels, config, **options)
        if isinstance(event, IterationFinished)
    ]


def assert_same(one, two):
    (record, arrays, state), (other_record, other_arrays, other_state) = one, two
    for name in ("features", "clusters", "centroids", "centers", "similarities", "reliable"):
        np.testing.assert_array_equal(getattr(arrays, name), getattr(other_arrays, name), name)
    np.testing.assert_array_equal(arrays.points, other_arrays.points)
    assert record.epoch_losses == other_record.epoch_losses
    assert record.metrics == other_record.metrics
    assert all(torch.equal(state[name], other_state[name]) for name in state)
