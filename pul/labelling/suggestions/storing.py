"""The index of an iteration as files, so that it is made once and mapped by whoever labels."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pul.data.footage import Footage
from pul.labelling.suggestions.calibration import Answered
from pul.labelling.suggestions.clocks import Clocks
from pul.labelling.suggestions.groups import Groups
from pul.labelling.suggestions.index import SuggestionIndex
from pul.labelling.suggestions.likeness import Tracklets
from pul.store.cached_arrays import NewArrays, read_arrays

FORMAT = 4  # raise it when an index is made otherwise: older files are then not read


def put_index(made: NewArrays, index: SuggestionIndex) -> None:
    """Write an index, of which some arrays may be there by `NewArrays.allocate` already."""
    clocks = {f"clocks-{name}": array for name, array in index.tracklets.clocks._asdict().items()}
    footage = {f"footage-{name}": getattr(index.footage, name) for name in _FOOTAGE}
    groups = {
        f"{name}-{part}": array
        for name, grouped in (
            ("tracklets", index.tracklets.groups),
            ("by_cluster", index.by_cluster),
            ("moments", index.moments),
            ("bundles", index.bundles),
            ("images", index.images),
        )
        for part, array in grouped._asdict().items()
    }
    own = {name: getattr(index, name) for name in _OWN}
    rehearsed = index.rehearsed._asdict()
    own |= {f"rehearsed-{name}": array for name, array in rehearsed.items()}
    for name, array in (own | footage | groups | clocks).items():
        made.put(name, array)
    if index.tracklets.means is not index.embedding:
        made.put("tracklet_means", index.tracklets.means)
    made.put("sides_of_tracklets", index.tracklets.sides)
    made.put("doubts", np.stack(list(index.doubts.values())))
    made.put_plain(format=FORMAT, lambda_=index.lambda_, doubts=list(index.doubts))


def read_index(folder: Path) -> SuggestionIndex | None:
    """Map a stored index; None if there is none, or if it is damaged or of another format."""
    found = read_arrays(folder)
    if found is None or found[1].get("format") != FORMAT:
        return None
    arrays, plain = found
    means = arrays.get("tracklet_means", arrays["embedding"])
    return SuggestionIndex(
        footage=Footage(**{name: arrays[f"footage-{name}"] for name in _FOOTAGE}),
        lambda_=plain["lambda_"],
        tracklets=Tracklets(
            _groups(arrays, "tracklets"),
            means,
            Clocks(**_of(arrays, "clocks")),
            arrays["sides_of_tracklets"],
        ),
        by_cluster=_groups(arrays, "by_cluster"),
        sketch=arrays["sketch"],
        moments=_groups(arrays, "moments"),
        bundles=_groups(arrays, "bundles"),
        images=_groups(arrays, "images"),
        doubts=dict(zip(plain["doubts"], arrays["doubts"], strict=True)),
        rehearsed=Answered(**_of(arrays, "rehearsed")),
        image_ids=arrays["image_ids"],
        embedding=arrays["embedding"],
        clusters=arrays["clusters"],
        similarities=arrays["similarities"],
        cluster_of=arrays["cluster_of"],
        means=arrays["means"],
        cohesion=arrays["cohesion"],
        n_cameras=arrays["n_cameras"],
        sides=arrays["sides"],
    )


_OWN = (
    "image_ids", "embedding", "clusters", "similarities", "cluster_of", "means", "cohesion",
    "n_cameras", "sides", "sketch",
)  # fmt: skip
_FOOTAGE = ("camids", "recordings", "frames", "tracklets", "sides")


def _groups(arrays: Mapping[str, NDArray[Any]], name: str) -> Groups:
    return Groups(**_of(arrays, name))


def _of(arrays: Mapping[str, NDArray[Any]], name: str) -> dict[str, NDArray[Any]]:
    prefix = f"{name}-"
    return {
        key.removeprefix(prefix): each for key, each in arrays.items() if key.startswith(prefix)
    }
