"""Tensors in checkpoints of any program, without running what they hold."""

import argparse
import collections
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from pul.errors import ModelError
from pul.models.weights import read_tensors
from tests.support.programs import Hyperparameters

TENSORS = {"conv1.weight": torch.arange(6.0).view(2, 3), "bn1.bias": torch.ones(2)}


class Attributes(dict):
    """A dictionary of another program's, as Lightning and EasyDict have."""


BESIDE = {
    "NumPy's numbers": {"rank1": np.float64(0.9), "epoch": np.int64(3), "ok": np.bool_(True)},
    "a NumPy array": {"cmc": np.linspace(0, 1, 3), "names": np.array(["a", "b"])},
    "a namespace": {"args": argparse.Namespace(arch="resnet50")},
    "an object": {"hyper_parameters": Hyperparameters()},
    "a dictionary's child": {"hparams": Attributes(rate=0.1)},
    "a path": {"log": Path("runs") / "1"},
    "a function": {"build": argparse.ArgumentParser},
    "a defaultdict": {"meters": collections.defaultdict(list, loss=[1.0])},
}


@pytest.mark.parametrize("is_zip", [True, False], ids=["new format", "old format"])
@pytest.mark.parametrize("beside", BESIDE)
def test_read_tensors__whatever_is_beside_them(tmp_path: Path, beside: str, is_zip: bool) -> None:
    content = {**BESIDE[beside], "model_state": TENSORS}
    torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=is_zip)
    read = read_tensors(tmp_path / "w.pth")
    assert list(read) == [f"model_state.{name}" for name in TENSORS]
    assert all(torch.equal(read[f"model_state.{name}"], value) for name, value in TENSORS.items())


@pytest.mark.parametrize("is_zip", [True, False], ids=["new format", "old format"])
@pytest.mark.parametrize("function", [open, os.system, os.mkdir, eval])
def test_read_tensors__code_never_runs(tmp_path: Path, function: object, is_zip: bool) -> None:
    harm = tmp_path / "harm"
    command = f"__import__('pathlib').Path({str(harm)!r}).mkdir()"
    arguments = {open: (str(harm), "w"), os.system: (f"touch {harm}",), eval: (command,)}

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return function, arguments.get(function, (str(harm),))

    content = {"a": Evil(), "state_dict": TENSORS}
    torch.save(content, tmp_path / "evil.pth", _use_new_zipfile_serialization=is_zip)
    if function in (os.system, os.mkdir):  # torch refuses some modules outright
        with pytest.raises(ModelError, match="cannot be read as weights") as refused:
            read_tensors(tmp_path / "evil.pth")
        assert "weights_only" not in str(refused.value)  # torch's advice: run what the file holds
    else:
        read = read_tensors(tmp_path / "evil.pth")
        assert list(read) == [f"state_dict.{name}" for name in TENSORS]
    assert not harm.exists()


def test_read_tensors__none_inside(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "lr": 0.1}, tmp_path / "w.pth")
    with pytest.raises(ModelError, match=r"holds no tensors; its keys are \['epoch', 'lr'\]"):
        read_tensors(tmp_path / "w.pth")


def test_read_tensors__a_dictionary_in_itself(tmp_path: Path) -> None:
    deep: dict[str, object] = {"w": torch.zeros(1)}
    deep["self"] = deep
    torch.save(deep, tmp_path / "w.pth")
    with pytest.raises(ModelError, match="too deep"):
        read_tensors(tmp_path / "w.pth")
