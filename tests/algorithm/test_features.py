import numpy as np
import pytest
import torch

from pul.algorithm.features import extract_features
from pul.errors import ConfigError, FeatureError
from pul.models.precision import autocast
from tests.support.networks import assert_close_features, coloured_images, tiny_network


def test_extract_features__is_the_network_in_evaluation_mode():
    network, (pixels, _) = tiny_network(), coloured_images(2, 3)
    network.train()
    features = extract_features(network, pixels)
    images = (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - network.mean) / network.std
    with torch.no_grad():
        expected = network.eval()(images).numpy()
    assert_close_features(features, expected)
    assert features.dtype == np.float32


def test_extract_features__batch_size_changes_nothing_and_progress_counts():
    network, (pixels, _) = tiny_network(), coloured_images(2, 5)
    seen = []
    whole = extract_features(network, pixels)
    parts = extract_features(
        network, pixels, batch_size=4, on_progress=lambda done, total: seen.append((done, total))
    )
    assert_close_features(parts, whole)
    assert seen == [(4, 10), (8, 10), (10, 10)]


def test_extract_features__mirrored_pair_has_one_feature_with_flip():
    network, (pixels, _) = tiny_network(), coloured_images(1, 1)
    both = np.concatenate([pixels, pixels[:, :, ::-1]])
    features = extract_features(network, both, flip=True)
    assert_close_features(features[0], features[1])


def test_extract_features__flip_adds_the_feature_of_the_mirrored_image():
    network, (pixels, _) = tiny_network(), coloured_images(2, 2)
    alone, mirrored = (extract_features(network, each) for each in (pixels, pixels[:, :, ::-1]))
    flipped = extract_features(network, pixels, flip=True)
    assert_close_features(flipped, alone + mirrored)


def test_extract_features__bfloat16_points_the_same_way(monkeypatch):
    monkeypatch.setattr(
        "pul.models.precision.has_bfloat16", lambda _: True
    )  # or let it be emulated
    network, pixels = tiny_network(columns=48), coloured_images(3, 3)[0].repeat(3, axis=2)
    full = extract_features(network, pixels)
    half = extract_features(network, pixels, precision="bfloat16")
    assert (full != half).any()
    cosines = (full * half).sum(1) / np.linalg.norm(full, axis=1) / np.linalg.norm(half, axis=1)
    assert cosines.min() > 0.99


def test_extract_features__bfloat16_is_float32_where_it_would_be_emulated(monkeypatch):
    monkeypatch.setattr("pul.models.precision.has_bfloat16", lambda _: False)
    network, pixels = tiny_network(columns=48), coloured_images(2, 2)[0].repeat(3, axis=2)
    full, half = (extract_features(network, pixels, precision=p) for p in ("float32", "bfloat16"))
    np.testing.assert_array_equal(half, full)


@pytest.mark.parametrize(("columns", "is_mixed"), [(16, False), (32, False), (33, True)])
def test_autocast__needs_more_than_one_column_in_the_last_map(columns, is_mixed, monkeypatch):
    monkeypatch.setattr("pul.models.precision.has_bfloat16", lambda _: True)
    with autocast(torch.empty(2, 3, 64, columns), "bfloat16") as context:
        assert torch.is_autocast_enabled("cpu") is is_mixed
        assert context.fast_dtype is torch.bfloat16
    with autocast(torch.empty(2, 3, 64, columns), "float32"):
        assert not torch.is_autocast_enabled("cpu")
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, columns, 3), dtype=np.uint8)
    network = tiny_network(columns=columns)
    full, half = (extract_features(network, pixels, precision=p) for p in ("float32", "bfloat16"))
    assert (full != half).any() == is_mixed


def test_extract_features__no_images():
    network = tiny_network()
    assert extract_features(network, np.empty((0, 32, 16, 3), np.uint8)).shape == (0, 1280)


def test_extract_features__wrong_size_says_both():
    with pytest.raises(ConfigError, match=r"32, 16.*\(2, 8, 8, 3\)"):
        extract_features(tiny_network(), np.zeros((2, 8, 8, 3), np.uint8))


def test_extract_features__diverged_network_is_noticed():
    network, (pixels, _) = tiny_network(), coloured_images(1, 2)
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    with pytest.raises(FeatureError, match="2 of 2 rows"):
        extract_features(network, pixels)
