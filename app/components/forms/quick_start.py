"""The short form that starts a run: model, K, λ."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import streamlit as st

ANOTHER_FILE = "A file …"


@dataclass(frozen=True, slots=True)
class QuickStart:
    """What someone asked for.

    Attributes:
        act: Only look (extract and cluster), or train too.
        n_clusters: K.
        lambda_: λ; 0 selects all.
    """

    act: Literal["look", "train"]
    n_clusters: int
    lambda_: float


def choose_model(models: Mapping[str, str], *, key: str) -> str:
    """Let someone choose a start model and return it; "" where none was given.

    Args:
        models: Known models, by what they are called.
        key: Key of the widgets.
    """
    name = st.selectbox("Start model", [*models, ANOTHER_FILE], key=f"{key}:model")
    if name != ANOTHER_FILE:
        return models[name]
    return st.text_input(
        "Path of the model", placeholder="/path/to/model.safetensors", key=f"{key}:path"
    ).strip()


def quick_start(
    *, n_clusters: int, lambda_: float, sentence: str, is_ready: bool
) -> QuickStart | None:
    """Show the form and return what was asked for, once, when a button is pressed.

    Args:
        n_clusters: The K to begin with.
        lambda_: The λ to begin with.
        sentence: What to know about K.
        is_ready: Whether there is a model to start from.
    """
    left, right = st.columns(2)
    entered = left.number_input(
        "Clusters K", 1, value=n_clusters, key=f"quick:n_clusters:{n_clusters}", help=sentence
    )
    threshold = right.number_input(
        "Threshold λ",
        0.0,
        1.0,
        lambda_,
        0.01,
        key=f"quick:lambda_:{lambda_}",
        help="Cosine to its center above which an image is reliable; 0 takes all. Paper: 0.85.",
    )
    look = left.button(
        "Group without training",
        width="stretch",
        disabled=not is_ready,
        help="A map of the images as the start model sees them; nothing is trained.",
    )
    train = right.button(
        "Start PUL",
        type="primary",
        width="stretch",
        disabled=not is_ready,
        help="Cluster, select, fine-tune, again and again, in the background.",
    )
    if look or train:
        return QuickStart("train" if train else "look", int(entered), float(threshold))
    return None
