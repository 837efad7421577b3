"""What all settings have in common: checked once, where they are made, and never changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from pul.errors import ConfigError

NO_VALUE = "none"  # empties a setting that may be without a value: TOML has no null


@dataclass(frozen=True, slots=True)
class Step:
    """By how much the buttons beside a setting change it on the screen."""

    size: float


@dataclass(frozen=True, slots=True)
class NotInPaper:
    """Mark of a setting that the paper has no value for."""


class Settings(BaseModel):
    """Base of all settings: immutable, and strict about unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(_explain(type(self).__name__, error)) from error

    @field_validator("*", mode="before")
    @classmethod
    def _read_no_value(cls, value: Any, info: ValidationInfo) -> Any:
        is_empty = value == NO_VALUE and may_be_empty(cls.model_fields[str(info.field_name)])
        return None if is_empty else value

    def replace(self, **values: Any) -> Self:
        """Return a checked copy with some values changed; None leaves a value as it is.

        A dotted path reaches a nested value: `replace(**{"finetune.n_epochs": 5})`. `NO_VALUE`
        empties a setting that may be without a value.

        Raises:
            ConfigError: A name is unknown or a value is not allowed.
        """
        tree = self.model_dump()
        for path, value in values.items():
            if value is not None:
                _set_path(tree, path, value)
        try:
            return type(self)(**tree)
        except ConfigError as error:
            raise ConfigError(_with_path(str(error), values)) from error


def _with_path(message: str, paths: Iterable[str]) -> str:
    """Name a setting in full: a group checks its own, as `momentum: ...`."""
    leaves = {path.rpartition(".")[2]: path for path in paths}
    name, colon, rest = message.partition(": ")
    return f"{leaves.get(name, name)}{colon}{rest}"


def may_be_empty(info: FieldInfo) -> bool:
    """Whether a setting may be without a value."""
    return type(None) in get_args(info.annotation)


def _set_path(tree: dict[str, Any], path: str, value: Any) -> None:
    *parents, leaf = path.split(".")
    for parent in parents:
        if not isinstance(tree.get(parent), dict):
            raise ConfigError(f"There is no group of settings {parent!r} in {path!r}.")
        tree = tree[parent]
    tree[leaf] = value


_BOUNDS = {
    "less_than_equal": "at most {le:g}",
    "less_than": "below {lt:g}",
    "greater_than_equal": "at least {ge:g}",
    "greater_than": "above {gt:g}",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "bool_parsing": "true or false",
    "literal_error": "{expected}",
}


def _explain(kind: str, error: ValidationError) -> str:
    lines = []
    for detail in error.errors():
        name = ".".join(str(part) for part in detail["loc"]) or kind
        reason = detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "extra_forbidden":
            reason = "there is no such setting; docs/settings.md lists them"
        elif detail["type"] in _BOUNDS:
            right = _BOUNDS[detail["type"]].format_map(detail.get("ctx", {}))
            reason = f"it must be {right}"
        lines.append(f"{name}: {reason} (got {detail['input']!r})")
    return "; ".join(lines)


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the leaves of nested settings by dotted name."""
    leaves: dict[str, Any] = {}
    for name, value in tree.items():
        path = f"{prefix}{name}"
        leaves |= flatten(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return leaves
