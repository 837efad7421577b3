"""`python -m benchmarks [name…]`: run benchmarks, store their results, render the document."""

import argparse
import datetime
import importlib
import sys

from threadpoolctl import threadpool_limits

from benchmarks import machine, measure, report

NAMES = (
    "kmeans",
    "evaluation",
    "reranking",
    "maps",
    "networks",
    "gpu",
    "screen",
    "labelling",
    "clusters",
    "curve",
)


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    for name in options.names or NAMES if options.repeats else ():
        _run(name, options)
    report.render()


def _run(name: str, options: argparse.Namespace) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    size, n_threads = options.size, options.threads
    if size not in module.SIZES:
        sys.exit(f"{name} has no size {size!r}; it has {', '.join(module.SIZES)}.")
    where = [options.device] if name == "gpu" else []
    if where and (reason := module.reason_not_to_run(*where)):
        print(f"{name}: {reason}.", flush=True)
        return
    with threadpool_limits(n_threads):
        _limit_torch(n_threads)
        described = machine.describe(n_threads, *where)
        cases = module.cases(size, *where)
        results = [measure.measure(case, options.repeats, print) for case in cases]
    record = {
        "benchmark": name,
        "size": size,
        "measured_at": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": described,
        "cases": [result.to_json() for result in results],
    }
    if size != "tiny":
        report.save(record)
    print(report.table(record), flush=True)


def _limit_torch(n_threads: int) -> None:
    import torch

    torch.set_num_threads(n_threads)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"any of: {', '.join(NAMES)}")
    parser.add_argument("--size", default="small", help="small, paper, medium (maps) or large")
    parser.add_argument(
        "--device",
        default="cuda",
        help="device of the benchmark gpu: cuda, cuda:1, or cpu to test the code",
    )
    parser.add_argument("--repeats", type=int, default=3, help="0 only renders the document")
    parser.add_argument("--threads", type=int, default=1, help="threads of each contender")
    return parser


if __name__ == "__main__":
    main()
