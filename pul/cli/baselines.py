"""The command that evaluates hand-crafted features."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pul.cli.console import print_json, print_metrics, progress_bar
from pul.cli.options import ApMethod, CameraAware, Format, Json, Levels, Unmatched
from pul.config import EvaluationConfig
from pul.errors import ConfigError

if TYPE_CHECKING:
    from pul.data.datasets import Dataset
    from pul.reproduce.baselines.ranking import Extract

app = typer.Typer()

_TABLES = ("w2c.mat", "codebook_350.mat", "params_350.mat")

Feature = Literal["bow", "lomo", "umdl"]


@app.command()
def evaluate_baseline(
    feature: Annotated[Feature, typer.Argument(help="Which feature.")],
    data: Annotated[Path, typer.Argument(help="A dataset with queries and a gallery.")],
    tables: Annotated[
        Path | None,
        typer.Option(
            help=f"BoW and UMDL: folder with the authors' {', '.join(_TABLES)}. Without it, tables "
            "are fitted on the dataset's training images."
        ),
    ] = None,
    retinex: Annotated[
        bool,
        typer.Option(
            "--retinex", help="LOMO: normalise illumination (Retinex) before colours are read."
        ),
    ] = False,
    source: Annotated[
        list[Path] | None, typer.Option(help="UMDL: a labelled dataset; may be repeated.")
    ] = None,
    images: Annotated[
        int, typer.Option(help="UMDL: images of each dataset to learn from. The paper: 2,500.")
    ] = 2500,
    iterations: Annotated[
        int, typer.Option(help="UMDL: iterations of each of three rounds. Its authors: 40.")
    ] = 40,
    ap: ApMethod = "trapezoid",
    unmatched: Unmatched = "zero",
    camera_aware: CameraAware = True,
    format: Format = "auto",
    levels: Levels = "",
    seed: Annotated[int, typer.Option(help="Seed of what is fitted: tables, dictionaries.")] = 0,
    json: Json = False,
) -> None:
    """Evaluate hand-crafted features, which need no weights, on official queries and gallery."""
    # Long: a parameter for each option.
    from pul.data.datasets import read_dataset
    from pul.reproduce.baselines.extractors import HEIGHT, WIDTH
    from pul.reproduce.baselines.lomo import extract_lomo
    from pul.reproduce.baselines.ranking import evaluate_extractor

    config = EvaluationConfig(ap_method=ap, unmatched=unmatched, camera_aware=camera_aware)
    _check_options(feature, tables, retinex, source)
    dataset = read_dataset(data, format=format, levels=levels)
    if feature == "lomo":
        extract: Extract = partial(extract_lomo, retinex=retinex)
    else:
        extract = _fit_words(dataset, tables, seed)
    if feature == "umdl":
        extract = _learn_dictionaries(extract, dataset, source or [], images, iterations, seed)
    with progress_bar("extracting") as on_progress:
        metrics = evaluate_extractor(
            extract, dataset, config, height=HEIGHT, width=WIDTH, on_progress=on_progress
        )
    if json:
        print_json(metrics)
    else:
        print_metrics(metrics, title=f"{feature} on {data.name}")


def _fit_words(dataset: "Dataset", tables: Path | None, seed: int) -> "Extract":
    from pul.reproduce.baselines.extractors import bow_extractor

    with progress_bar("fitting words") as on_progress:
        return bow_extractor(dataset, tables=tables, seed=seed, on_progress=on_progress)


def _learn_dictionaries(
    words: "Extract",
    dataset: "Dataset",
    sources: list[Path],
    n_images: int,
    n_iterations: int,
    seed: int,
) -> "Extract":
    from pul.data.datasets import read_dataset
    from pul.reproduce.baselines.extractors import umdl_extractor
    from pul.reproduce.baselines.umdl import UmdlConfig

    with progress_bar("learning dictionaries") as on_progress:
        return umdl_extractor(
            words,
            dataset,
            [read_dataset(path) for path in sources],
            n_images=n_images,
            config=UmdlConfig(n_iterations=n_iterations),
            seed=seed,
            on_progress=on_progress,
        )


def _check_options(
    feature: Feature, tables: Path | None, retinex: bool, source: list[Path] | None
) -> None:
    if feature == "lomo" and tables is not None:
        raise ConfigError("--tables belongs to BoW and UMDL; remove it for LOMO.")
    if feature != "lomo" and retinex:
        raise ConfigError("--retinex belongs to LOMO; remove it for other features.")
    if feature == "umdl" and not source:
        raise ConfigError("umdl learns from labelled datasets: name one or more with --source.")
    if feature != "umdl" and source:
        raise ConfigError(f"--source belongs to umdl; remove it for {feature}.")
