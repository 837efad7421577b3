"""The short form that starts a run: model, K, λ."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import streamlit as st

ANOTHER_FILE = "A file …"


@dataclass(frozen=True, slots=True)
class QuickStart:
    """The request of the form.

    Attributes:
        act: Only group (extract and cluster), or train too.
        n_clusters: K.
        lambda_: λ; 0 selects all.
    """

    act: Literal["group", "train"]
    n_clusters: int
    lambda_: float


def choose_model(models: Mapping[str, str], *, key: str, chosen: str = "") -> str:
    """Show a selection of start models and return the chosen one; "" for none.

    Args:
        models: Known models by display name.
        key: Key of the widgets.
        chosen: Path of the model to begin with; "" for the first.
    """
    names = [*models, ANOTHER_FILE]
    first = next((at for at, name in enumerate(models) if models[name] == chosen), 0)
    name = st.selectbox("Start model", names, first, key=f"{key}:model")
    if name != ANOTHER_FILE:
        return models[name]
    return st.text_input(
        "Path of the model", placeholder="/path/to/model.safetensors", key=f"{key}:path"
    ).strip()


def quick_start(*, n_clusters: int, lambda_: float, sentence: str) -> QuickStart | None:
    """Show the form and return the request once, when a button is pressed.

    Args:
        n_clusters: Initial K.
        lambda_: Initial λ.
        sentence: Help text of K.
    """
    left, right = st.columns(2)
    # No bounds: the browser would keep a value beyond them to itself, and the last one that was
    # allowed would start without a word.
    entered = left.number_input(
        "Clusters K", value=n_clusters, step=1, key=f"quick:n_clusters:{n_clusters}", help=sentence
    )
    threshold = right.number_input(
        "Threshold λ",
        value=lambda_,
        step=0.01,
        key=f"quick:lambda_:{lambda_}",
        help="Cosine to its center above which an image is reliable; 0 takes all. Paper: 0.85.",
    )
    group = left.button(
        "Group without training",
        width="stretch",
        help="Extract features with the start model, cluster them, draw the map; no training.",
    )
    train = right.button(
        "Start training",
        type="primary",
        width="stretch",
        help="Repeat clustering, selection and fine-tuning, in the background.",
    )
    if group or train:
        return QuickStart("train" if train else "group", int(entered), float(threshold))
    return None
