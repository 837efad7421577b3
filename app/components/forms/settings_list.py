"""The order and the groups in which the form shows the settings of a run."""

from collections.abc import Mapping
from typing import Any

from app.services.settings import Setting, run_settings

_SETTINGS = run_settings()


def _group(*paths: str) -> tuple[Setting, ...]:
    return tuple(_SETTINGS[path] for path in paths)


_FINDS_K = "dbscan"
_MAIN = (
    "clustering",
    "n_clusters",
    "lambda_",
    "n_iterations",
    "finetune.n_epochs",
    "finetune.learning_rate",
    "finetune.batch_size",
    "finetune.loss",
    "restart_from",
    "seed",
)
_OF_PAIRS = ("finetune.n_instances", "finetune.other_cameras")
_OF_LOSSES = {
    "finetune.dropout": ("softmax",),
    "finetune.classifier_init_std": ("softmax",),
    "finetune.memory_temperature": ("cluster_memory", "camera_memory"),
    "finetune.memory_momentum": ("cluster_memory", "camera_memory"),
    "finetune.memory_update": ("cluster_memory",),
    "finetune.memory_outliers": ("cluster_memory",),
    "finetune.across_cameras_weight": ("camera_memory",),
}


def main_settings(clustering: str) -> tuple[Setting, ...]:
    """Return the ten settings that matter most; a method that finds K asks for no K."""
    if clustering == _FINDS_K:
        return _group(*(path.replace("n_clusters", "dbscan.eps") for path in _MAIN))
    return _group(*_MAIN)


def is_used(path: str, values: Mapping[str, Any]) -> bool:
    """Whether a setting does anything, given the others; it is shown only then.

    Args:
        path: Its dotted name.
        values: All settings by dotted name.
    """
    loss, clustering = values["finetune.loss"], values["clustering"]
    if path == "dbscan.eps":
        return False  # it stands among the ten, in the place of K
    if path.startswith("dbscan."):
        return bool(clustering == _FINDS_K)
    if path in ("kmeans_n_init", "kmeans_max_iterations"):
        return bool(clustering != _FINDS_K)
    if path in _OF_LOSSES:
        return loss in _OF_LOSSES[path]
    if path == "finetune.lr_step_size":
        return bool(values["finetune.lr_schedule"] == "step")
    if path == "finetune.momentum":
        return bool(values["finetune.optimizer"] == "sgd")
    return bool(loss != "softmax") if path in _OF_PAIRS else True


MORE = {
    "Clusters and selection": _group(
        "selection",
        "dbscan.eps",
        "dbscan.min_samples",
        "dbscan.k1",
        "dbscan.k2",
        "kmeans_n_init",
        "kmeans_max_iterations",
        "convergence_tolerance",
        "convergence_window",
        "annotation_mode",
        "use_tracklets",
        "camera_diversity",
        "init_on_annotations",
    ),
    "Last layers of the network": _group("head.gem_p", "head.neck", "head.last_stride"),
    "Fine-tuning": _group(
        "finetune.n_instances",
        "finetune.other_cameras",
        "finetune.n_steps",
        "finetune.memory_temperature",
        "finetune.memory_momentum",
        "finetune.memory_update",
        "finetune.memory_outliers",
        "finetune.across_cameras_weight",
        "finetune.optimizer",
        "finetune.lr_schedule",
        "finetune.lr_step_size",
        "finetune.momentum",
        "finetune.weight_decay",
        "finetune.dropout",
        "finetune.classifier_init_std",
        "finetune.bn_momentum",
        "finetune.bn_group",
        "finetune.bn_reestimate",
        "finetune.ema_decay",
        "finetune.precision",
        "finetune.compile",
    ),
    "Random changes of training images": _group(
        "finetune.augmentation.rotation_degrees",
        "finetune.augmentation.shift_fraction",
        "finetune.augmentation.flip_probability",
        "finetune.augmentation.erasing_probability",
        "finetune.augmentation.crop_padding",
    ),
    "Figures and machine": _group(
        "evaluation.ap_method",
        "evaluation.unmatched",
        "evaluation.camera_aware",
        "evaluation.side_aware",
        "evaluate_every",
        "fit_images",
        "projection",
        "map_every",
        "extraction_precision",
        "device",
        "n_threads",
        "keep_features",
        "keep_models",
        "tensorboard",
        "mlflow",
    ),
}
