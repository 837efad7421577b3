"""Cluster Contrast's own program on the CPU, with a small network, judged by our evaluator.

Its code (github.com/alibaba/cluster-contrast-reid, MIT) is no part of this project: this file runs
the loop of its `examples/cluster_contrast_train_usl.py` as it stands in a checkout, and replaces,
while it runs, what cannot work here: CUDA by nothing, faiss on GPUs by faiss on the CPU (its own
option), ResNet-50 by the trunk of a network of ours under its own head (GeM, BatchNorm with a
frozen bias, l2), Market-1501 by any folder of that layout, its evaluator by ours.
"""

import copy
import importlib.util
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from sklearn.cluster import DBSCAN
from torch import nn

from pul.models.network import Network

_SCRIPT = Path("examples") / "cluster_contrast_train_usl.py"


@dataclass(frozen=True)
class Budget:
    """What its options are set to; the rest is as its `run_code.sh` has it for Market-1501."""

    epochs: int = 5
    iters: int = 125
    batch_size: int = 64
    num_instances: int = 8
    learning_rate: float = 3.5e-4

    def options(self, network: Network) -> SimpleNamespace:
        """Return the options of its program."""
        return SimpleNamespace(
            dataset="market1501", data_dir="", logs_dir="", workers=0, print_freq=25, eval_step=1,
            height=network.config.height, width=network.config.width,
            batch_size=self.batch_size, num_instances=self.num_instances, no_cam=False,
            iters=self.iters, epochs=self.epochs, step_size=20,
            lr=self.learning_rate, weight_decay=5e-4,
            eps=0.6, k1=30, k2=6, temp=0.05, momentum=0.1, use_hard=False,
        )  # fmt: skip


@dataclass
class Course:
    """What one run did.

    Attributes:
        n_clusters: Of each epoch.
        figures: What `judge` returned of the start model, and after each epoch.
        image_passes: Images that went through the network in training.
        cpu_seconds: Of the processor, without judging.
    """

    n_clusters: list[int] = field(default_factory=list)
    figures: list[Any] = field(default_factory=list)
    image_passes: int = 0
    cpu_seconds: float = 0.0


Judge = Callable[[Network], Any]
Train = list[tuple[str, int, int]]  # path, any number, camera


def run(
    checkout: Path, network: Network, train: Train, judge: Judge, budget: Budget, seed: int
) -> Course:
    """Run its program once.

    Args:
        checkout: Folder with its repository.
        network: The start model; its trunk needs `features`, as torchvision's MobileNets have.
        train: The training images.
        judge: Measures the network after each epoch, by the features of its test.
        budget: How long, and how.
        seed: Of `random`, numpy and torch, as its `main` sets them.
    """
    course, started = Course(), time.process_time()
    with _importable(checkout), _without_cuda(), redirect_stdout(sys.stderr):
        program = _load(checkout / _SCRIPT)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
        model = _small_network(network)
        model.register_forward_pre_hook(partial(_count, course))
        measure = partial(_measure, network, model, judge, course)
        measure()
        _replace(program, network, model, train, measure, course)
        program.main_worker(budget.options(network))
    course.cpu_seconds += time.process_time() - started
    return course


def _small_network(network: Network) -> nn.Module:
    """Return its ResNet class around another trunk: its head, its forward."""
    resnet = importlib.import_module("clustercontrast.models.resnet")
    model = resnet.ResNet.__new__(resnet.ResNet)
    nn.Module.__init__(model)
    model.base = copy.deepcopy(network.trunk.features)
    model.gap = resnet.build_pooling_layer("gem")
    model.feat_bn = nn.BatchNorm1d(network.n_features)
    model.feat_bn.bias.requires_grad_(False)
    model.num_features, model.num_classes, model.dropout = network.n_features, 0, 0
    model.norm, model.has_embedding, model.cut_at_pooling = True, False, False
    return model


def _count(course: Course, model: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
    if model.training:
        course.image_passes += len(inputs[0])


def _measure(network: Network, model: nn.Module, judge: Judge, course: Course) -> None:
    started = time.process_time()
    copied = copy.deepcopy(model)  # extraction changes how weights lie in memory
    course.figures.append(judge(Network(copied, network.config, network.n_features)))
    course.cpu_seconds -= time.process_time() - started


def _replace(
    program: ModuleType,
    network: Network,
    model: nn.Module,
    train: Train,
    measure: Callable[[], None],
    course: Course,
) -> None:
    """Replace what the program calls by what works here; each name is one of the program's."""
    data = SimpleNamespace(train=train, query=[], gallery=[], images_dir="")

    class Clustering(DBSCAN):
        def fit_predict(self, distances: np.ndarray) -> np.ndarray:
            found = super().fit_predict(distances)
            course.n_clusters.append(len(set(found.tolist()) - {-1}))
            return found

    class Evaluator:
        def __init__(self, _: nn.Module) -> None:
            pass

        def evaluate(self, *_: object, cmc_flag: bool) -> float:
            if not cmc_flag:  # at the end it would measure the best epoch again
                measure()
            return 0.0

    normalize, distances = program.T.Normalize, program.compute_jaccard_distance
    own = {"Normalize": lambda **_: normalize(network.config.mean, network.config.std)}
    program.T = SimpleNamespace(**{**vars(program.T), **own})
    program.get_data = lambda *_: data
    program.create_model = lambda _: nn.DataParallel(model)
    program.compute_jaccard_distance = partial(distances, search_option=3)  # faiss on the CPU
    program.DBSCAN = lambda **options: Clustering(**{**options, "n_jobs": 1})
    program.Evaluator = Evaluator
    program.Logger = lambda _: sys.stdout
    program.save_checkpoint = lambda *_, **__: None
    program.load_checkpoint = lambda _: {"state_dict": program.create_model(None).state_dict()}


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("cluster_contrast_train_usl", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def _importable(checkout: Path) -> Iterator[None]:
    """Let its package be imported; its samplers call a constructor that torch has no more."""
    sampler = torch.utils.data.sampler.Sampler
    with (
        patch.object(sys, "path", [str(checkout), *sys.path]),
        patch.object(sampler, "__init__", lambda *_: None),
    ):
        yield


@contextmanager
def _without_cuda() -> Iterator[None]:
    """Make `.cuda()` leave everything where it is."""
    with (
        patch.object(torch.Tensor, "cuda", lambda tensor, *_, **__: tensor),
        patch.object(nn.Module, "cuda", lambda module, *_, **__: module),
    ):
        yield
