"""Training on a GPU: ours and the tutorials' plain loop, as a share of what the chip can do."""

import functools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.gpu_ways import Job
from benchmarks.measure import Case, Contender, Figures, Limit
from benchmarks.ways import make_network
from pul.models.devices import is_gpu

# Dense bf16 TFLOP/s by the vendor's data sheets, by a part of the name that torch gives.
_NOMINAL = {"H200": 989, "H100 80GB HBM3": 989, "A100": 312, "L40S": 362, "L4": 121}


@dataclass(frozen=True)
class Size:
    """The amount of work.

    Attributes:
        job: Network and images.
        batches: Batch size and images of an epoch, for each case of training.
        goals: The goal of each case.
        n_market: Images of the whole iteration; 0 skips it.
        n_product: Rows and columns of the matrices that measure the chip.
    """

    job: Job
    batches: tuple[tuple[int, int], ...]
    goals: tuple[str, ...]
    n_market: int
    n_product: int


_RESNET = Job("train", "plain", "cuda", "resnet50", 224, 224, 0, 0, 100)
_GOALS = (">= 2x", ">= 1.5x")
SIZES = {
    "tiny": Size(  # to test this code, also on a CPU; its figures are not stored
        replace(_RESNET, backbone="resnet18", height=64, width=64, n_clusters=4),
        ((4, 8),), ("",), 24, 256,
    ),
    "small": Size(_RESNET, ((16, 1_600), (256, 5_120)), _GOALS, 0, 8192),
    "paper": Size(_RESNET, ((16, 3_200), (256, 12_800)), _GOALS, 12_936, 8192),
}  # fmt: skip


def reason_not_to_run(device: str) -> str:
    """Return why a device cannot be measured, or ""."""
    if is_gpu(device) and not torch.cuda.is_available():
        return "torch sees no GPU on this machine; nothing was measured"
    return ""


def cases(size: str, device: str = "cuda") -> list[Case]:
    chosen = SIZES[size]
    job = replace(chosen.job, device=device)
    made = []
    for (batch_size, n_images), goal in zip(chosen.batches, chosen.goals, strict=True):
        training = replace(job, n_images=n_images, batch_size=batch_size)
        made.append(_training(training, {"ours, bf16": "bfloat16"}, chosen.n_product, goal))
        if is_gpu(device):  # on a CPU compiling takes minutes and is not of interest
            compiled = {"ours, bf16, compiled": "compiled"}
            made.append(_training(training, compiled, chosen.n_product))
    if chosen.n_market:
        n_clusters = max(2, round(chosen.n_market * 750 / 12_936))
        whole = replace(job, work="iteration", n_images=chosen.n_market, n_clusters=n_clusters)
        made.append(_iteration(whole))
    return made


def _training(job: Job, ours: dict[str, str], n_product: int, goal: str = "") -> Case:
    def limit() -> Limit:
        rate = bf16_rate(job.device, n_product)
        what = f"the network's FLOPs at {rate / 1e12:.3g} TFLOP/s, those of a bf16 product"
        return Limit(what, job.n_images * flops_of_image(job) / rate)

    def judge(figures: dict[str, float]) -> Figures:
        images = job.n_images / figures["seconds"]
        rate = images * flops_of_image(job)
        shares = {"share of a bf16 product": rate / bf16_rate(job.device, n_product)}
        nominal = nominal_rate(job.device)
        if nominal:
            shares["share of the data sheet"] = rate / nominal
        return {**figures, "images/s": images, **shares}

    ways = {**ours, "PyTorch's tutorials": "plain"}
    contenders = [
        Contender(name, _in_child(replace(job, way=way)), judge) for name, way in ways.items()
    ]
    size = f"{job.height}×{job.width}, batch {job.batch_size}, {job.n_images:,} images"
    return Case(f"an epoch of {job.backbone} at {size}", contenders, goal, limit)


def _iteration(job: Job) -> Case:
    title = f"an iteration of the preset paper, {job.backbone}, {job.n_images:,} images"
    ours = Contender("ours, bf16", _in_child(replace(job, way="bfloat16")), lambda figures: figures)
    return Case(title, [ours], "minutes")


def _in_child(job: Job) -> Callable[[int], dict[str, float]]:
    def run(_: int) -> dict[str, float]:
        command = [sys.executable, "-m", "benchmarks.gpu_ways", json.dumps(asdict(job))]
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        figures: dict[str, float] = json.loads(answer.stdout)
        return figures

    return run


@functools.cache
def flops_of_image(job: Job) -> float:
    """Return the floating-point operations of training on an image, two for a multiply-add."""
    network = make_network(job.backbone, job.height, job.width).train()
    images = torch.zeros(2, 3, job.height, job.width)
    with FlopCounterMode(display=False) as counter:
        network(images).sum().backward()
    return counter.get_total_flops() / len(images)


@functools.cache
def bf16_rate(device: str, n: int, repeats: int = 20) -> float:
    """Return the operations a second of the product of two n×n matrices of random bfloat16."""
    a, b = (torch.randn(n, n, device=device).bfloat16() for _ in range(2))
    seconds = []
    for _ in range(3):
        started = _now(device)
        for _ in range(repeats):
            a @ b
        seconds.append(_now(device) - started)
    return 2 * n**3 * repeats / min(seconds)


def nominal_rate(device: str) -> float:
    """Return the chip's dense bf16 FLOP/s by its data sheet, or 0 if it is unknown."""
    name = torch.cuda.get_device_name(device) if is_gpu(device) else ""
    return next((rate * 1e12 for part, rate in _NOMINAL.items() if part in name), 0.0)


def _now(device: str) -> float:
    if is_gpu(device):
        torch.cuda.synchronize(device)
    return time.perf_counter()
