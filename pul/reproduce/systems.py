"""Systems that PUL is compared with or starts from: hand-crafted features and start models."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pul.config import EvaluationConfig, RunConfig
from pul.data.datasets import Dataset, merge_datasets
from pul.records import RetrievalMetrics
from pul.reproduce.plan import SourceConfig

OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class HandCraftedConfig:
    """Settings of hand-crafted features and their evaluation.

    Attributes:
        bow_tables: Folder with the authors' tables of BoW; None fits tables on the target.
        umdl_images: Images of each dataset that UMDL learns from. Paper: 2,500.
        seed: Seed of what is fitted.
        evaluation: Definitions of the figures.
    """

    bow_tables: Path | None
    umdl_images: int
    seed: int
    evaluation: EvaluationConfig


def evaluate_hand_crafted(
    system: str,
    target: Dataset,
    sources: Sequence[Dataset],
    config: HandCraftedConfig,
    on_progress: OnProgress,
) -> RetrievalMetrics:
    """Return the figures of `bow`, `lomo` or `umdl` on the target's queries and gallery.

    Raises:
        DataError: The target has no queries or gallery, or there is nothing to learn from.
    """
    from pul.reproduce.baselines.extractors import HEIGHT, WIDTH, bow_extractor, umdl_extractor
    from pul.reproduce.baselines.lomo import extract_lomo
    from pul.reproduce.baselines.ranking import Extract, evaluate_extractor
    from pul.reproduce.baselines.umdl import UmdlConfig

    def report(step: str) -> Callable[[int, int], None]:
        return lambda done, total: on_progress(step, done, total)

    extract: Extract = extract_lomo
    if system != "lomo":
        extract = bow_extractor(
            target, tables=config.bow_tables, seed=config.seed, on_progress=report("fitting words")
        )
    if system == "umdl":
        extract = umdl_extractor(
            extract,
            target,
            sources,
            n_images=config.umdl_images,
            config=UmdlConfig(),
            seed=config.seed,
            on_progress=report("learning dictionaries"),
        )
    return evaluate_extractor(
        extract,
        target,
        config.evaluation,
        height=HEIGHT,
        width=WIDTH,
        on_progress=report("extracting"),
    )


def name_model(datasets: Sequence[Dataset], config: SourceConfig, seed: int) -> str:
    """Return the name of a start model; it differs by images, settings and seed."""
    content = [
        sorted(str(sample.path.name) for d in datasets for sample in d.split("train")),
        config.model_dump(mode="json"),
        seed,
    ]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
    return f"{config.network.backbone}-{digest}"


def train_start_model(
    path: Path,
    datasets: Sequence[Dataset],
    config: SourceConfig,
    *,
    seed: int,
    machine: RunConfig,
    cache_dir: Path,
    on_progress: OnProgress,
) -> None:
    """Train the original model θ_o on labelled datasets and write it atomically.

    Args:
        path: File to write.
        datasets: At least one.
        config: Network and training.
        seed: Seed of everything random.
        machine: Its device and threads are used.
        cache_dir: Where decoded pixels are cached.
        on_progress: Called with (step, batches done, batches in total).

    Raises:
        DataError: There are fewer than two identities.
        ModelError: The network or its weights are not available.
    """
    from pul.algorithm.source_training import train_source
    from pul.models.hardware import prepare
    from pul.models.network import save_network

    network, _ = train_source(
        merge_datasets(datasets),
        config.network,
        config.train,
        seed=seed,
        device=prepare(machine),
        cache_dir=cache_dir,
        on_progress=lambda done, total: on_progress("training the start model", done, total),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    save_network(network, path)
