"""The memory of clusters in cameras: its losses by hand, its updates, what it is built from."""

import numpy as np
import pytest
import torch

from pul.algorithm.camera_memory import CameraMemory
from pul.algorithm.finetuning import finetune
from pul.algorithm.losses import TrainingSet, build_loss
from pul.config import TrainConfig
from tests.support.networks import coloured_images, tiny_network

# Proxies: cluster 0 in cameras 0 and 1, cluster 1 in cameras 0 and 2.
VECTORS = torch.tensor([[1.0, 0], [0.6, 0.8], [0, 1], [-1, 0]])
CLUSTERS, CAMERAS = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 2])


def memory(**settings):
    return CameraMemory(VECTORS, CLUSTERS, CAMERAS, temperature=0.5, **settings)


def test_camera_memory__within_and_across_by_hand():
    # An image (0.8, 0.6) of cluster 0 in camera 0: cosines 0.8, 0.96, 0.6, -0.8, twice as logits.
    image, place = torch.tensor([[4.0, 3.0]]), (torch.tensor([0]), torch.tensor([0]))
    within = -np.log(np.exp(1.6) / (np.exp(1.6) + np.exp(1.2)))  # camera 0: proxies 0 and 2
    across = -np.log(np.exp(1.92) / (np.exp(1.92) + np.exp(1.2) + np.exp(-1.6)))
    assert memory(across_weight=0).eval()(image, *place).item() == pytest.approx(within)
    both = memory(across_weight=0.5).eval()(image, *place).item()
    assert both == pytest.approx(within + 0.5 * across)
    one = memory(across_weight=1, n_negatives=1).eval()(image, *place).item()
    hardest = -np.log(np.exp(1.92) / (np.exp(1.92) + np.exp(1.2)))
    assert one == pytest.approx(within + hardest)


def test_camera_memory__the_target_is_spread_over_the_other_cameras():
    vectors = torch.tensor([[1.0, 0], [0.6, 0.8], [0, 1], [-1, 0]])
    clusters, cameras = torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1, 2, 0])
    loss = CameraMemory(vectors, clusters, cameras, temperature=1, across_weight=1).eval()
    value = loss(torch.tensor([[1.0, 0]]), torch.tensor([0]), torch.tensor([0])).item()
    total = np.exp(0.6) + np.exp(0) + np.exp(-1)  # two of other cameras, one of another cluster
    across = -(0.6 + 0) / 2 + np.log(total)
    within = -1 + np.log(np.exp(1) + np.exp(-1))
    assert value == pytest.approx(within + across)


def test_camera_memory__a_cluster_of_one_camera_has_no_loss_across_and_no_nan():
    loss = CameraMemory(VECTORS[:1], CLUSTERS[:1], CAMERAS[:1], across_weight=1)
    image = torch.tensor([[4.0, 3.0]], requires_grad=True)
    value = loss(image, torch.tensor([0]), torch.tensor([0]))
    value.backward()
    assert value.item() == 0
    assert torch.isfinite(image.grad).all()


def test_camera_memory__a_proxy_moves_to_the_mean_of_its_images():
    loss = memory(momentum=0.25).train()
    images = torch.tensor([[3.0, 4.0], [8.0, 6.0], [0.0, -2.0]])
    loss(images, torch.tensor([0, 0, 1]), torch.tensor([0, 0, 2]))
    first = 0.25 * np.array([1, 0]) + 0.75 * np.array([0.7, 0.7])
    last = 0.25 * np.array([-1, 0]) + 0.75 * np.array([0, -1])
    expected = [first / np.linalg.norm(first), [0.6, 0.8], [0, 1], last / np.linalg.norm(last)]
    np.testing.assert_allclose(loss.memory, expected, rtol=1e-6, atol=1e-7)


def test_build_loss__a_proxy_for_each_cluster_in_each_camera():
    classes, cameras = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1])
    features = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], dtype=np.float32)
    config = TrainConfig(loss="camera_memory", memory_temperature=0.07, across_cameras_weight=0.3)
    loss = build_loss(config, TrainingSet(classes, cameras, 2, features))
    assert (loss.temperature, loss.across_weight, loss.n_negatives) == (0.07, 0.3, 50)
    half = 0.5**0.5
    np.testing.assert_allclose(loss.memory, [[1, 0], [half, half], [0, 1]], rtol=1e-6)
    assert loss.proxy_of.tolist() == [[0, 1], [-1, 2]]


def test_finetune__camera_memory_learns_and_takes_cameras_of_any_number():
    pixels, pids = coloured_images(4, 8)
    config = TrainConfig(
        loss="camera_memory", n_epochs=12, batch_size=16, learning_rate=0.02, bn_momentum=0.1,
        memory_momentum=0.9, memory_temperature=0.07, other_cameras=True,
    )  # fmt: skip
    camids = np.tile([7, -1], 16)
    result = finetune(tiny_network(), pixels, pids, config, seed=0, camids=camids)
    assert result.epoch_losses[-1] < result.epoch_losses[0]
