import copy
import logging

import pytest
import torch

from pul.algorithm.finetuning import finetune
from pul.config import TrainConfig
from pul.models.compilation import compile_for_training
from tests.support.networks import DEVICES, coloured_images, tiny_network

CONFIG = TrainConfig(n_epochs=2, batch_size=9, learning_rate=0.01, compile=True)  # 48 = 5 × 9 + 3
_COMPILE = torch.compile


def no_kernels(*_arguments):
    raise OSError("there is no compiler\nand much more")


def with_backend(backend):
    """Return torch.compile without the minutes that making machine code takes."""
    return lambda module, *, dynamic, mode: _COMPILE(module, dynamic=dynamic, backend=backend)


@pytest.fixture(autouse=True)
def _forget_what_was_compiled():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def test_finetune__compiled_trains_the_same_network(monkeypatch):
    monkeypatch.setattr(torch, "compile", with_backend("eager"))
    pixels, pids = coloured_images()
    plain, compiled = tiny_network(), tiny_network()
    expected = finetune(plain, pixels, pids, CONFIG.replace(compile=False), seed=0)
    assert finetune(compiled, pixels, pids, CONFIG, seed=0) == expected
    for one, other in zip(plain.state_dict().values(), compiled.state_dict().values(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("device", DEVICES)
def test_compile_for_training__falls_back_with_a_line_and_changes_nothing(
    device, monkeypatch, caplog
):
    monkeypatch.setattr(torch, "compile", with_backend(no_kernels))
    network = tiny_network().to(device).train()
    before = copy.deepcopy(network.state_dict())
    with caplog.at_level(logging.WARNING):
        found = compile_for_training(network, 8, device=device, precision="float32")
    assert found is network
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(value.grad is None for value in network.parameters())
    [line] = caplog.messages
    assert line.startswith("Training runs without torch.compile: ")
    assert "there is no compiler" in line
    assert "\n" not in line


def test_compile_for_training__the_trial_leaves_no_trace(monkeypatch):
    monkeypatch.setattr(torch, "compile", with_backend("eager"))
    network = tiny_network().train()
    before = copy.deepcopy(network.state_dict())
    torch.manual_seed(3)
    compiled = compile_for_training(network, 8, device="cpu", precision="float32")
    assert torch.initial_seed() == 3
    assert compiled is not network
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(value.grad is None for value in network.parameters())
