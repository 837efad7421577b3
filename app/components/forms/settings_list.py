"""Every setting of a run as people see it: a label, a sentence, its bounds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as people see it.

    Attributes:
        path: Its dotted name among the run's settings.
        label: What the screen calls it.
        sentence: What it does.
        low, high, step: Bounds and step of a number.
        choices: The values of a choice; empty for a number, a switch or a text.
        is_in_paper: Whether the paper has a value for it.
    """

    path: str
    label: str
    sentence: str
    low: float = 0
    high: float = 1
    step: float = 1
    choices: tuple[str, ...] = ()
    is_in_paper: bool = True


MAIN = (
    Setting("n_clusters", "Clusters K", "As many as there are people, roughly.", 1, 100_000),
    Setting(
        "lambda_", "Threshold λ",
        "Cosine to its center above which an image is reliable; 0 takes all.", 0, 1, 0.01,
    ),
    Setting(
        "n_iterations", "Iterations", "At most so many rounds of cluster, select, fine-tune.",
        0, 10_000,
    ),
    Setting(
        "finetune.n_epochs", "Epochs", "Passes over the reliable images in each iteration.",
        1, 10_000,
    ),
    Setting("finetune.learning_rate", "Learning rate", "Step size of SGD.", 0.00001, 10, 0.001),
    Setting("finetune.batch_size", "Batch size", "Images in one step.", 2, 65_536),
    Setting(
        "restart_from", "Start each iteration from",
        "The original model keeps errors from piling up; the previous one converges sooner.",
        choices=("original", "previous"),
    ),
    Setting(
        "seed", "Seed", "The same seed gives the same numbers on the CPU.", 0, 2**31 - 1,
        is_in_paper=False,
    ),
)  # fmt: skip
_CLUSTERS = (
    Setting(
        "selection", "Reliable by the center of",
        "Its own cluster (Eq. 2), or any cluster, as the authors' code does.",
        choices=("own", "any"),
    ),
    Setting(
        "clustering", "Clusters by",
        "k-means makes K clusters; DBSCAN finds K by itself and leaves outliers out.",
        choices=("kmeans", "dbscan"),
    ),
    Setting(
        "dbscan.eps", "DBSCAN: distance", "Images nearer than this are neighbours.", 0.01, 0.99,
        0.05, is_in_paper=False,
    ),
    Setting(
        "dbscan.min_samples", "DBSCAN: neighbours",
        "So many, itself included, put an image into the core of a cluster.", 1, 10_000,
        is_in_paper=False,
    ),
    Setting(
        "dbscan.k1", "DBSCAN: k1", "Neighbours that must be mutual.", 1, 1_000, is_in_paper=False
    ),
    Setting(
        "dbscan.k2", "DBSCAN: k2", "Neighbours that are averaged.", 1, 1_000, is_in_paper=False
    ),
    Setting(
        "kmeans_n_init", "k-means restarts", "The tightest clustering of so many is kept.", 1, 100
    ),
    Setting(
        "kmeans_max_iterations", "k-means steps", "Lloyd iterations at most; few need 100.",
        1, 10_000,
    ),
    Setting(
        "kmeans_backend", "k-means by",
        "faiss is quicker from about 100,000 images on, at slightly looser clusters.",
        choices=("exact", "faiss"), is_in_paper=False,
    ),
    Setting(
        "convergence_tolerance", "Convergence",
        "Stop when the reliable share moves by less; 0 never stops early.", 0, 1, 0.001,
        is_in_paper=False,
    ),
    Setting(
        "convergence_window", "Convergence over",
        "Iterations over which the reliable share is watched.", 2, 1_000, is_in_paper=False,
    ),
    Setting(
        "annotation_mode", "Labelled images",
        "Only train along (append), or steer the clustering too (constrained).",
        choices=("append", "constrained"),
    ),
    Setting(
        "use_tracklets", "Tracklets share a cluster",
        "Images of one camera at near times that look alike are one person.", is_in_paper=False,
    ),
    Setting(
        "camera_diversity", "Even out cameras",
        "Clusters that one camera dominates train on fewer of its images.", is_in_paper=False,
    ),
    Setting(
        "init_on_annotations", "Fine-tune on labels first",
        "Whether the original model is first fine-tuned on the labelled images.",
    ),
)  # fmt: skip
_TRAINING = (
    Setting(
        "finetune.loss", "Loss", "Triplet and contrastive need pytorch-metric-learning.",
        choices=("softmax", "triplet", "contrastive", "cluster_memory"),
    ),
    Setting(
        "finetune.n_instances", "Images of a cluster in a step", "For all losses but softmax.",
        2, 1_000, is_in_paper=False,
    ),
    Setting(
        "finetune.memory_temperature", "Memory: temperature",
        "Cluster memory: what cosines are divided by.", 0.001, 10, 0.01, is_in_paper=False,
    ),
    Setting(
        "finetune.memory_momentum", "Memory: momentum",
        "Cluster memory: share of the old entry that an update keeps.", 0, 0.99, 0.05,
        is_in_paper=False,
    ),
    Setting(
        "finetune.memory_update", "Memory: update by",
        "Cluster memory: the hard image of a cluster, least like its entry, or the mean.",
        choices=("hard", "mean"), is_in_paper=False,
    ),
    Setting(
        "finetune.lr_schedule", "Rate over the epochs", "Constant, or falling to zero.",
        choices=("constant", "cosine"),
    ),
    Setting("finetune.momentum", "Momentum", "Of SGD.", 0, 0.999, 0.05),
    Setting("finetune.weight_decay", "Weight decay", "L2 penalty.", 0, 1, 0.0001),
    Setting(
        "finetune.dropout", "Dropout", "Share of features dropped before the classifier.",
        0, 0.99, 0.05,
    ),
    Setting(
        "finetune.classifier_init_std", "Spread of new weights",
        "Standard deviation of the new classifier's weights.", 0.00001, 1, 0.001,
    ),
    Setting(
        "finetune.bn_momentum", "Batch norm momentum",
        "Of batch normalisation's running statistics; Keras calls 0.01 0.99.", 0.001, 1, 0.01,
    ),
    Setting(
        "finetune.precision", "Precision of training",
        "bfloat16 is faster where the device has it.", choices=("float32", "bfloat16"),
        is_in_paper=False,
    ),
    Setting(
        "finetune.compile", "Compile the network", "For GPUs; takes minutes at first.",
        is_in_paper=False,
    ),
)  # fmt: skip
_AUGMENTATION = (
    Setting(
        "finetune.augmentation.rotation_degrees", "Rotation, degrees",
        "Each training image is turned by up to so much.", 0, 180, 1.0,
    ),
    Setting(
        "finetune.augmentation.shift_fraction", "Shift",
        "It is moved by up to this share of its size, on each axis.", 0, 1, 0.01,
    ),
    Setting(
        "finetune.augmentation.flip_probability", "Mirroring",
        "How often it is mirrored.", 0, 1, 0.1,
    ),
    Setting(
        "finetune.augmentation.erasing_probability", "Erasing",
        "How often a rectangle of it is erased.", 0, 1, 0.1,
    ),
)  # fmt: skip
_FIGURES = (
    Setting(
        "evaluation.ap_method", "AP",
        "Trapezoid as in the paper, or step as in torchreid; never compare one with the other.",
        choices=("trapezoid", "step"),
    ),
    Setting(
        "evaluation.unmatched", "Queries without a match", "Count as zero, or are left out.",
        choices=("zero", "skip"),
    ),
    Setting(
        "evaluation.camera_aware", "Leave out the query's camera",
        "Off for data with one camera or none.",
    ),
    Setting("projection", "Draw a map", "Each iteration gets a map.", is_in_paper=False),
    Setting(
        "extraction_precision", "Precision of features",
        "bfloat16 is faster where the device has it.", choices=("float32", "bfloat16"),
        is_in_paper=False,
    ),
    Setting("device", "Device", "auto, cpu, cuda, cuda:1, ...", is_in_paper=False),
    Setting(
        "n_threads", "Threads", "CPU threads; empty leaves one core to the screen.", 1, 1024,
        is_in_paper=False,
    ),
    Setting(
        "keep_features", "Keep features of",
        "So many last iterations, to save disk; empty keeps those of all.", 2, 10_000,
        is_in_paper=False,
    ),
)  # fmt: skip
MORE = {
    "Clusters and selection": _CLUSTERS,
    "Fine-tuning": _TRAINING,
    "Random changes of training images": _AUGMENTATION,
    "Figures and machine": _FIGURES,
}
