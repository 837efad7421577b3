"""Descriptions of the settings of a run."""

from typing import Any

from pul.config import RunConfig, Setting, describe, load_preset
from pul.config.base import flatten

__all__ = ["Setting"]


def run_settings() -> dict[str, Setting]:
    """Return the description of every setting of a run, by its dotted name."""
    return {setting.path: setting for setting in describe(RunConfig)}


def paper_values() -> dict[str, Any]:
    """Return the paper's value of every setting, by its dotted name."""
    return flatten(load_preset("paper").model_dump())
