"""Training on a GPU, ours and the tutorials' way; each runs in a separate process.

`python -m benchmarks.gpu_ways JOB`, a JSON object with the fields of `Job`: prints seconds, peak
memory of the device and figures as JSON. The process is separate because the setup of cuDNN
(`pul.models.hardware.prepare`) is part of ours.
"""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.measure import peak_bytes
from benchmarks.ways import make_network, make_pixels, train_plain
from pul.algorithm.events import IterationFinished
from pul.algorithm.finetuning import finetune_steps
from pul.algorithm.loop import run
from pul.arrays import ByteArray, IntArray
from pul.config import AugmentationConfig, RunConfig, TrainConfig, load_preset
from pul.models.devices import is_gpu
from pul.models.hardware import prepare
from pul.models.network import Network

N_EPOCHS = 3  # the first loads, times and compiles; the others are measured
_NO_AUGMENTATION = AugmentationConfig(rotation_degrees=0, shift_fraction=0)


@dataclass(frozen=True)
class Job:
    """The work of a child process.

    Attributes:
        work: `train`, or `iteration` of the preset `paper`.
        way: `plain` for the tutorials' way; else ours, by precision: `float32`, `bfloat16`, or
            `compiled` for bfloat16 with `torch.compile`.
        device: Where.
        backbone: torchvision's name.
        height: Of the images.
        width: Of the images.
        n_images: Images.
        batch_size: Images in a step of training.
        n_clusters: K of the iteration; classes of the training.
    """

    work: str
    way: str
    device: str
    backbone: str
    height: int
    width: int
    n_images: int
    batch_size: int
    n_clusters: int


def train(job: Job) -> dict[str, float]:
    """Train for some epochs without augmentation; return seconds of an epoch and the losses."""
    network = make_network(job.backbone, job.height, job.width)
    pixels = make_pixels(job.n_images, job.height, job.width)
    classes = np.arange(job.n_images) % job.n_clusters
    ends, losses = [time.perf_counter()], []
    epochs = _plain_epochs if job.way == "plain" else _own_epochs
    for loss in epochs(job, network, pixels, classes):
        losses.append(loss)
        ends.append(time.perf_counter())
    first, *others = np.diff(ends)
    curve = {f"loss of epoch {i}": loss for i, loss in enumerate(losses, start=1)}
    return {"seconds": float(np.mean(others)), "first epoch s": float(first), **curve}


def _plain_epochs(
    job: Job, network: Network, pixels: ByteArray, classes: IntArray
) -> Iterator[float]:
    sizes = {"batch_size": job.batch_size, "n_epochs": N_EPOCHS}
    return train_plain(network, pixels, classes, device=job.device, **sizes)


def _own_epochs(
    job: Job, network: Network, pixels: ByteArray, classes: IntArray
) -> Iterator[float]:
    """Yield the loss of each epoch, whose last step has been waited for."""
    prepare(RunConfig(device=job.device))
    config = TrainConfig(
        n_epochs=N_EPOCHS,
        batch_size=job.batch_size,
        augmentation=_NO_AUGMENTATION,
        precision="float32" if job.way == "float32" else "bfloat16",
        compile=job.way == "compiled",
    )
    for step in finetune_steps(network, pixels, classes, config, seed=0, device=job.device):
        if step.step == step.n_steps:
            yield step.loss


def iteration(job: Job) -> dict[str, float]:
    """Run an iteration of the preset `paper`, without a map; return the seconds of its steps."""
    config = load_preset("paper").replace(
        **{
            "n_clusters": job.n_clusters,
            "n_iterations": 1,
            "projection": False,
            "device": job.device,
            "extraction_precision": job.way,
            "finetune.precision": job.way,
        }
    )
    network = make_network(job.backbone, job.height, job.width)
    pixels = make_pixels(job.n_images, job.height, job.width)
    events = run(network, pixels, config)
    baseline, record = (e.record for e in events if isinstance(e, IterationFinished))
    # iteration 1 uses the baseline's features
    seconds = {"extract": baseline.seconds["extract"], **record.seconds}
    figures = {f"{name} s": value for name, value in seconds.items()}
    share = record.n_reliable / record.n_images
    return {"seconds": sum(seconds.values()), "share that trained": share, **figures}


def main() -> None:
    """Do one job."""
    job = Job(**json.loads(sys.argv[1]))
    figures = {"train": train, "iteration": iteration}[job.work](job)
    on_gpu = is_gpu(job.device)
    peak = torch.cuda.max_memory_allocated(job.device) if on_gpu else peak_bytes()
    print(json.dumps({**figures, "cpu_seconds": time.process_time(), "peak_bytes": peak}))


if __name__ == "__main__":
    main()
