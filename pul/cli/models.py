"""The commands of `python -m pul` that make a start model and evaluate any model."""

from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from pul.cli.console import OUT, print_json, print_metrics, progress_bar
from pul.cli.manage_runs import parse_settings
from pul.cli.options import (
    ApMethod,
    CameraAware,
    Device,
    Format,
    Json,
    Levels,
    Seed,
    SideAware,
    Threads,
    Unmatched,
    network_setting,
    setting,
)
from pul.config import EvaluationConfig, NetworkConfig, RunConfig, TrainConfig
from pul.config.settings import Precision
from pul.errors import ConfigError

_Colour = tuple[float, float, float]
Cache = Annotated[
    Path | None,
    typer.Option(help="Folder for decoded pixels, and for the images of cuhk-03.mat."),
]


def convert(
    weights: Annotated[
        str,
        typer.Argument(
            help="A checkpoint of another program; or timm:NAME, hf-hub:OWNER/NAME or the name of "
            "a network of torchvision, to download its published weights."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Start model to write, .safetensors.")],
    backbone: Annotated[
        str, typer.Option(help="The network, if it is not found out: resnet50, timm:NAME, ...")
    ] = "",
    width_mult: Annotated[float, network_setting("width_mult")] = 1.0,
    take: Annotated[
        str,
        typer.Option(
            help="Part of the tensors' names, to take one of several networks in a file: teacher."
        ),
    ] = "",
    height: Annotated[int | None, network_setting("height")] = None,
    width: Annotated[int | None, network_setting("width")] = None,
    mean: Annotated[_Colour | None, network_setting("mean")] = None,
    std: Annotated[_Colour | None, network_setting("std")] = None,
    last_stride: Annotated[int | None, network_setting("last_stride")] = None,
    stem: Annotated[str | None, network_setting("stem")] = None,
    gem_p: Annotated[float | None, network_setting("gem_p")] = None,
    patch_stride: Annotated[int | None, network_setting("patch_stride")] = None,
    sie_weight: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="What camera embeddings of TransReID or CLIP-ReID are multiplied by; their mean "
            "is built in. As published if not given; 0 leaves them out.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Make a start model of another program's weights, without training."""
    # Long: a parameter for each option.
    from pul.models.conversion import convert_weights

    done = convert_weights(
        weights,
        out,
        backbone=backbone,
        width_mult=width_mult,
        take=take,
        height=height,
        width=width,
        mean=mean,
        std=std,
        last_stride=last_stride,
        stem=stem,
        gem_p=gem_p,
        patch_stride=patch_stride,
        sie_weight=sie_weight,
    )
    if json:
        print_json(done)
        return
    for line in done.describe():
        OUT.print(line, soft_wrap=True)


def train_source(
    data: Annotated[list[Path], typer.Argument(help="Labelled datasets; several are merged.")],
    out: Annotated[Path, typer.Option(help="File to write, .safetensors.")],
    backbone: Annotated[str, network_setting("backbone")] = "resnet50",
    weights: Annotated[str, network_setting("weights")] = "torchvision",
    height: Annotated[int, network_setting("height")] = 224,
    width: Annotated[int, network_setting("width")] = 224,
    resize: Annotated[str, network_setting("resize")] = "stretch",
    width_mult: Annotated[float, network_setting("width_mult")] = 1.0,
    mean: Annotated[tuple[float, float, float], network_setting("mean")] = (0.485, 0.456, 0.406),
    std: Annotated[tuple[float, float, float], network_setting("std")] = (0.229, 0.224, 0.225),
    last_stride: Annotated[int, network_setting("last_stride")] = 2,
    stem: Annotated[str, network_setting("stem")] = "relu",
    gem_p: Annotated[float, network_setting("gem_p")] = 1.0,
    patch_stride: Annotated[int, network_setting("patch_stride")] = 0,
    epochs: Annotated[int, setting("finetune.n_epochs")] = 40,
    lr: Annotated[float, setting("finetune.learning_rate")] = 0.001,
    batch_size: Annotated[int, setting("finetune.batch_size")] = 16,
    schedule: Annotated[str, setting("finetune.lr_schedule")] = "constant",
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Any setting of the training, without `finetune.`: dropout=0.3; may be repeated.",
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder for decoded pixels, and for the images of cuhk-03.mat."),
    ] = None,
    format: Format = "auto",
    levels: Levels = "",
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Train a start model on labelled images of other places."""
    # Long: a parameter for each option.
    from pul.algorithm.source_training import train_source
    from pul.data.datasets import merge_datasets, read_dataset
    from pul.models.hardware import prepare
    from pul.models.network import save_network

    network_config = NetworkConfig(
        backbone=backbone,
        weights=weights,
        height=height,
        width=width,
        resize=resize,
        width_mult=width_mult,
        mean=mean,
        std=std,
        last_stride=last_stride,
        stem=stem,
        gem_p=gem_p,
        patch_stride=patch_stride,
    )
    config = TrainConfig(
        n_epochs=epochs, learning_rate=lr, batch_size=batch_size, lr_schedule=schedule
    ).replace(**parse_settings(set_))
    where = prepare(RunConfig(device=device, n_threads=threads))
    dataset = merge_datasets(
        [read_dataset(path, format=format, levels=levels, cache_dir=cache) for path in data]
    )
    with progress_bar("training") as on_progress:
        network, result = train_source(
            dataset,
            network_config,
            config,
            seed=seed,
            device=where,
            cache_dir=cache,
            on_progress=on_progress,
        )
    save_network(network, out)
    if json:
        print_json({"model": out, "result": result})
    else:
        losses = f"{result.epoch_losses[0]:.3f} → {result.epoch_losses[-1]:.3f}"
        people = f"{result.n_images:,} images of {result.n_classes:,} people"
        OUT.print(f"{people}; loss {losses}; {out}")


def evaluate(
    model: Annotated[Path, typer.Argument(help="A checkpoint, .safetensors.")],
    data: Annotated[Path, typer.Argument(help="A dataset with queries and a gallery.")],
    ap: ApMethod = "trapezoid",
    unmatched: Unmatched = "zero",
    camera_aware: CameraAware = True,
    side_aware: SideAware = False,
    rerank: Annotated[bool, typer.Option("--rerank", help="k-reciprocal re-ranking.")] = False,
    flip: Annotated[bool, typer.Option("--flip", help="Add the mirrored image's feature.")] = False,
    multi_query: Annotated[
        bool,
        typer.Option(
            "--multi-query",
            help="Pool the features of all images of the query's person on its camera.",
        ),
    ] = False,
    pool: Annotated[str, typer.Option(help="Multi-query: mean or max.")] = "mean",
    precision: Annotated[str, setting("extraction_precision")] = "float32",
    format: Format = "auto",
    levels: Levels = "",
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder for decoded pixels, and for the images of cuhk-03.mat."),
    ] = None,
    device: Device = "auto",
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Evaluate a model on a dataset's official queries and gallery."""
    # Long: a parameter for each option.
    from pul.algorithm.direct_transfer import Pooling, evaluate_network
    from pul.data.datasets import read_dataset
    from pul.models.hardware import prepare
    from pul.models.network import load_network

    config = EvaluationConfig(
        ap_method=ap, unmatched=unmatched, camera_aware=camera_aware, side_aware=side_aware
    )
    if pool not in ("mean", "max"):
        raise ConfigError(f"--pool must be mean or max, but is {pool!r}.")
    if precision not in get_args(Precision):
        known = ", ".join(get_args(Precision))
        raise ConfigError(f"--precision must be one of {known}, but is {precision!r}.")
    where = prepare(RunConfig(device=device, n_threads=threads))
    with progress_bar("extracting") as on_progress:
        metrics = evaluate_network(
            load_network(model),
            read_dataset(data, format=format, levels=levels, cache_dir=cache),
            config,
            rerank=rerank,
            flip=flip,
            multi_query=cast(Pooling, pool) if multi_query else None,
            device=where,
            precision=precision,
            cache_dir=cache,
            on_progress=on_progress,
            on_choice=lambda choice: typer.echo(str(choice), err=True),
        )
    if json:
        print_json(metrics)
    else:
        print_metrics(metrics, title=f"{model.name} on {data.name}")
