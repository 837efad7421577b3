"""PUL: adapt a person re-identification model to new cameras with few labels or none.

The names below are the library. Each is loaded when it is first used: `import pul` loads no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pul.algorithm.clustering import cluster_images
    from pul.algorithm.events import EvaluationSet, IterationFinished, LiveSettings
    from pul.algorithm.features import extract_features
    from pul.algorithm.finetuning import finetune
    from pul.algorithm.loop import run
    from pul.algorithm.selection import select_reliable
    from pul.cluster.links import Links
    from pul.config import NetworkConfig, RunConfig, TrainConfig, load_preset
    from pul.data.datasets import read_dataset
    from pul.data.images import load_pixels
    from pul.errors import PulError
    from pul.evaluation.cluster_quality import cluster_quality
    from pul.evaluation.reranking import k_reciprocal
    from pul.evaluation.retrieval import evaluate
    from pul.models.network import build_network, load_network, save_network
    from pul.store.workspace import Workspace

__version__ = "0.1.0"

__all__ = [
    "EvaluationSet",
    "IterationFinished",
    "Links",
    "LiveSettings",
    "NetworkConfig",
    "PulError",
    "RunConfig",
    "TrainConfig",
    "Workspace",
    "__version__",
    "build_network",
    "cluster_images",
    "cluster_quality",
    "evaluate",
    "extract_features",
    "finetune",
    "k_reciprocal",
    "load_network",
    "load_pixels",
    "load_preset",
    "read_dataset",
    "run",
    "save_network",
    "select_reliable",
]

_MODULES = {
    "EvaluationSet": "pul.algorithm.events",
    "IterationFinished": "pul.algorithm.events",
    "Links": "pul.cluster.links",
    "LiveSettings": "pul.algorithm.events",
    "NetworkConfig": "pul.config",
    "PulError": "pul.errors",
    "RunConfig": "pul.config",
    "TrainConfig": "pul.config",
    "Workspace": "pul.store.workspace",
    "build_network": "pul.models.network",
    "cluster_images": "pul.algorithm.clustering",
    "cluster_quality": "pul.evaluation.cluster_quality",
    "evaluate": "pul.evaluation.retrieval",
    "extract_features": "pul.algorithm.features",
    "finetune": "pul.algorithm.finetuning",
    "k_reciprocal": "pul.evaluation.reranking",
    "load_network": "pul.models.network",
    "load_pixels": "pul.data.images",
    "load_preset": "pul.config",
    "read_dataset": "pul.data.datasets",
    "run": "pul.algorithm.loop",
    "save_network": "pul.models.network",
    "select_reliable": "pul.algorithm.selection",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_MODULES[name]), name)
    globals()[name] = found  # the next time it is there
    return found


def __dir__() -> list[str]:
    return __all__
