"""Features, training, reading and thumbnails on the CPU: ours, and the tutorials' way."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.measure import Case, Contender, Figures
from pul.arrays import FloatArray

SIZES = {"small": 64, "paper": 256}  # images through ResNet-50; other work takes a multiple


@dataclass(frozen=True)
class _Answer:
    figures: dict[str, float]
    values: FloatArray


def cases(size: str) -> list[Case]:
    n = SIZES[size]
    return [
        _case("extract", n, "features, ResNet-50 at 224×224", {"ours, bf16": "bfloat16"}, ">= 5x"),
        _case("extract", n, "the same in float32", {"ours": "float32"}),
        _case(
            "train", 8 * n, "training, ResNet-18 at 128×64", {"ours, bf16": "bfloat16"}, ">= 1.8x"
        ),
        _case("train", 8 * n, "the same in float32", {"ours": "float32"}),
        _case("read", 16 * n, "batches at 128×64 from files", {"ours": "ours"}, ">= 5x"),
        _case("thumbnails", 4 * n, "thumbnails", {"ours": "ours"}, ">= 10x"),
    ]


def _case(work: str, n_images: int, title: str, ours: dict[str, str], goal: str = "") -> Case:
    judge = _judge_features(n_images) if work == "extract" else _judge_rate(n_images)
    ways = {**ours, "PyTorch's tutorials": "plain"}
    contenders = [
        Contender(name, _in_child(work, way, n_images), judge) for name, way in ways.items()
    ]
    return Case(f"{title}, {n_images:,} images", contenders, goal)


def _in_child(work: str, way: str, n_images: int) -> Callable[[int], _Answer]:
    def run(_: int) -> _Answer:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out.npy"
            arguments = [work, way, str(n_images), str(torch.get_num_threads()), str(out)]
            command = [sys.executable, "-m", "benchmarks.ways", *arguments]
            answer = subprocess.run(command, capture_output=True, text=True, check=True)
            return _Answer(json.loads(answer.stdout), np.load(out))

    return run


def _judge_rate(n_images: int) -> Callable[[_Answer], Figures]:
    return lambda answer: {
        **answer.figures,
        "images/s": n_images / answer.figures["seconds"],
    }


def _judge_features(n_images: int) -> Callable[[_Answer], Figures]:
    """Lowest cosine to the feature that the plain way gives of the same image."""
    plain: list[FloatArray] = []

    def judge(answer: _Answer) -> Figures:
        if not plain:
            plain.append(_in_child("extract", "plain", n_images)(0).values)
        a, b = answer.values.astype(np.float64), plain[0].astype(np.float64)
        cosines = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        return {**_judge_rate(n_images)(answer), "lowest cosine to plain": float(cosines.min())}

    return judge
