"""Models out of a workspace, in the formats of others."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from pul.algorithm.features import extract_features
from pul.errors import ConfigError, ModelError
from pul.exchange.models import MODEL_FORMATS, export_model
from pul.models.network import load_network
from tests.support.networks import assert_close_features, coloured_images


def test_export_model__torchscript_takes_bytes_and_floats(tmp_path: Path, checkpoint: Path) -> None:
    path = tmp_path / "model.pt"
    report = export_model(checkpoint, path, format="torchscript")
    assert (report.height, report.width, report.difference <= 1e-4) == (32, 16, True)
    pixels, _ = coloured_images(2, 3)
    expected = torch.from_numpy(extract_features(load_network(checkpoint), pixels))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        module = torch.jit.load(path)
    floats = torch.from_numpy(pixels.astype(np.float32))
    with torch.inference_mode():
        assert_close_features(module(torch.from_numpy(pixels)), expected)
        assert_close_features(module(floats), expected)
    assert np.array_equal(floats.numpy(), pixels)  # what it was given is not changed


@pytest.mark.parametrize("format", MODEL_FORMATS)
def test_export_model__gives_the_same_features(
    tmp_path: Path, checkpoint: Path, format: str
) -> None:
    report = export_model(
        checkpoint, tmp_path / f"osnet_x0_25{MODEL_FORMATS[format].suffix}", format=format
    )
    assert 0.0 <= report.difference <= 1e-4
    assert len(list(tmp_path.iterdir())) == 1


def test_export_model__safetensors_is_the_network(tmp_path: Path, checkpoint: Path) -> None:
    path = tmp_path / "model.safetensors"
    assert export_model(checkpoint, path, format="safetensors").difference == 0.0
    assert load_network(path).config == load_network(checkpoint).config


def test_export_model__keeps_nothing_that_differs(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.pt"
    monkeypatch.setattr("pul.exchange.models.TOLERANCE", -1.0)
    with pytest.raises(ModelError, match="was not written"):
        export_model(checkpoint, path, format="torchscript")
    assert list(tmp_path.iterdir()) == []


def test_export_model__refuses_what_makes_no_sense(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"'tflite'.*torchscript"):
        export_model(checkpoint, tmp_path / "x", format="tflite")
    with pytest.raises(ConfigError, match="another name, or delete"):
        export_model(checkpoint, checkpoint, format="safetensors")
    monkeypatch.setitem(sys.modules, "onnx", None)  # as where it is not installed
    with pytest.raises(ConfigError, match="needs the package onnx"):
        export_model(checkpoint, tmp_path / "x", format="onnx")
