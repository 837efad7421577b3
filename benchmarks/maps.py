"""Maps: ours, and `umap.UMAP()` on the raw features; the first in a process, warm, and the next."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.measure import Case, Contender, Figures
from benchmarks.synthetic import Features, Ids, changed, people
from pul.algorithm.projection import align_points, project
from pul.cluster.neighbors import find_neighbors

SIZES = {
    "small": (1500, 256, 90),
    "paper": (12_936, 2048, 751),
    "medium": (36_000, 512, 2100),
    "large": (130_000, 512, 7500),
}
_SAMPLE = 3000  # images whose neighbourhoods are judged
_CHILD = """
import json, sys, time
import numpy as np
features = np.load(sys.argv[2])
started, cpu_started = time.perf_counter(), time.process_time()
if sys.argv[1] == "ours":
    from pul.algorithm.projection import project
    points = project(features, seed=0)
else:
    import warnings
    warnings.simplefilter("ignore")
    from umap import UMAP
    points = UMAP().fit_transform(features)
seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
np.save(sys.argv[3], points)
lines = open("/proc/self/status").read().splitlines() if sys.platform == "linux" else []
peak = sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_bytes": peak}))
"""


def cases(size: str) -> list[Case]:
    n_images, n_dims, n_people = SIZES[size]
    features, pids = people(n_images, n_dims, n_people)
    following = changed(features)
    shape = f"{n_images:,} × {n_dims:,}"
    _umap(features[:200], 0)  # compile before warm runs are timed
    last = project(features, seed=0)

    def judge(rows: Features) -> Callable[[Features], Figures]:
        return lambda points: _judge(rows, pids, points)

    def judge_next(points: Features) -> Figures:
        return {"moved": _movement(points, last), **_judge(following, pids, points)}

    judge_child = _judge_child(features, pids)
    cold = [
        Contender("ours", lambda _: _in_child("ours", features), judge_child),
        Contender("umap.UMAP()", lambda _: _in_child("umap", features), judge_child),
    ]
    warm = [
        Contender("ours", lambda seed: project(features, seed=seed), judge(features)),
        Contender("umap.UMAP()", lambda seed: _umap(features, seed), judge(features)),
    ]
    after = [
        Contender(
            "ours",
            lambda seed: project(following, seed=seed, previous_points=last),
            judge_next,
        ),
        Contender("a fresh umap.UMAP()", lambda seed: _umap(following, seed), judge_next),
    ]
    return [
        Case(f"first map in a process, {shape}", cold, ">= 4x"),
        Case(f"map, warm, {shape}", warm),
        Case(f"next iteration's map, {shape}", after, "moved <= 0.3"),
    ]


def _umap(features: Features, seed: int) -> Features:
    """umap-learn with its defaults: unseeded, so that it uses all threads."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from umap import UMAP

        np.random.seed(seed)  # noqa: NPY002  what an unseeded UMAP draws from
        return np.asarray(UMAP().fit_transform(features), dtype=np.float32)


def _in_child(way: str, features: Features) -> tuple[dict[str, float], Features]:
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "features.npy", Path(folder) / "points.npy"
        np.save(given, features)
        command = [sys.executable, "-c", _CHILD, way, str(given), str(made)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(answer.stdout), np.load(made)


def _judge_child(
    features: Features, pids: Ids
) -> Callable[[tuple[dict[str, float], Features]], Figures]:
    return lambda answer: {**answer[0], **_judge(features, pids, answer[1])}


def _judge(features: Features, pids: Ids, points: Features) -> Figures:
    """Trustworthiness of a sample; purity and recall of neighbourhoods in the map."""
    from sklearn.manifold import trustworthiness

    sample = np.random.default_rng(0).choice(len(features), min(_SAMPLE, len(features)), False)
    near = find_neighbors(np.ascontiguousarray(points), 11).indices[sample, 1:]
    truth = find_neighbors(np.ascontiguousarray(features[sample]), 11).indices[:, 1:]
    shown = find_neighbors(np.ascontiguousarray(points[sample]), 11).indices[:, 1:]
    kept = [len(np.intersect1d(a, b)) / 10 for a, b in zip(truth, shown, strict=True)]
    return {
        "trustworthiness": float(trustworthiness(features[sample], points[sample], n_neighbors=10)),
        "purity": float((pids[near] == pids[sample, None]).mean()),
        "recall": float(np.mean(kept)),
    }


def _movement(points: Features, last: Features) -> float:
    """Mean distance moved after Procrustes, in radii (root mean square) of the last map."""
    moved = np.linalg.norm(align_points(points, last) - last, axis=1).mean()
    return float(moved / np.sqrt(np.square(last - last.mean(axis=0)).sum(axis=1).mean()))
