"""Every setting: its type, its bounds, its default (the paper's), its name and what it does.

The form on the screen, `--help` and docs/settings.md are made from these descriptions.
"""

from typing import Annotated, Literal

from pydantic import Field

from pul.config.base import NotInPaper, Settings, Step
from pul.config.methods import CLUSTERINGS, LOSSES, OneOf

Precision = Literal["auto", "float32", "bfloat16"]

RESNET_SHIFT = 45 / 224  # the paper shifts by up to 45 pixels of a 224-pixel image


class NetworkConfig(Settings):
    """Which network, from which weights, on images of which size."""

    backbone: str = Field(
        default="resnet50",
        title="Network",
        description="Name of a torchvision classification model (resnet50, mobilenet_v2, ...), "
        "osnet_x1_0, osnet_x0_25, resnet50_ibn_a, or any model of timm as `timm:NAME` or "
        "`hf-hub:OWNER/NAME`.",
    )
    weights: str = Field(
        default="torchvision",
        title="Weights",
        description="`torchvision` (ImageNet weights of torchvision or timm, downloaded once), "
        "`none` (random), or a checkpoint of any program.",
    )
    height: int = Field(
        default=224, ge=16, le=2048, title="Height", description="Height of the input in pixels."
    )
    width: int = Field(
        default=224, ge=16, le=2048, title="Width", description="Width of the input in pixels."
    )
    resize: Annotated[Literal["stretch", "pad"], NotInPaper()] = Field(
        default="stretch",
        title="Fit images by",
        description="`stretch` them to the input's size, as is usual for crops of people, or keep "
        "their shape and `pad` them on both sides with the mean colour, as for vehicles and "
        "animals.",
    )
    width_mult: Annotated[float, NotInPaper()] = Field(
        default=1.0,
        gt=0,
        le=4,
        title="Width multiplier",
        description="Width multiplier, for the MobileNets that have one.",
    )
    mean: tuple[float, float, float] = Field(
        default=(0.485, 0.456, 0.406),
        title="Mean",
        description="Mean of each RGB channel, subtracted from values scaled to [0, 1].",
    )
    std: tuple[float, float, float] = Field(
        default=(0.229, 0.224, 0.225),
        title="Standard deviation",
        description="Standard deviation of each RGB channel, divided by.",
    )
    last_stride: Annotated[int, NotInPaper()] = Field(
        default=2,
        ge=1,
        le=2,
        title="Last stride",
        description="Stride of the last stage of a ResNet: 2 as published for ImageNet, 1 in "
        "bag-of-tricks, fast-reid and Cluster Contrast, whose last feature maps are larger.",
    )
    stem: Annotated[Literal["relu", "no_relu", "ceil_pool"], NotInPaper()] = Field(
        default="relu",
        title="Stem",
        description="What follows the first convolution of a ResNet: `relu` (as published), "
        "`no_relu` (bag-of-tricks, MMT and SpCL leave it out) or `ceil_pool` (a ReLU, and "
        "fast-reid's pooling, which rounds up).",
    )
    gem_p: Annotated[float, NotInPaper()] = Field(
        default=1.0,
        ge=1,
        le=10,
        title="Pooling exponent",
        description="Exponent p of the generalised mean that pools the last feature maps: 1 is "
        "the average (the paper), 3 is usual where GeM pooling is used.",
    )
    neck: Annotated[Literal["none", "batchnorm"], NotInPaper()] = Field(
        default="none",
        title="Neck",
        description="What follows the pooling: `none` (the paper), or `batchnorm`, a batch "
        "normalisation of the features without a bias, as in bag-of-tricks and Cluster Contrast.",
    )
    patch_stride: Annotated[int, NotInPaper()] = Field(
        default=0,
        ge=0,
        le=64,
        title="Patch stride",
        description="Pixels from one patch of a vision transformer of timm to the next: 0 for the "
        "patches side by side of its design, 12 or 11 for patches that overlap, as in TransReID.",
    )

    @property
    def padding(self) -> tuple[int, int, int] | None:
        """The RGB colour beside an image that keeps its shape; None where images are stretched."""
        if self.resize == "stretch":
            return None
        red, green, blue = (min(255, max(0, round(255 * value))) for value in self.mean)
        return red, green, blue


class AugmentationConfig(Settings):
    """The random changes of a training image; the defaults are the paper's one warp."""

    rotation_degrees: Annotated[float, Step(1)] = Field(
        default=20.0,
        ge=0,
        le=180,
        title="Rotation, degrees",
        description="Each training image is rotated by up to this angle, either way.",
    )
    shift_fraction: Annotated[float, Step(0.01)] = Field(
        default=RESNET_SHIFT,
        ge=0,
        le=1,
        title="Shift",
        description="It is moved by up to this share of its size, on each axis; edges are "
        "repeated. The paper: 45 of 224 pixels.",
    )
    flip_probability: Annotated[float, Step(0.1)] = Field(
        default=0.0,
        ge=0,
        le=1,
        title="Mirroring",
        description="Probability that it is mirrored. The paper mirrors nothing.",
    )
    erasing_probability: Annotated[float, Step(0.1)] = Field(
        default=0.0,
        ge=0,
        le=1,
        title="Erasing",
        description="Probability that a rectangle of it is erased. The paper erases nothing.",
    )
    crop_padding: Annotated[int, NotInPaper()] = Field(
        default=0,
        ge=0,
        le=512,
        title="Pad and crop, pixels",
        description="It is padded on all sides by this many pixels of the mean colour and cropped "
        "back at random: a shift by whole pixels, which does not blur small images.",
    )


class TrainConfig(Settings):
    """How a network is trained, on the source or on the reliable images."""

    loss: Annotated[str, OneOf(LOSSES)] = Field(
        default="softmax",
        title="Loss",
        description="`softmax` (the paper), `cluster_memory` (Cluster Contrast, 2021), "
        "`camera_memory` (CAP, 2021: an entry for each cluster in each camera), or `triplet` and "
        "`contrastive`, which need pytorch-metric-learning.",
    )
    n_epochs: int = Field(
        default=20,
        ge=1,
        le=10_000,
        title="Epochs",
        description="Passes over the training images: in each iteration, the reliable ones. The "
        "paper: 20, and 40 on the source.",
    )
    batch_size: int = Field(
        default=16, ge=2, le=65_536, title="Batch size", description="Images in a step."
    )
    learning_rate: Annotated[float, Step(0.001)] = Field(
        default=1e-3, gt=0, le=10, title="Learning rate", description="Step size of the optimiser."
    )
    optimizer: Annotated[Literal["sgd", "adam"], NotInPaper()] = Field(
        default="sgd",
        title="Optimiser",
        description="`sgd` (the paper), or `adam`, as in Cluster Contrast. Each iteration begins a "
        "new one.",
    )
    lr_schedule: Literal["constant", "cosine", "step"] = Field(
        default="constant",
        title="Learning rate schedule",
        description="`constant` (the paper), `cosine`: it falls to zero over the epochs of an "
        "iteration, or `step`: it falls to a tenth after each `lr_step_size` epochs of the run.",
    )
    lr_step_size: Annotated[int, NotInPaper()] = Field(
        default=20,
        ge=1,
        le=10_000,
        title="Epochs of a step",
        description="Epochs of the run after which the schedule `step` lowers the rate; Cluster "
        "Contrast: 20 of 50.",
    )
    momentum: Annotated[float, Step(0.05)] = Field(
        default=0.9, ge=0, lt=1, title="Momentum", description="Momentum of SGD."
    )
    weight_decay: Annotated[float, Step(0.0001)] = Field(
        default=0.0, ge=0, le=1, title="Weight decay", description="L2 penalty. The paper: none."
    )
    dropout: Annotated[float, Step(0.05)] = Field(
        default=0.5,
        ge=0,
        lt=1,
        title="Dropout",
        description="Share of features that is dropped before the classifier.",
    )
    classifier_init_std: Annotated[float, Step(0.001)] = Field(
        default=1e-3,
        gt=0,
        le=1,
        title="Spread of new weights",
        description="Standard deviation of the new classifier's weights.",
    )
    bn_momentum: Annotated[float, Step(0.01)] = Field(
        default=0.01,
        gt=0,
        le=1,
        title="Batch norm momentum",
        description="Momentum of batch normalisation's running statistics; Keras calls 0.01 0.99.",
    )
    bn_group: Annotated[int | None, NotInPaper()] = Field(
        default=None,
        ge=2,
        le=65_536,
        title="Batch norm group",
        description="Images that batch normalisation sees together: a large batch is normalised in "
        "groups of about this size, as on several GPUs; without a value, the whole batch.",
    )
    bn_reestimate: Annotated[bool, NotInPaper()] = Field(
        default=False,
        title="Measure batch norm again",
        description="After training, batch normalisation's statistics are measured again on the "
        "training images as they are, without random changes.",
    )
    ema_decay: Annotated[float, Step(0.01), NotInPaper()] = Field(
        default=0.0,
        ge=0,
        lt=1,
        title="Averaged weights: decay",
        description="The network of an iteration is the exponential moving average of its weights "
        "over the steps, with this decay, as the teacher of MMT; 0 takes the last weights.",
    )
    n_instances: Annotated[int, NotInPaper()] = Field(
        default=4,
        ge=2,
        le=1_000,
        title="Images of a cluster in a batch",
        description="Images of a cluster that are in a batch together; for all losses but softmax.",
    )
    other_cameras: Annotated[bool, NotInPaper()] = Field(
        default=False,
        title="Draw from other cameras",
        description="A batch has an image of a cluster and others of it from other cameras, where "
        "it has some (Cluster Contrast), instead of each image once; for all losses but softmax.",
    )
    n_steps: Annotated[int | None, NotInPaper()] = Field(
        default=None,
        ge=1,
        le=1_000_000,
        title="Steps of an epoch",
        description="Batches of an epoch, however many images train; without a value, as many as "
        "it takes to see each image once.",
    )
    memory_temperature: Annotated[float, Step(0.01), NotInPaper()] = Field(
        default=0.05,
        gt=0,
        le=10,
        title="Memory: temperature",
        description="Cluster and camera memory: what cosines are divided by.",
    )
    memory_momentum: Annotated[float, Step(0.05), NotInPaper()] = Field(
        default=0.1,
        ge=0,
        lt=1,
        title="Memory: momentum",
        description="Cluster and camera memory: share of the old entry that an update keeps.",
    )
    memory_update: Annotated[Literal["hard", "mean"], NotInPaper()] = Field(
        default="hard",
        title="Memory: update by",
        description="Cluster memory: the `hard` image of a cluster in the batch, the one least "
        "like its entry, or their `mean`.",
    )
    memory_outliers: Annotated[bool, NotInPaper()] = Field(
        default=False,
        title="Memory: outliers too",
        description="Cluster memory: each outlier of DBSCAN is an entry of its own, which no "
        "cluster is like (SpCL).",
    )
    across_cameras_weight: Annotated[float, Step(0.1), NotInPaper()] = Field(
        default=0.5,
        ge=0,
        le=100,
        title="Camera memory: weight across cameras",
        description="Camera memory: weight of the loss across cameras beside that within one "
        "(CAP).",
    )
    precision: Annotated[Precision, NotInPaper()] = Field(
        default="float32",
        title="Precision of training",
        description="`bfloat16` is mixed precision, used where the device has it, but on a CPU not "
        "for images of at most 32 columns; `auto` times both as a run starts and takes the faster, "
        "if the loss allows it.",
    )
    compile: Annotated[bool, NotInPaper()] = Field(
        default=False,
        title="Compile the network",
        description="Try torch.compile: for GPUs and small batches, takes minutes at first; the "
        "run continues without it where it fails.",
    )
    augmentation: AugmentationConfig = AugmentationConfig()


class EvaluationConfig(Settings):
    """Which definition every figure of a run uses."""

    ap_method: Literal["trapezoid", "step"] = Field(
        default="trapezoid",
        title="Average precision",
        description="`trapezoid` (the paper and the original MATLAB) or `step` (torchreid, "
        "scikit-learn); never compare one with the other.",
    )
    unmatched: Literal["zero", "skip"] = Field(
        default="zero",
        title="Queries without a match",
        description="A query without a true match counts `zero` (MATLAB), or is left out: `skip` "
        "(torchreid).",
    )
    camera_aware: bool = Field(
        default=True,
        title="Leave out the query's camera",
        description="Whether images of the query's own camera are junk; off for data with one "
        "camera or none.",
    )
    side_aware: Annotated[bool, NotInPaper()] = Field(
        default=False,
        title="Compare the same side only",
        description="Whether images of two sides or orientations, as the left and the right flank "
        "of an animal, are never compared: in figures, suggestions and training; only for images "
        "whose side is known.",
    )


class DbscanConfig(Settings):
    """How clusters are found where K is not given: as in SpCL and Cluster Contrast."""

    eps: Annotated[float, Step(0.05), NotInPaper()] = Field(
        default=0.6,
        gt=0,
        lt=1,
        title="DBSCAN: distance",
        description="Jaccard distance below which two images are neighbours: a lower one makes "
        "more, smaller and purer clusters and more outliers.",
    )
    min_samples: Annotated[int, NotInPaper()] = Field(
        default=4,
        ge=1,
        le=10_000,
        title="DBSCAN: neighbours",
        description="Neighbours, itself included, that put an image into the core of a cluster.",
    )
    k1: Annotated[int, NotInPaper()] = Field(
        default=30,
        ge=1,
        le=1_000,
        title="DBSCAN: k1",
        description="Neighbours that must be mutual.",
    )
    k2: Annotated[int, NotInPaper()] = Field(
        default=6,
        ge=1,
        le=1_000,
        title="DBSCAN: k2",
        description="Neighbours whose neighbourhoods are averaged.",
    )


class HeadConfig(Settings):
    """What a run changes in its start model's last layers; the weights stay."""

    last_stride: Annotated[int | None, NotInPaper()] = Field(
        default=None,
        ge=1,
        le=2,
        title="Last stride",
        description="Stride of the last stage of a ResNet, 1 or 2; without a value, the start "
        "model's.",
    )
    gem_p: Annotated[float | None, NotInPaper()] = Field(
        default=None,
        ge=1,
        le=10,
        title="Pooling exponent",
        description="Exponent of the generalised mean that pools the last feature maps, 1 for the "
        "average; without a value, the start model's.",
    )
    neck: Annotated[Literal["model", "none", "batchnorm"], NotInPaper()] = Field(
        default="model",
        title="Neck",
        description="Whether batch normalisation follows the pooling: as in the start `model`, "
        "`none`, or `batchnorm`.",
    )


class RunConfig(Settings):
    """One run of Algorithm 1 or of its semi-supervised form; the defaults are the paper's."""

    clustering: Annotated[str, OneOf(CLUSTERINGS)] = Field(
        default="kmeans",
        title="Cluster by",
        description="`kmeans` (the paper) makes K clusters; `dbscan` finds K by itself and leaves "
        "outliers out.",
    )
    n_clusters: int = Field(
        default=750,
        ge=1,
        title="Clusters K",
        description="Number of clusters of k-means, K: about the number of people. The paper: 700 "
        "for Duke, 750 for Market-1501 and CUHK03.",
    )
    lambda_: Annotated[float | None, Step(0.01)] = Field(
        default=0.85,
        ge=-1,
        le=1,
        title="Threshold λ",
        description="Cosine to its cluster's center above which an image is reliable; 0 selects "
        "all (Table III).",
    )
    selection: Literal["own", "any"] = Field(
        default="own",
        title="Reliable by the center of",
        description="Compare an image with the center of its `own` cluster (Eq. 2) or of `any` "
        "(the authors' code).",
    )
    n_iterations: int = Field(
        default=25,
        ge=0,
        le=10_000,
        title="Iterations",
        description="Iterations of cluster, select, fine-tune at most; 0 only extracts, clusters "
        "and maps.",
    )
    restart_from: Literal["original", "previous"] = Field(
        default="original",
        title="Start each iteration from",
        description="Fine-tune from the `original` model (Algorithm 1, line 17), which keeps "
        "errors from adding up, or from the `previous` one, which converges sooner.",
    )
    kmeans_n_init: int = Field(
        default=1,
        ge=1,
        le=100,
        title="k-means restarts",
        description="Restarts of k-means; the one with the lowest inertia counts.",
    )
    kmeans_max_iterations: int = Field(
        default=300,
        ge=1,
        le=10_000,
        title="k-means iterations",
        description="Lloyd iterations at most; few runs need 100.",
    )
    dbscan: DbscanConfig = DbscanConfig()
    convergence_window: Annotated[int, NotInPaper()] = Field(
        default=5,
        ge=2,
        le=1_000,
        title="Convergence over",
        description="Iterations over which the share of reliable images is compared.",
    )
    convergence_tolerance: Annotated[float, Step(0.001), NotInPaper()] = Field(
        default=0.005,
        ge=0,
        le=1,
        title="Convergence",
        description="Stop when the share of reliable images changes by less than this; 0 never "
        "stops early.",
    )
    annotation_mode: Literal["append", "constrained"] = Field(
        default="append",
        title="Labelled images",
        description="Unlabelled images never join a labelled person (`append`, the paper), or do "
        "where the clustering would join them (`constrained`). Both keep what is known: images of "
        "one person share a cluster, two people never do.",
    )
    use_tracklets: Annotated[bool, NotInPaper()] = Field(
        default=False,
        title="Tracklets share a cluster",
        description="All images of a tracklet share a cluster: those that the data name, and those "
        "of one camera and recording with near frames that look alike. Other images of one frame "
        "never do.",
    )
    camera_diversity: Annotated[bool, NotInPaper()] = Field(
        default=False,
        title="Balance cameras",
        description="In each cluster, the camera with most reliable images trains on at most as "
        "many as all others together, but at least on half of its own, nearest to the center.",
    )
    init_on_annotations: bool = Field(
        default=True,
        title="Fine-tune on labels first",
        description="Whether the original model is first fine-tuned on the labelled images.",
    )
    extraction_precision: Annotated[Precision, NotInPaper()] = Field(
        default="float32",
        title="Precision of features",
        description="`bfloat16` is mixed precision, used where the device has it, but on a CPU not "
        "for images of at most 32 columns; `auto` times both as a run starts and takes the faster, "
        "if the features allow it.",
    )
    fit_images: Annotated[Literal["model", "stretch", "pad"], NotInPaper()] = Field(
        default="model",
        title="Fit images by",
        description="As the start `model` says, or else: `stretch` images to the input's size, or "
        "keep their shape and `pad` them. The models of the run say so too.",
    )
    evaluate_every: Annotated[int, NotInPaper()] = Field(
        default=1,
        ge=1,
        le=10_000,
        title="Measure every",
        description="Measure on the test set every so many iterations, and at the first and the "
        "last one, to save time.",
    )
    projection: Annotated[bool, NotInPaper()] = Field(
        default=True, title="Draw a map", description="Whether each iteration gets a 2-D map."
    )
    map_every: Annotated[int, NotInPaper()] = Field(
        default=1,
        ge=1,
        le=10_000,
        title="New map every",
        description="Lay the map out anew every so many iterations, and at the first and the last "
        "one, to save time; between, it shows the clusters on the last layout.",
    )
    keep_features: Annotated[int | None, NotInPaper()] = Field(
        default=10,
        ge=2,
        le=10_000,
        title="Features to store",
        description="Store the features of this many last iterations only, to save disk; earlier "
        "ones keep their clusters, map, figures and ranked lists. Without a value, all.",
    )
    keep_models: Annotated[Literal["all", "last"], NotInPaper()] = Field(
        default="all",
        title="Models to store",
        description="Store the models of `all` iterations, or, to save disk, of the `last` two and "
        "of the best on validation identities.",
    )
    seed: Annotated[int, NotInPaper()] = Field(
        default=0,
        ge=0,
        lt=2**31,
        title="Seed",
        description="Seed of everything random; the same seed gives the same numbers on the CPU.",
    )
    device: Annotated[str, NotInPaper()] = Field(
        default="auto", title="Device", description="auto, cpu, cuda, cuda:1, ..."
    )
    n_threads: Annotated[int | None, NotInPaper()] = Field(
        default=None,
        ge=1,
        le=1024,
        title="Threads",
        description="CPU threads; without a value, all cores but one.",
    )
    tensorboard: Annotated[str, NotInPaper()] = Field(
        default="",
        title="TensorBoard folder",
        description="Folder to write the figures of each iteration to, for TensorBoard; relative "
        "to the workspace. Needs `pip install tensorboard`.",
    )
    mlflow: Annotated[str, NotInPaper()] = Field(
        default="",
        title="MLflow address",
        description="Address of an MLflow server or database that gets the figures of each "
        "iteration, such as http://host:5000 or sqlite:///mlflow.db. Needs `pip install "
        "mlflow-skinny`.",
    )
    head: HeadConfig = HeadConfig()
    finetune: TrainConfig = TrainConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @property
    def selects_all(self) -> bool:
        """Whether there is no selection: every image trains (Table III)."""
        return not self.lambda_
