"""Camera and view embeddings (SIE) of TransReID and CLIP-ReID, built in as their mean."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from pul.models.matching import Match

# The name beside or among the network's tensors; which of the network's it is added to; and its
# weight in the settings that the program publishes (SIE_COE), which a checkpoint does not hold.
_KINDS = (("sie_embed", "pos_embed", 3.0), ("cv_embed", "cls_token", 1.0))


@dataclass(frozen=True, slots=True)
class CameraEmbeddings:
    """Embeddings of the cameras and views that a network was trained on. C of them.

    Attributes:
        name: The checkpoint's name of the tensor.
        target: The network's own tensor that one of them is added to.
        n_cameras: C.
        weight: What they are multiplied by.
    """

    name: str
    target: str
    n_cameras: int
    weight: float

    @property
    def note(self) -> str:
        """What was done with them, as a sentence."""
        them = f"{self.name}, its embeddings of {self.n_cameras} cameras or views"
        if not self.weight:
            return f"{them}, are left out. Features differ from the original's."
        return (
            f"{them}, are built in as their mean, times {self.weight:g}: cameras here are others. "
            "--sie-weight says what they are multiplied by (SIE_COE of its training), 0 leaves "
            "them out."
        )


def find_camera_embeddings(
    found: Match, tensors: Mapping[str, Tensor], weight: float | None = None
) -> CameraEmbeddings | None:
    """Return the camera embeddings that belong to a network of a checkpoint; None if it has none.

    Args:
        found: The network.
        tensors: The checkpoint's tensors by their dotted path.
        weight: What they are multiplied by; None for what the program publishes.
    """
    if "pos_embed" not in found.names:
        return None
    above = found.prefix.removesuffix(".").rpartition(".")[0]
    places = (found.prefix, f"{found.prefix}base.", f"{above}." if above else "")
    for kind, target, usual in _KINDS:
        for name in (place + kind for place in places):
            if name in tensors:
                n_cameras = int(tensors[name].shape[0])
                value = usual if weight is None else weight
                return CameraEmbeddings(name, target, n_cameras, value)
    return None


def build_in(
    cameras: CameraEmbeddings, found: Match, tensors: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the checkpoint's tensors with the mean of the camera embeddings added.

    References:
        He et al., TransReID, 2021, Eq. 4: E = F(x) + P + λ·S[camera, view], for all tokens;
        CLIP-ReID adds them to the class token alone.
    """
    theirs = found.names[cameras.target]
    mean = tensors[cameras.name].float().flatten(1).mean(dim=0)
    return {**tensors, theirs: tensors[theirs].float() + cameras.weight * mean}
