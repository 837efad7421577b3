"""An adapted model as the re-ID network of a tracker, run on what the tracker feeds it.

How each tracker prepares a crop is written here from its own source: BoxMOT's
`boxmot/reid/core/crops.py` and Ultralytics' `ultralytics/trackers/utils/reid.py`.
"""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from pul.algorithm.features import extract_features
from pul.config import NetworkConfig
from pul.errors import ConfigError
from pul.exchange.models import export_model
from pul.models.network import Network, build_network, save_network
from tests.support.programs import random_statistics

SIZE = (256, 128)


def crops(n: int, size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Return crops (N, H, W, 3) in BGR, as OpenCV has them."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (n, size[0] // 16, size[1] // 16, 3), dtype=np.uint8)
    return coarse.repeat(16, axis=1).repeat(16, axis=2)


def boxmot_batch(bgr: np.ndarray) -> np.ndarray:
    """Return what BoxMOT feeds for crops of 256×128: its resize changes nothing then."""
    rgb = bgr[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)
    mean = np.array([0.485, 0.456, 0.406], dtype=np.float32).reshape(1, 3, 1, 1)
    std = np.array([0.229, 0.224, 0.225], dtype=np.float32).reshape(1, 3, 1, 1)
    return (rgb / 255.0 - mean) / std


def ultralytics_batch(bgr: np.ndarray, side: int) -> np.ndarray:
    """Return what Ultralytics feeds: squares, RGB in [0, 1]."""
    rgb = torch.from_numpy(bgr[..., ::-1].copy()).permute(0, 3, 1, 2).float() / 255.0
    return torch.nn.functional.interpolate(
        rgb, (side, side), mode="bilinear", align_corners=False
    ).numpy()


def network(**settings: object) -> Network:
    torch.manual_seed(0)
    colours = {"mean": (0.5, 0.4, 0.3), "std": (0.5, 0.6, 0.7)}
    config = NetworkConfig(
        backbone="mobilenet_v2", weights="none", width_mult=0.1, **{**colours, **settings}
    )
    built = build_network(config)
    random_statistics(built)
    return built


def run_onnx(path: Path, batch: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    (features,) = session.run([session.get_outputs()[0].name], {given.name: batch})
    return features


def run_torchscript(path: Path, batch: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.jit.load(path).float()
    with torch.no_grad():
        return module(torch.from_numpy(batch)).numpy()


@pytest.mark.parametrize(
    ("format", "name", "run"),
    [
        ("boxmot", "mine_osnet_x0_25.onnx", run_onnx),
        ("boxmot-torchscript", "osnet_x1_0_mine.torchscript", run_torchscript),
    ],
)
def test_export_model__boxmot_gets_our_features(
    tmp_path: Path, format: str, name: str, run: Callable[[Path, np.ndarray], np.ndarray]
) -> None:
    ours = network(height=256, width=128)
    save_network(ours, tmp_path / "m.safetensors")
    report = export_model(tmp_path / "m.safetensors", tmp_path / name, format=format)
    assert report.difference <= 1e-4
    bgr = crops(5, SIZE)
    expected = extract_features(ours, bgr[..., ::-1].copy())
    features = run(report.path, boxmot_batch(bgr))
    assert features.shape == (5, ours.n_features)
    assert np.abs(features - expected).max() <= 1e-4 * np.abs(expected).max()


def test_export_model__ultralytics_gets_our_features(tmp_path: Path) -> None:
    ours = network(height=96, width=96)
    save_network(ours, tmp_path / "m.safetensors")
    path = tmp_path / "reid.onnx"
    export_model(tmp_path / "m.safetensors", path, format="ultralytics")
    (given,) = onnxruntime.InferenceSession(str(path)).get_inputs()
    assert given.shape == ["batch", 3, 96, 96]  # Ultralytics takes the side from here
    bgr = crops(4, (96, 96))
    expected = extract_features(ours, bgr[..., ::-1].copy())
    features = run_onnx(path, ultralytics_batch(bgr, 96))
    assert np.abs(features - expected).max() <= 1e-4 * np.abs(expected).max()


def test_export_model__images_of_another_size_are_scaled_inside(tmp_path: Path) -> None:
    ours = network(height=128, width=64)
    save_network(ours, tmp_path / "m.safetensors")
    square = tmp_path / "reid.onnx"
    export_model(tmp_path / "m.safetensors", square, format="ultralytics")
    tall = tmp_path / "osnet_x0_25.onnx"
    export_model(tmp_path / "m.safetensors", tall, format="boxmot")
    bgr = crops(3, SIZE)
    halved = bgr[:, ::2, ::2, ::-1].copy()  # patches of 16 pixels: bilinear halving is exact
    expected = extract_features(ours, halved)
    for features in (
        run_onnx(tall, boxmot_batch(bgr)),
        run_onnx(square, ultralytics_batch(bgr[:, ::2], 128)),
    ):
        assert np.abs(features - expected).max() <= 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize(
    "name", ["model.onnx", "clip_osnet_x0_25.onnx", "osnet_x1_0_verified.onnx", "vit_tiny.onnx"]
)
def test_export_model__a_name_that_boxmot_misreads_is_refused(tmp_path: Path, name: str) -> None:
    save_network(network(height=64, width=32), tmp_path / "m.safetensors")
    with pytest.raises(ConfigError, match=r"BoxMOT looks for.*osnet_x0_25_mine\.onnx") as refused:
        export_model(tmp_path / "m.safetensors", tmp_path / name, format="boxmot")
    assert not (tmp_path / name).exists()
    advised = "osnet_x0_25_mine.onnx"
    assert advised in str(refused.value)
    assert export_model(tmp_path / "m.safetensors", tmp_path / advised, format="boxmot")
