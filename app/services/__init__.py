"""The app's access to `pul`, one module per subject; a module is imported when first used."""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.services import acts as acts
    from app.services import authors as authors
    from app.services import browsing as browsing
    from app.services import cards as cards
    from app.services import checks as checks
    from app.services import clusters as clusters
    from app.services import diagnosis as diagnosis
    from app.services import drafts as drafts
    from app.services import experiments as experiments
    from app.services import exports as exports
    from app.services import history as history
    from app.services import identities as identities
    from app.services import imports as imports
    from app.services import index as index
    from app.services import labels as labels
    from app.services import leases as leases
    from app.services import machine as machine
    from app.services import map as map
    from app.services import merges as merges
    from app.services import moved as moved
    from app.services import opinions as opinions
    from app.services import oracle as oracle
    from app.services import pairs as pairs
    from app.services import picked as picked
    from app.services import places as places
    from app.services import population as population
    from app.services import previews as previews
    from app.services import reproduction as reproduction
    from app.services import retrieval as retrieval
    from app.services import rewards as rewards
    from app.services import runs as runs
    from app.services import settings as settings
    from app.services import thresholds as thresholds
    from app.services import uploads as uploads
    from app.services import verdicts as verdicts
    from app.services import way as way
    from app.services import won_and_lost as won_and_lost
    from app.services import workspace as workspace


def __getattr__(name: str) -> ModuleType:
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        return import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        raise AttributeError(f"There is no service called {name}.") from error
