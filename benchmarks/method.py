"""Cluster Contrast's own code beside ours: the same network, weights, images and budget.

    python -m benchmarks.method DATA --start START --title NAME --theirs CHECKOUT --seeds 0 1 2
    python -m benchmarks.method DATA --start START --title NAME --ours modern --seeds 0 1 2
    python -m benchmarks.method --render

DATA has the layout of Market-1501: its training images train, its queries and gallery measure, by
our evaluator with the step AP, at the last epoch. START is a checkpoint of ours or weights of
MobileNetV2 ×0.35. CHECKOUT is a clone of alibaba/cluster-contrast-reid, which stays outside of this
repository; `benchmarks/cluster_contrast.py` runs it. Each run is stored when it ends, so that a
table grows by pieces; `--render` puts all tables into docs/results.md. `--ours` takes a preset or a
TOML file of settings; `--set` and `--network` change a setting of the run or of the network, and
`--name` says what the table calls it.
"""

import argparse
import dataclasses
import datetime
import json
import re
import statistics
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch.nn.modules.module import register_module_forward_pre_hook

import pul
from benchmarks import cluster_contrast, machine
from benchmarks.cluster_contrast import Budget, Course
from benchmarks.report import RESULTS, ROOT
from pul.algorithm.direct_transfer import evaluate_network
from pul.cli.manage_runs import parse_settings
from pul.config import EvaluationConfig
from pul.data.datasets import Dataset
from pul.data.samples import to_arrays
from pul.models.network import Network, read_network_config
from pul.records import RetrievalMetrics

DOCUMENT = ROOT / "docs" / "results.md"
FOLDER = RESULTS / "method"
_BEGIN, _END = "<!-- method: begin -->", "<!-- method: end -->"
_STEP = EvaluationConfig(ap_method="step")
_SMALL = {
    "backbone": "mobilenet_v2",
    "width_mult": 0.35,
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
    "height": 128,
    "width": 64,
}
_HEAD = (
    "| who | seed | mAP | rank-1 | mAP at the start and after each epoch | clusters | image passes "
    "| CPU s |\n"
    "|---|---|---|---|---|---|---|---|"
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is asked for and store each run; or render the tables."""
    options = _parser().parse_args(arguments)
    if options.data is not None:
        torch.set_num_threads(1)
        with threadpool_limits(1):
            _measure(options)
    if options.render:
        render()


def _measure(options: argparse.Namespace) -> None:
    dataset = pul.read_dataset(options.data, format="market1501")
    for seed in options.seeds:
        network = load_start(options.start, parse_settings(options.network))
        if options.theirs is not None:
            name = options.name or "Cluster Contrast's code"
            course = run_theirs(options.theirs, network, dataset, _budget(options), seed)
        else:
            name = options.name or Path(options.ours).stem
            config = read_settings(options.ours).replace(**parse_settings(options.set))
            course = run_ours(network, dataset, config, seed)
        row = to_row(name, seed, course)
        print(_line(row), flush=True)
        if not options.dry_run:
            store(options.title, row)


def _budget(options: argparse.Namespace) -> Budget:
    given = {each.name: getattr(options, each.name) for each in dataclasses.fields(Budget)}
    return Budget(**given)


def load_start(start: Path, changes: dict[str, Any]) -> Network:
    """Return the start model, with settings of the network changed."""
    is_ours = start.suffix == ".safetensors"
    known = read_network_config(start).model_dump() if is_ours else _SMALL
    return pul.build_network(pul.NetworkConfig(**{**known, "weights": str(start), **changes}))


def read_settings(preset: str) -> pul.RunConfig:
    """Return the settings of a preset, or of a TOML file that is like one."""
    if not preset.endswith(".toml"):
        return pul.load_preset(preset)
    return pul.RunConfig(**tomllib.loads(Path(preset).read_text(encoding="utf-8")))


def run_theirs(
    checkout: Path, network: Network, dataset: Dataset, budget: Budget, seed: int
) -> Course:
    """Run Cluster Contrast's code."""
    samples = dataset.split("train")
    train = [(str(sample.path.absolute()), 0, int(sample.camid or 0)) for sample in samples]
    return cluster_contrast.run(
        checkout, network, train, lambda trained: judge(trained, dataset), budget, seed
    )


def judge(network: Network, dataset: Dataset) -> RetrievalMetrics:
    """Measure a network on the queries and the gallery."""
    return evaluate_network(network, dataset, _STEP)


def run_ours(network: Network, dataset: Dataset, config: pul.RunConfig, seed: int) -> Course:
    """Run the library."""
    config = config.replace(
        seed=seed, projection=False, evaluation=_STEP, evaluate_every=1, n_threads=1
    )
    if "auto" in (config.extraction_precision, config.finetune.precision):
        config = config.replace(
            **{"extraction_precision": "float32", "finetune.precision": "float32"}
        )
    course = Course()
    train = _pixels(dataset, "train", network)
    known = _evaluation(dataset, network)
    camids = to_arrays(dataset.split("train"))[1]
    started = time.process_time()
    with _counted(course):
        for event in pul.run(network, train, config, evaluation=known, camids=camids):
            if isinstance(event, pul.IterationFinished):
                record = event.record
                share = 1 - record.seconds.get("evaluate", 0.0) / sum(record.seconds.values())
                course.cpu_seconds += share * (time.process_time() - started)
                course.figures.append(record.metrics)
                course.n_clusters += [record.n_clusters] * (record.iteration > 0)
                started = time.process_time()
    return course


@contextmanager
def _counted(course: Course) -> Iterator[None]:
    """Count the images that train inside, whichever copy of the network they go through."""

    def count(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if isinstance(module, Network) and module.training:
            course.image_passes += len(inputs[0])

    hook = register_module_forward_pre_hook(count)
    try:
        yield
    finally:
        hook.remove()


def _pixels(dataset: Dataset, split: str, network: Network) -> np.ndarray:
    paths = [sample.path for sample in dataset.split(split)]
    config = network.config
    return pul.load_pixels(
        paths,
        height=config.height,
        width=config.width,
        padding=config.padding,
        cache_dir=None,
    )


def _evaluation(dataset: Dataset, network: Network) -> pul.EvaluationSet:
    query, gallery = (to_arrays(dataset.split(split)) for split in ("query", "gallery"))
    return pul.EvaluationSet(
        _pixels(dataset, "query", network), _pixels(dataset, "gallery", network), *query, *gallery
    )


def to_row(name: str, seed: int, course: Course) -> dict[str, Any]:
    """Return a run as it is stored."""
    last = course.figures[-1]
    return {
        "who": name,
        "seed": seed,
        "mAP": round(100 * last.mean_ap, 2),
        "rank-1": round(100 * last.rank_1, 2),
        "mAP by epoch": [round(100 * figures.mean_ap, 2) for figures in course.figures],
        "clusters": course.n_clusters,
        "image passes": course.image_passes,
        "CPU seconds": round(course.cpu_seconds),
    }


def store(title: str, row: dict[str, Any]) -> Path:
    """Add a run to the results of a title; it replaces one of the same name and seed."""
    name = re.sub(r"\W+", "-", title.lower())
    path = FOLDER / f"{name}.json"
    kept = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.exists() else []
    kept = [each for each in kept if (each["who"], each["seed"]) != (row["who"], row["seed"])]
    record = {
        "title": title,
        "measured_at": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine.describe(1),
        "runs": sorted([*kept, row], key=lambda each: (each["who"], each["seed"])),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")
    return path


def render() -> None:
    """Put the tables of all titles between the markers of the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    head, tail = text.split(_BEGIN)[0], text.split(_END)[1]
    tables = "\n\n".join(table(path) for path in sorted(FOLDER.glob("*.json")))
    DOCUMENT.write_text(f"{head}{_BEGIN}\n\n{tables}\n\n{_END}{tail}", encoding="utf-8")


def table(path: Path) -> str:
    """Return the runs of a title, and their means."""
    record = json.loads(path.read_text(encoding="utf-8"))
    names = sorted({run["who"] for run in record["runs"]})
    lines = [_line(run) for run in record["runs"]]
    for name in names:
        runs = [run for run in record["runs"] if run["who"] == name]
        if len(runs) > 1:
            means = (statistics.fmean(run[of] for run in runs) for of in ("mAP", "rank-1"))
            cells = [name, f"mean of {len(runs)}", *(f"**{mean:.1f}**" for mean in means)]
            lines.append(f"| {' | '.join(cells)} | | | | |")
    rows = "\n".join(lines)
    return f"### {record['title']}\n\nLast run {record['measured_at']}.\n\n{_HEAD}\n{rows}"


def _line(run: dict[str, Any]) -> str:
    cells = [
        run["who"],
        str(run["seed"]),
        f"{run['mAP']:.1f}",
        f"{run['rank-1']:.1f}",
        ", ".join(f"{value:.1f}" for value in run["mAP by epoch"]),
        ", ".join(str(value) for value in run["clusters"]),
        f"{run['image passes']:,}",
        f"{run['CPU seconds']:,}",
    ]
    return f"| {' | '.join(cells)} |"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.method",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", nargs="?", type=Path, help="folder of Market-1501's layout")
    parser.add_argument("--start", type=Path, help="start model: .safetensors of ours, or .pth")
    parser.add_argument("--title", default="development", help="names the table")
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--theirs", type=Path, help="checkout of alibaba/cluster-contrast-reid")
    who.add_argument("--ours", default="modern", help="preset, or TOML file of settings")
    parser.add_argument("--name", default="", help="what the table calls it")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--set", action="append", help="a setting of ours: NAME=VALUE")
    parser.add_argument("--network", action="append", help="a setting of the network: NAME=VALUE")
    for each in dataclasses.fields(Budget):
        name = f"--{each.name.replace('_', '-')}"
        parser.add_argument(name, type=each.type, default=each.default, help="theirs")
    parser.add_argument("--dry-run", action="store_true", help="print only, store nothing")
    parser.add_argument("--render", action="store_true", help="render all stored tables")
    return parser


if __name__ == "__main__":
    main()
