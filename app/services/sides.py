"""Which images, clusters and identities of a run are compared, where sides are told apart."""

import numpy as np

from app.services.cache import cached_by_identity
from app.services.workspace import open_workspace, run_images
from pul.arrays import BoolArray, IntArray
from pul.labelling.loading import read_footage
from pul.labelling.suggestions.groups import group
from pul.labelling.suggestions.sides import shown_sides, sides_of
from pul.records import ImageTable


def image_sides(location: str, run_id: int) -> BoolArray:
    """Return in which comparisons each training image of a run takes part, shape (N, V).

    V is 1 where the run does not tell sides apart. Two images are compared if they share one.

    Raises:
        StoreError: There is no such run.
    """
    config = open_workspace(location).run(run_id).config
    # Runs made before there was this setting lack it.
    is_aware = bool(config.get("evaluation", {}).get("side_aware"))
    images = run_images(location, run_id)
    return _image_sides(images) if is_aware else np.ones((len(images), 1), dtype=np.bool_)


def group_sides(shown: BoolArray, of: IntArray, n_groups: int) -> BoolArray:
    """Return in which comparisons groups of images take part, shape (G, V).

    Args:
        shown: That of each image, shape (N, V).
        of: Group of each image, shape (N,); below 0 for none.
        n_groups: G; one without images takes part in all.
    """
    sides = np.ones((n_groups, shown.shape[1]), dtype=np.bool_)
    inside = of >= 0
    if inside.any():
        sides[np.unique(of[inside])] = sides_of(shown[inside], group(of[inside]))
    return sides


def compared(shown: BoolArray, own: BoolArray) -> BoolArray:
    """Return which of several are compared with one, shape (G,).

    Args:
        shown: Sides of the several, shape (G, V).
        own: Sides of the one, shape (V,).
    """
    are_compared: BoolArray = shown @ own
    return are_compared


@cached_by_identity(maxsize=2)
def _image_sides(images: ImageTable) -> BoolArray:
    return shown_sides(read_footage(images, side_aware=True).sides)
