"""Settings of networks, training and runs, checked once where they are made, and the presets."""

import hashlib
import tomllib
from importlib import resources
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pul.errors import ConfigError

RESNET_SHIFT = 45 / 224  # the paper shifts by up to 45 pixels of a 224-pixel image


class Settings(BaseModel):
    """Base of all settings: immutable, and strict about unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(_explain(type(self).__name__, error)) from error

    def replace(self, **values: Any) -> Self:
        """Return a checked copy with some values changed; None leaves a value as it is.

        A dotted path reaches a nested value: `replace(**{"finetune.n_epochs": 5})`.

        Raises:
            ConfigError: A name is unknown or a value is not allowed.
        """
        tree = self.model_dump()
        for path, value in values.items():
            if value is not None:
                _set_path(tree, path, value)
        return type(self)(**tree)


class NetworkConfig(Settings):
    """Which network, from which weights, on images of which size.

    Attributes:
        backbone: Name of a torchvision classification model: resnet50, mobilenet_v2, ...
        weights: `torchvision` (its ImageNet weights), `none` (random), or the path of a file.
        height: Image height in pixels at the network's input.
        width: Image width in pixels at the network's input.
        width_mult: Width multiplier, for the MobileNets that have one.
        mean: Mean of each RGB channel, subtracted from values scaled to [0, 1].
        std: Standard deviation of each RGB channel, divided by.
    """

    backbone: str = "resnet50"
    weights: str = "torchvision"
    height: int = Field(default=224, ge=16, le=2048)
    width: int = Field(default=224, ge=16, le=2048)
    width_mult: float = Field(default=1.0, gt=0, le=4)
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)


class AugmentationConfig(Settings):
    """The random changes of a training image; the defaults are the paper's one warp.

    Attributes:
        rotation_degrees: Rotation drawn from U(-r, r) degrees.
        shift_fraction: Shift drawn from U(-s, s) of the size, on each axis; edges are repeated.
        flip_probability: Probability of a horizontal flip. The paper flips nothing.
        erasing_probability: Probability of erasing a random rectangle. The paper erases nothing.
    """

    rotation_degrees: float = Field(default=20.0, ge=0, le=180)
    shift_fraction: float = Field(default=RESNET_SHIFT, ge=0, le=1)
    flip_probability: float = Field(default=0.0, ge=0, le=1)
    erasing_probability: float = Field(default=0.0, ge=0, le=1)


class TrainConfig(Settings):
    """How a network is trained, on the source or on the reliable images.

    Attributes:
        loss: `softmax` (the paper), `triplet` or `contrastive` (its alternatives, Eq. 3), or
            `cluster_memory` (Cluster Contrast, 2021).
        n_epochs: Passes over the training images. Paper: 20 an iteration, 40 on the source.
        batch_size: Images in a step.
        learning_rate: SGD's learning rate. Paper: 0.001.
        lr_schedule: `constant` (the paper) or `cosine` (to zero over the epochs).
        momentum: SGD's momentum.
        weight_decay: L2 penalty. Paper: none.
        dropout: Dropout rate before the classifier.
        classifier_init_std: Standard deviation of the fresh classifier's weights.
        bn_momentum: Momentum of batch normalisation's running statistics (Keras' 0.99 is 0.01).
        n_instances: Images of a class that come together in a batch, for all losses but softmax.
        memory_temperature: Cluster memory: what similarities are divided by.
        memory_momentum: Cluster memory: share of the old entry that an update keeps.
        memory_update: Cluster memory: by the `hard` image of a class in the batch, the one least
            like its entry, or by their `mean`.
        precision: `float32`, or `bfloat16` for mixed precision where the device has it.
        compile: Whether `torch.compile` is tried; it costs minutes at first, and is for GPUs.
        augmentation: The random changes of a training image.
    """

    loss: Literal["softmax", "triplet", "contrastive", "cluster_memory"] = "softmax"
    n_epochs: int = Field(default=20, ge=1, le=10_000)
    batch_size: int = Field(default=16, ge=2, le=65_536)
    learning_rate: float = Field(default=1e-3, gt=0, le=10)
    lr_schedule: Literal["constant", "cosine"] = "constant"
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0, le=1)
    dropout: float = Field(default=0.5, ge=0, lt=1)
    classifier_init_std: float = Field(default=1e-3, gt=0, le=1)
    bn_momentum: float = Field(default=0.01, gt=0, le=1)
    n_instances: int = Field(default=4, ge=2, le=1_000)
    memory_temperature: float = Field(default=0.05, gt=0, le=10)
    memory_momentum: float = Field(default=0.1, ge=0, lt=1)
    memory_update: Literal["hard", "mean"] = "hard"
    precision: Literal["float32", "bfloat16"] = "float32"
    compile: bool = False
    augmentation: AugmentationConfig = AugmentationConfig()


class EvaluationConfig(Settings):
    """Which definition every figure of a run uses.

    Attributes:
        ap_method: `trapezoid` (the paper and the original MATLAB) or `step` (torchreid, sklearn).
        unmatched: What a query without a true match counts: `zero` (MATLAB) or `skip` (torchreid).
        camera_aware: Whether images of the query's own camera are junk; off for data without
            cameras.
    """

    ap_method: Literal["trapezoid", "step"] = "trapezoid"
    unmatched: Literal["skip", "zero"] = "zero"
    camera_aware: bool = True


class DbscanConfig(Settings):
    """How clusters are found where K is not given: as in SpCL and Cluster Contrast.

    Attributes:
        eps: Jaccard distance below which two images are neighbours.
        min_samples: Neighbours, itself included, that put an image into the core of a cluster.
        k1: Neighbours that must be mutual.
        k2: Neighbours whose neighbourhoods are averaged.
    """

    eps: float = Field(default=0.6, gt=0, lt=1)
    min_samples: int = Field(default=4, ge=1, le=10_000)
    k1: int = Field(default=30, ge=1, le=1_000)
    k2: int = Field(default=6, ge=1, le=1_000)


class RunConfig(Settings):
    """One run of Algorithm 1 or of its semi-supervised form; the defaults are the paper's.

    Attributes:
        clustering: `kmeans` (the paper), or `dbscan`, which finds K by itself and leaves outliers
            out.
        n_clusters: K of k-means. Paper: 700 for Duke, 750 for Market-1501 and CUHK03.
        lambda_: λ, the cosine to the cluster's center above which an image is reliable;
            None or 0 selects every image (Table III).
        selection: `own` center (Eq. 2) or `any` center (the authors' code).
        n_iterations: At most so many iterations; 0 only extracts, clusters and maps.
        restart_from: Each fine-tuning starts from the `original` model (Algorithm 1, line 17)
            or from the `previous` iteration's.
        kmeans_n_init: Restarts of k-means; the one with the lowest inertia is kept.
        kmeans_max_iterations: Lloyd iterations at most.
        kmeans_backend: `exact`, or `faiss` for very many images: quicker, slightly looser clusters.
        dbscan: How DBSCAN clusters.
        convergence_window: Iterations over which the share of reliable images is watched.
        convergence_tolerance: Stop when that share moves by less than this; 0 never stops early.
        annotation_mode: Annotated images only train along (`append`, the paper), or also steer the
            clustering (`constrained`).
        use_tracklets: Whether all images of a tracklet share a cluster (k-means only).
        camera_diversity: Whether a cluster's reliable images are thinned where most of them are of
            one camera.
        init_on_annotations: Whether the original model is first fine-tuned on the annotations.
        extraction_precision: `float32`, or `bfloat16` for mixed precision where features are
            extracted, on a device that has it.
        projection: Whether each iteration gets a 2-D map.
        keep_features: Features are kept of so many last iterations, models of the last two and of
            the best on validation identities; None keeps all of them.
        seed: Seed of everything random.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, ...
        n_threads: CPU threads; None leaves one core to the screen and the system.
        finetune: How the network is trained in each iteration.
        evaluation: How the figures are computed.
    """

    clustering: Literal["kmeans", "dbscan"] = "kmeans"
    n_clusters: int = Field(default=750, ge=1)
    lambda_: float | None = Field(default=0.85, ge=-1, le=1)
    selection: Literal["own", "any"] = "own"
    n_iterations: int = Field(default=25, ge=0, le=10_000)
    restart_from: Literal["original", "previous"] = "original"
    kmeans_n_init: int = Field(default=1, ge=1, le=100)
    kmeans_max_iterations: int = Field(default=300, ge=1, le=10_000)
    kmeans_backend: Literal["exact", "faiss"] = "exact"
    dbscan: DbscanConfig = DbscanConfig()
    convergence_window: int = Field(default=5, ge=2, le=1_000)
    convergence_tolerance: float = Field(default=0.005, ge=0, le=1)
    annotation_mode: Literal["append", "constrained"] = "append"
    use_tracklets: bool = False
    camera_diversity: bool = False
    init_on_annotations: bool = True
    extraction_precision: Literal["float32", "bfloat16"] = "float32"
    projection: bool = True
    keep_features: int | None = Field(default=None, ge=2, le=10_000)
    seed: int = Field(default=0, ge=0, lt=2**31)
    device: str = "auto"
    n_threads: int | None = Field(default=None, ge=1, le=1024)
    finetune: TrainConfig = TrainConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _check_clustering(self) -> Self:
        if self.clustering == "dbscan" and self.annotation_mode == "constrained":
            raise ValueError(
                "annotation_mode 'constrained' is for clustering 'kmeans'; 'dbscan' takes 'append'"
            )
        if self.clustering == "dbscan" and self.use_tracklets:
            raise ValueError("use_tracklets is for clustering 'kmeans'; turn it off for 'dbscan'")
        return self

    @property
    def selects_all(self) -> bool:
        """Whether there is no selection: every image trains (Table III)."""
        return not self.lambda_


def preset_names() -> list[str]:
    """Return the names of the presets that ship with the package, sorted."""
    folder = resources.files("pul") / "presets"
    names = [entry.name for entry in folder.iterdir()]
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def load_preset(name: str) -> RunConfig:
    """Return the run settings of a preset.

    Args:
        name: One of `preset_names()`.

    Raises:
        ConfigError: There is no such preset.
    """
    if name not in preset_names():
        known = ", ".join(preset_names())
        raise ConfigError(f"There is no preset {name!r}; choose one of {known}.")
    text = (resources.files("pul") / "presets" / f"{name}.toml").read_text(encoding="utf-8")
    return RunConfig(**tomllib.loads(text))


def suggest_n_clusters(n_images: int) -> int:
    """Guess K for a place that nobody has counted: Market-1501 has 17 images of a person.

    Args:
        n_images: Number of unlabelled images, N.

    Returns:
        max(1, round(N / 17)).
    """
    return max(1, round(n_images / 17))


def derive_seed(seed: int, *names: str | int) -> int:
    """Derive an independent seed for one purpose, the same on every machine and Python.

    Args:
        seed: The run's seed.
        names: What it is for, such as ("cluster", 3).

    Returns:
        A seed in [0, 2**31).
    """
    digest = hashlib.sha256(repr((seed, *names)).encode()).digest()
    return int.from_bytes(digest[:4], "little") % 2**31


def _set_path(tree: dict[str, Any], path: str, value: Any) -> None:
    *parents, leaf = path.split(".")
    for parent in parents:
        if not isinstance(tree.get(parent), dict):
            raise ConfigError(f"There is no group of settings {parent!r} in {path!r}.")
        tree = tree[parent]
    tree[leaf] = value


def _explain(kind: str, error: ValidationError) -> str:
    lines = [
        f"{'.'.join(str(part) for part in detail['loc']) or kind}: {detail['msg']}"
        f" (got {detail['input']!r})"
        for detail in error.errors()
    ]
    return f"{kind}: " + "; ".join(lines)
