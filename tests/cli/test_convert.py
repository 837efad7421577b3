"""`pul convert`, and the advice to use it where a model of another program is named."""

import json
import re
import shlex
from pathlib import Path

import pytest
import torch

from pul.errors import ConfigError, ModelError, PulError
from pul.models.network import read_network_config
from tests.cli.test_commands import FAST, call
from tests.support.networks import tiny_network
from tests.support.places import write_place
from tests.support.programs import PROGRAMS


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_place(tmp_path_factory.mktemp("place") / "market")


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A small network's weights as another program keeps them, in a folder with a space."""
    folder = tmp_path / "their models"
    folder.mkdir()
    state = {f"encoder.{n}": v for n, v in tiny_network().trunk.state_dict().items()}
    torch.save({"weights": state, "epoch": 3}, folder / "best.pth.tar-12")
    return folder / "best.pth.tar-12"


def advised(error: BaseException) -> list[str]:
    """Return the words of the command that a message advises."""
    assert "\n" not in str(error)
    command = re.search(r"`python -m pul (convert [^`]+)`", str(error))
    return shlex.split(command[1])


def test_model__the_advice_is_obeyed_and_works(
    tmp_path: Path, place: Path, foreign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="PyTorch checkpoint of another program") as refused:
        call("evaluate", foreign, place)
    words = advised(refused.value)
    size = ("--height", 32, "--width", 16)
    assert "Network: mobilenet_v2, width_mult 0.1" in call(*words, *size).stdout
    model = words[words.index("--out") + 1]
    assert json.loads(call("evaluate", model, place, "--json").stdout)["n_queries"] == 10
    call("import", place, "--workspace", "w")
    with pytest.raises(ModelError) as refused:
        call("run", "--workspace", "w", "--model", foreign, *FAST)
    assert advised(refused.value)[0] == "convert"
    done = call("run", "--workspace", "w", "--model", model, *FAST, "--set", "projection=false")
    assert "rank-1" in done.stdout


def test_reproduce__says_the_command_too(place: Path, foreign: Path, tmp_path: Path) -> None:
    arguments = ("--data", place, "--model", foreign, "--workspace", tmp_path / "w", "--plan")
    with pytest.raises(PulError) as refused:
        call("reproduce", "table2", *arguments)
    assert advised(refused.value)[0] == "convert"


def test_train_source__names_the_network_that_fits(
    place: Path, foreign: Path, tmp_path: Path
) -> None:
    out = ("--out", tmp_path / "m.safetensors", "--device", "cpu")
    with pytest.raises(ModelError, match=r"nearest.*fit mobilenet_v2 with width_mult 0\.1\."):
        call("train-source", place, *out, "--backbone", "resnet18", "--weights", foreign)


def test_convert__prints_and_gives_what_it_understood(tmp_path: Path) -> None:
    torch.save(PROGRAMS["bag_of_tricks"]().content, tmp_path / "bot.pth")
    arguments = ("convert", tmp_path / "bot.pth", "--out", tmp_path / "m.safetensors")
    printed = call(*arguments).stdout
    for line in (
        "Network: resnet18 (100 tensors, 'base.' taken off their names)",
        "Origin: bag-of-tricks",
        "Images: 256×128, mean 0.485 0.456 0.406, std 0.229 0.224 0.225",
        "Last stride 1, stem no_relu",
        "Left out: bottleneck (2 tensors), classifier (1 tensors)",
    ):
        assert line in printed.splitlines()
    understood = json.loads(call(*arguments, "--json").stdout)
    assert understood["origin"] == "bag-of-tricks"
    assert understood["last_stride"] == 1
    told = ("--height", 64, "--width", 32, "--mean", 0.5, 0.5, 0.5, "--last-stride", 2)
    call(*arguments, *told, "--stem", "relu")
    config = read_network_config(tmp_path / "m.safetensors")
    assert (config.height, config.mean, config.last_stride) == (64, (0.5, 0.5, 0.5), 2)
    with pytest.raises(ConfigError, match="stem"):
        call(*arguments, "--stem", "none")
