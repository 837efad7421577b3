"""What is wrong with a form, in words, before anything is started. No Streamlit here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.services.runs import IMAGENET_NETWORKS, RunConfig
from app.services.settings import Setting, run_settings, with_entered
from app.services.workspace import n_train_images
from pul.errors import ConfigError, PulError
from pul.models.file_kinds import require_own_checkpoint

_OWN_WORDS = {
    "lambda_": "λ is a cosine: 0 takes every image, the paper uses 0.85.",
    "n_clusters": "K is about the number of people.",
}


def problems(
    location: str, config: RunConfig, entered: Mapping[str, Any], model: str | None = None
) -> list[str]:
    """Return what keeps a run from working, a sentence each; none if it can start.

    Args:
        location: The workspace.
        config: The settings that the form was opened with.
        entered: What was entered, by dotted name.
        model: Path of the start model, or one of `IMAGENET_NETWORKS`; None for one that is known.
    """
    found = [text for text in (_model_problem(model), *_bound_problems(entered)) if text]
    if not found:
        try:
            config = with_entered(config, entered)
        except ConfigError as error:
            return [str(error)]
        if config.clustering == "kmeans":
            found = _n_clusters_problems(config.n_clusters, n_train_images(location))
    return found


def check_n_clusters(n_clusters: int, n_images: int) -> None:
    """Refuse a K that k-means cannot make of some images.

    Raises:
        ConfigError: K is not in [1, N].
    """
    if found := _n_clusters_problems(n_clusters, n_images):
        raise ConfigError(found[0])


def check_lambda(lambda_: float) -> None:
    """Refuse a λ that is no threshold of a run.

    Raises:
        ConfigError: λ is out of its bounds.
    """
    if found := _bound_problems({"lambda_": lambda_}):
        raise ConfigError(found[0])


def _n_clusters_problems(n_clusters: int, n_images: int) -> list[str]:
    if 1 <= n_clusters <= n_images:
        return []
    return [
        f"Clusters K must be from 1 to {n_images:,}, the number of training images, but is "
        f"{n_clusters:,}. {_OWN_WORDS['n_clusters']}"
    ]


def _model_problem(model: str | None) -> str:
    if model is None or model in IMAGENET_NETWORKS:
        return ""
    if not model:
        return "Start model: no file is named; give the path of a .safetensors file."
    try:
        require_own_checkpoint(Path(model).expanduser())
    except PulError as error:
        return f"Start model: {error}"
    return ""


def _bound_problems(entered: Mapping[str, Any]) -> list[str]:
    settings = run_settings()
    checked = ((settings[path], value) for path, value in entered.items())
    return [
        f"{setting.label} must be {setting.allowed}, but is {value:,}."
        + (f" {_OWN_WORDS[setting.path]}" if setting.path in _OWN_WORDS else "")
        for setting, value in checked
        if not _is_within(setting, value)
    ]


def _is_within(setting: Setting, value: Any) -> bool:
    if setting.kind not in ("number", "whole number") or value is None:
        return True
    low, high = setting.minimum, setting.maximum
    if low is not None and (value < low or (setting.is_above and value == low)):
        return False
    return high is None or not (value > high or (setting.is_below and value == high))
