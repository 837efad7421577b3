"""Options that several commands of `python -m pul` have, and those that set a setting."""

import re
from typing import Annotated, Any

import typer

from pul.config import NetworkConfig, RunConfig, Setting, Settings, describe

# Options of `run`, by the settings that they set; others have --set.
SETTING_OPTIONS = {
    "n_clusters": "--k",
    "lambda_": "--lambda",
    "n_iterations": "--iterations",
    "finetune.n_epochs": "--epochs",
    "finetune.learning_rate": "--lr",
    "finetune.batch_size": "--batch-size",
    "selection": "--selection",
    "restart_from": "--restart-from",
    "evaluation.ap_method": "--ap",
    "evaluation.unmatched": "--unmatched",
    "tensorboard": "--tensorboard",
    "mlflow": "--mlflow",
    "seed": "--seed",
    "device": "--device",
    "n_threads": "--threads",
}


def setting(path: str, *names: str, of: type[Settings] = RunConfig) -> Any:
    """Return the option for a setting; its help is the setting's description.

    Args:
        path: Dotted name of the setting.
        names: Names of the option, if they differ from the parameter's.
        of: The settings class that has it.
    """
    (found,) = (known for known in describe(of) if known.path == path)
    return typer.Option(*names, help=describe_option(found))


def describe_option(setting: Setting) -> str:
    """Return what a setting does, and the range of a number."""
    is_number = setting.kind in ("number", "whole number")
    return setting.description + (f" Allowed: {setting.allowed}." if is_number else "")


Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script to read.")]
Seed = Annotated[int, setting("seed")]
Device = Annotated[str, setting("device")]
Threads = Annotated[int | None, setting("n_threads")]
Location = Annotated[
    str, typer.Option("--workspace", help="The workspace: a folder, or a database URL.")
]
Format = Annotated[str, typer.Option(help="Layout of the data; auto detects it from the folders.")]
Levels = Annotated[
    str,
    typer.Option(
        help="What the levels of the data's folders mean, from the outermost, if auto cannot tell: "
        "split, person, camera, tracklet, side, recording, date, class or - for nothing; for "
        "example camera/person. The last may be the parts of file names: split/person_camera_-."
    ),
]
ApMethod = Annotated[str, setting("evaluation.ap_method", "--ap")]
Unmatched = Annotated[str, setting("evaluation.unmatched")]
CameraAware = Annotated[bool, setting("evaluation.camera_aware")]
SideAware = Annotated[bool, setting("evaluation.side_aware")]
K = Annotated[int | None, setting("n_clusters", "--k")]
Lambda = Annotated[float | None, setting("lambda_", "--lambda")]
Iterations = Annotated[int | None, setting("n_iterations")]
AnySetting = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Any setting as NAME=VALUE: finetune.momentum=0.5; may be repeated."
    ),
]
Detach = Annotated[bool, typer.Option("--detach", help="Run in the background; see `status`.")]
RunName = Annotated[str, typer.Option("--name", help="Name of the run.")]


def in_options(message: str) -> str:
    """Name settings in a message by their options: `lambda_: ...` becomes `--lambda: ...`."""
    network = {name: f"--{name.replace('_', '-')}" for name in NetworkConfig.model_fields}
    finetune = {name.removeprefix("finetune."): option for name, option in SETTING_OPTIONS.items()}
    known = {**network, **finetune, **SETTING_OPTIONS}
    return re.sub(
        r"(?<![\w.])([a-z_.]+)(?=: )", lambda found: known.get(found[1], found[1]), message
    )


def network_setting(name: str) -> Any:
    """Return the option for a setting of the network."""
    return setting(name, of=NetworkConfig)
