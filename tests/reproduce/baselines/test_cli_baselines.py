import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from pul.cli.baselines import app
from pul.errors import ConfigError, DataError

COLORS = {1: (200, 30, 30), 2: (30, 160, 40), 3: (40, 40, 200)}


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def market(tmp_path: Path) -> Path:
    """Three people in clothes of a colour of their own, each seen by two cameras."""
    rng = np.random.default_rng(0)
    for folder, camid in (("bounding_box_train", 1), ("query", 1), ("bounding_box_test", 2)):
        (tmp_path / folder).mkdir()
        for pid, color in COLORS.items():
            pixels = np.clip(rng.normal(color, 10, (128, 64, 3)), 0, 255).astype(np.uint8)
            path = tmp_path / folder / f"{pid:04}_c{camid}s1_000001_00.jpg"
            Image.fromarray(pixels).save(path, quality=95)
    return tmp_path


@pytest.mark.parametrize("arguments", [("bow",), ("lomo",), ("lomo", "--retinex")])
def test_evaluate_baseline__json(market: Path, arguments: tuple[str, ...]) -> None:
    feature, *options = arguments
    result = invoke(feature, market, *options, "--ap", "step", "--json")
    assert result.exit_code == 0, result.output
    metrics = json.loads(result.stdout)
    assert metrics["ap_method"] == "step"
    assert metrics["n_queries"] == 3
    if not options:  # Retinex takes the one colour of these clothes away
        assert metrics["rank_1"] == metrics["mean_ap"] == 1


def test_evaluate_baseline__umdl_learns_from_sources(market: Path) -> None:
    result = invoke("umdl", market, "--source", market, "--images", 3, "--iterations", 1, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["n_queries"] == 3


def test_evaluate_baseline__prints_the_definition(market: Path) -> None:
    result = invoke("lomo", market)
    assert result.exit_code == 0, result.output
    assert "mAP (trapezoid)" in result.output
    assert "100.0" in result.output


def test_evaluate_baseline__options_of_the_other_feature(market: Path) -> None:
    assert isinstance(invoke("lomo", market, "--tables", market).exception, ConfigError)
    assert isinstance(invoke("bow", market, "--retinex").exception, ConfigError)
    assert isinstance(invoke("bow", market, "--source", market).exception, ConfigError)
    assert isinstance(invoke("umdl", market).exception, ConfigError)


def test_evaluate_baseline__nothing_to_fit_on(market: Path) -> None:
    for path in (market / "bounding_box_train").iterdir():
        path.unlink()
    error = invoke("bow", market).exception
    assert isinstance(error, DataError)
    assert "--tables" in str(error)


def test_evaluate_baseline__tables_that_are_not_there(market: Path) -> None:
    error = invoke("bow", market, "--tables", market / "absent").exception
    assert isinstance(error, DataError)
    assert "w2c.mat" in str(error)
