"""The order and the groups in which the form shows the settings of a run."""

from app.services.settings import Setting, run_settings

_SETTINGS = run_settings()


def _group(*paths: str) -> tuple[Setting, ...]:
    return tuple(_SETTINGS[path] for path in paths)


MAIN = _group(
    "n_clusters",
    "lambda_",
    "n_iterations",
    "finetune.n_epochs",
    "finetune.learning_rate",
    "finetune.batch_size",
    "restart_from",
    "seed",
)
MORE = {
    "Clusters and selection": _group(
        "selection",
        "clustering",
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
    "Fine-tuning": _group(
        "finetune.loss",
        "finetune.n_instances",
        "finetune.memory_temperature",
        "finetune.memory_momentum",
        "finetune.memory_update",
        "finetune.lr_schedule",
        "finetune.momentum",
        "finetune.weight_decay",
        "finetune.dropout",
        "finetune.classifier_init_std",
        "finetune.bn_momentum",
        "finetune.precision",
        "finetune.compile",
    ),
    "Random changes of training images": _group(
        "finetune.augmentation.rotation_degrees",
        "finetune.augmentation.shift_fraction",
        "finetune.augmentation.flip_probability",
        "finetune.augmentation.erasing_probability",
    ),
    "Figures and machine": _group(
        "evaluation.ap_method",
        "evaluation.unmatched",
        "evaluation.camera_aware",
        "evaluation.side_aware",
        "fit_images",
        "projection",
        "extraction_precision",
        "device",
        "n_threads",
        "keep_features",
        "tensorboard",
        "mlflow",
    ),
}
