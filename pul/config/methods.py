"""The methods that a setting chooses among: a new one is a file of its own and a line here."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

# Name of a method → where it is, as `module:name`: the settings are read where no torch is loaded.
CLUSTERINGS: dict[str, str] = {
    "kmeans": "pul.algorithm.clustering:by_kmeans",
    "dbscan": "pul.cluster.dbscan:by_density",
}
LOSSES: dict[str, str] = {
    "softmax": "pul.algorithm.losses:SOFTMAX",
    "triplet": "pul.algorithm.losses:TRIPLET",
    "contrastive": "pul.algorithm.losses:CONTRASTIVE",
    "cluster_memory": "pul.algorithm.cluster_memory:CLUSTER_MEMORY",
    "camera_memory": "pul.algorithm.camera_memory:CAMERA_MEMORY",
}


def load_method(methods: Mapping[str, str], name: str) -> Any:
    """Import a method by its name."""
    module, _, attribute = methods[name].partition(":")
    return getattr(import_module(module), attribute)


@dataclass(frozen=True, slots=True)
class OneOf:
    """Mark of a setting whose value is the name of a method."""

    methods: Mapping[str, str]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, name: str) -> str:
        if name not in self.methods:
            raise ValueError(f"choose one of {', '.join(self.methods)}")
        return name
