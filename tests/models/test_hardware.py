import os

import pytest
import torch

from pul.config import RunConfig
from pul.errors import ConfigError
from pul.models.hardware import choose_device, prepare, tune_gpu
from pul.models.resources import default_n_threads


@pytest.fixture(autouse=True)
def _threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("n_cores", "n_threads"), [(1, 1), (2, 1), (8, 7)])
def test_default_n_threads__is_one_less_than_the_usable_cores(monkeypatch, n_cores, n_threads):
    usable = set(range(n_cores))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: usable, raising=False)
    assert default_n_threads() == n_threads


def test_prepare__leaves_a_core_unless_told_otherwise():
    assert prepare(RunConfig(device="cpu")) == "cpu"
    assert torch.get_num_threads() == default_n_threads()
    prepare(RunConfig(device="cpu", n_threads=3))
    assert torch.get_num_threads() == 3


def test_choose_device__unknown_says_what_to_use():
    with pytest.raises(ConfigError, match=r"'nonsense'.*'auto' or 'cpu'"):
        choose_device("nonsense")


def test_tune_gpu__is_for_gpus_alone():
    before = torch.backends.cudnn.benchmark, torch.get_float32_matmul_precision()
    prepare(RunConfig(device="cpu", n_threads=1))
    assert (torch.backends.cudnn.benchmark, torch.get_float32_matmul_precision()) == before
    try:
        tune_gpu()
        assert torch.backends.cudnn.benchmark
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.backends.cudnn.benchmark = before[0]
        torch.set_float32_matmul_precision(before[1])
