"""Tiny networks and images for tests: seconds, not minutes."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike

from pul.arrays import ByteArray, IntArray
from pul.config import NetworkConfig, RunConfig, TrainConfig
from pul.models.network import Network, build_network

DEVICES = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
TINY = NetworkConfig(backbone="mobilenet_v2", weights="none", width_mult=0.1, height=32, width=16)
TINY_RUN = RunConfig(
    n_clusters=6,
    lambda_=0.5,
    n_iterations=2,
    projection=False,
    device="cpu",
    n_threads=1,
    finetune=TrainConfig(n_epochs=1, batch_size=8, learning_rate=0.01),
)


def tiny_network(seed: int = 0, *, columns: int = 16) -> Network:
    """Return a random MobileNetV2 of a tenth of the width for 32×16 images, or wider ones."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build_network(TINY.model_copy(update={"width": columns}))


def assert_close_features(found: ArrayLike, expected: ArrayLike, *, within: float = 1e-4) -> None:
    """Check that features differ by at most a share of the largest: small ones may not hide."""
    found, expected = np.asarray(found), np.asarray(expected)
    largest = np.abs(expected).max()
    assert largest > 0
    np.testing.assert_allclose(found / largest, expected / largest, rtol=0, atol=within)


def record_rates(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list that gets the learning rate of each step of SGD from now on."""
    rates: list[float] = []
    step = torch.optim.SGD.step

    def recorded(optimizer: torch.optim.SGD, *rest: Any) -> Any:
        rates.append(optimizer.param_groups[0]["lr"])
        return step(optimizer, *rest)

    monkeypatch.setattr(torch.optim.SGD, "step", recorded)
    return rates


def coloured_images(
    n_people: int = 6, n_images_each: int = 8, *, seed: int = 0
) -> tuple[ByteArray, IntArray]:
    """Return images (N, 32, 16, 3) of people in patches of colour, and who they are (N,)."""
    random = np.random.default_rng(seed)
    patches = random.integers(0, 256, size=(n_people, 8, 4, 3)).repeat(4, axis=1).repeat(4, axis=2)
    pids = np.repeat(np.arange(1, n_people + 1), n_images_each)
    images = patches[pids - 1] + random.normal(0, 25, size=(len(pids), 32, 16, 3))
    return images.clip(0, 255).astype(np.uint8), pids.astype(np.int64)
