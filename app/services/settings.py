"""Descriptions of the settings of a run."""

from collections.abc import Mapping
from typing import Any

from pul.config import RunConfig, Setting, describe, load_preset
from pul.config.base import NO_VALUE, flatten

__all__ = ["Setting"]


def run_settings() -> dict[str, Setting]:
    """Return the description of every setting of a run, by its dotted name."""
    return {setting.path: setting for setting in describe(RunConfig)}


def paper_values() -> dict[str, Any]:
    """Return the paper's value of every setting, by its dotted name."""
    return flatten(load_preset("paper").model_dump())


def with_entered(config: RunConfig, entered: Mapping[str, Any]) -> RunConfig:
    """Return settings with what was entered in a form, by dotted name; None is an empty field.

    Raises:
        ConfigError: A value is not allowed.
    """
    return config.replace(**{p: NO_VALUE if v is None else v for p, v in entered.items()})
