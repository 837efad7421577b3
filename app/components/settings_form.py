"""The settings of a run, each with the paper's value and a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as people see it.

    Attributes:
        path: Its dotted name among the run's settings.
        label: What the screen calls it.
        sentence: What it does.
        low, high, step: Bounds and step of a number.
        choices: The values of a choice; empty for a number.
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
        "lambda_",
        "Threshold λ",
        "Cosine to its center above which an image is reliable; 0 takes all.",
        0,
        1,
        0.01,
    ),
    Setting(
        "n_iterations",
        "Iterations",
        "At most so many rounds of cluster, select, fine-tune.",
        0,
        10_000,
    ),
    Setting(
        "finetune.n_epochs",
        "Epochs",
        "Passes over the reliable images in each iteration.",
        1,
        10_000,
    ),
    Setting("finetune.learning_rate", "Learning rate", "Step size of SGD.", 0.00001, 10, 0.001),
    Setting("finetune.batch_size", "Batch size", "Images in one step.", 2, 65_536),
    Setting(
        "restart_from",
        "Start each iteration from",
        "The original model keeps errors from piling up; the previous one converges sooner.",
        choices=("original", "previous"),
    ),
    Setting(
        "seed",
        "Seed",
        "The same seed gives the same numbers on the CPU.",
        0,
        2**31 - 1,
        is_in_paper=False,
    ),
)
MORE = (
    Setting(
        "selection",
        "Reliable by the center of",
        "Its own cluster (Eq. 2), or any cluster, as the authors' code does.",
        choices=("own", "any"),
    ),
    Setting(
        "kmeans_n_init", "k-means restarts", "The tightest clustering of so many is kept.", 1, 100
    ),
    Setting(
        "convergence_tolerance",
        "Convergence",
        "Stop when the reliable share moves by less; 0 never stops early.",
        0,
        1,
        0.001,
    ),
    Setting(
        "finetune.lr_schedule",
        "Rate over the epochs",
        "Constant, or falling to zero.",
        choices=("constant", "cosine"),
    ),
    Setting(
        "finetune.precision",
        "Precision",
        "bfloat16 is faster where the device has it.",
        choices=("float32", "bfloat16"),
    ),
    Setting(
        "finetune.dropout",
        "Dropout",
        "Share of features dropped before the classifier.",
        0,
        0.99,
        0.05,
    ),
    Setting(
        "evaluation.ap_method",
        "AP",
        "Trapezoid as in the paper, or step as in torchreid; never compare one with the other.",
        choices=("trapezoid", "step"),
    ),
    Setting(
        "evaluation.unmatched",
        "Queries without a match",
        "Count as zero, or are left out.",
        choices=("zero", "skip"),
    ),
)


def setting_input(setting: Setting, value: Any, paper: Any, *, key: str) -> Any:
    """Show one setting and return what stands in it.

    Args:
        setting: The setting.
        value: What it begins with.
        paper: The paper's value, named below it.
        key: Key of the widget.
    """
    value = 0.0 if value is None else value
    if setting.choices:
        place = setting.choices.index(value)
        entered: Any = st.selectbox(setting.label, setting.choices, place, key=key)
    elif isinstance(value, int):
        low, high = int(setting.low), int(setting.high)
        entered = st.number_input(setting.label, low, high, value, 1, key=key)
    else:
        n_digits = max(2, len(f"{setting.step:f}".rstrip("0")) - 2)
        entered = st.number_input(
            setting.label,
            setting.low * 1.0,
            setting.high * 1.0,
            value,
            setting.step,
            format=f"%.{n_digits}f",
            key=key,
        )
    st.caption(setting.sentence + (f" Paper: {paper}." if setting.is_in_paper else ""))
    return entered


def settings_grid(
    settings: Sequence[Setting],
    values: Mapping[str, Any],
    paper: Mapping[str, Any],
    *,
    key: str,
    n_columns: int = 4,
) -> dict[str, Any]:
    """Show settings in columns and return what stands in them, by dotted name."""
    entered: dict[str, Any] = {}
    for start in range(0, len(settings), n_columns):
        for column, setting in zip(
            st.columns(n_columns), settings[start : start + n_columns], strict=False
        ):
            with column:
                entered[setting.path] = setting_input(
                    setting, values[setting.path], paper[setting.path], key=f"{key}:{setting.path}"
                )
    return entered


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the leaves of nested settings by dotted name."""
    leaves: dict[str, Any] = {}
    for name, value in tree.items():
        path = f"{prefix}{name}"
        leaves |= flatten(value, f"{path}.") if isinstance(value, dict) else {path: value}
    return leaves
