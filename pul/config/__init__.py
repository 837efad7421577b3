"""Settings of networks, training and runs, each described once, and the presets."""

from pul.config.base import Settings
from pul.config.descriptions import Setting, describe
from pul.config.presets import load_preset, preset_names, suggest_n_clusters
from pul.config.seeds import derive_seed
from pul.config.settings import (
    AugmentationConfig,
    DbscanConfig,
    EvaluationConfig,
    HeadConfig,
    NetworkConfig,
    RunConfig,
    TrainConfig,
)

__all__ = [
    "AugmentationConfig",
    "DbscanConfig",
    "EvaluationConfig",
    "HeadConfig",
    "NetworkConfig",
    "RunConfig",
    "Setting",
    "Settings",
    "TrainConfig",
    "derive_seed",
    "describe",
    "load_preset",
    "preset_names",
    "suggest_n_clusters",
]
