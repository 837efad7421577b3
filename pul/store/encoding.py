"""Records as plain JSON values, and back."""

import math
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from pul.errors import StoreError

Record = TypeVar("Record")

_ADAPTERS: dict[type, TypeAdapter[Any]] = {}  # slow to make


def to_plain(value: Any) -> Any:
    """Return a record, or anything within one, as values that JSON knows.

    NaN and infinities, which JSON does not know, become text that `from_plain` reads back.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def from_plain(kind: type[Record], values: Any) -> Record:
    """Return the record of that kind that `to_plain` made these values from.

    Raises:
        StoreError: The values do not make such a record.
    """
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    adapter: TypeAdapter[Record] = _ADAPTERS[kind]
    try:
        return adapter.validate_python(values)
    except ValidationError as error:
        raise StoreError(f"A stored {kind.__name__} is damaged: {error}") from error
