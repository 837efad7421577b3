"""What the sum of a row is a sum of: the columns that a figure depends on and nothing changes."""

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from sqlalchemy import JSON, Column, Float, Table

from pul.store.schema import annotation_events, controls, images, runs, settings

ALL_SUMMED = "all rows have sums"  # the setting: since it is there, a row without one is damaged
SUMMED: dict[Table, tuple[str, ...]] = {
    images: ("content_hash", "n_bytes", "pid", "camid", "split", "tracklet", "frame", "side"),
    runs: ("config", "model", "model_hash", "last_image_id"),
    controls: ("run_id", "name", "value", "author", "created_at"),
    annotation_events: ("created_at", "author", "kind", "payload", "token"),
    settings: ("name", "value"),
}


def with_sum(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a row with their sum."""
    return {**row, "row_sum": sum_of(table, row)}


def sum_of(table: Table, row: Mapping[str, Any]) -> str:
    """Return the sum of a row's values."""
    values = {}
    for name in SUMMED[table]:
        value = row[name]
        is_float = isinstance(table.c[name].type, Float) and value is not None
        values[name] = float(value) if is_float else value
    plain = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def is_as_written(table: Table, row: Mapping[str, Any]) -> bool:
    """Whether a row, its JSON as text, is what its sum is of."""
    values = dict(row)
    try:
        for name in SUMMED[table]:
            if isinstance(table.c[name].type, JSON) and isinstance(values[name], str):
                values[name] = json.loads(values[name])
        return bool(values["row_sum"] == sum_of(table, values))
    except (ValueError, TypeError, RecursionError):
        return False


def key_of(table: Table) -> Column[Any]:
    """Return the column by which a row is known."""
    (key,) = table.primary_key.columns
    return key
