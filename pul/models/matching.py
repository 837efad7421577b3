"""Which tensors of a checkpoint are those of a network, whatever stands before their names."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import Size, Tensor, nn

_UNUSED = "num_batches_tracked"  # nothing that computes features reads it
_N_ANCHORS = 8
# Of several networks in a file, those that their own programs use for retrieval come first.
_PREFERRED = ("mean_net", "teacher", "ema", "encoder_q")
_LAST = ("net", "student", "encoder_k")


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a program names the tensors of a network.

    Attributes:
        title: What is special about it; "" for the network's own names.
        spell: Turns the network's own name of a tensor into the program's.
        is_reshaped: Whether sides of length 1 come and go.
        n_steps: Steps of a name that say in which part of the network a tensor lies.
        unread: Pattern of the tensors among the network's that its program does not use.
    """

    title: str
    spell: Callable[[str], str]
    is_reshaped: bool = False
    n_steps: int = 1
    unread: str = r"$."


@dataclass(frozen=True)
class Architecture:
    """A network that a checkpoint may be for.

    Attributes:
        backbone: Its name in `NetworkConfig`.
        width_mult: Its width multiplier.
        shapes: Shapes of its tensors by name.
    """

    backbone: str
    width_mult: float
    shapes: Mapping[str, Size]

    @classmethod
    def of(cls, trunk: nn.Module, backbone: str, width_mult: float = 1.0) -> "Architecture":
        """Return the architecture of a network, which may be on the meta device."""
        state = trunk.state_dict()
        shapes = {n: v.shape for n, v in state.items() if not n.endswith(_UNUSED)}
        return cls(backbone, width_mult, shapes)


@dataclass(frozen=True)
class Match:
    """The tensors of a checkpoint beside those of a network.

    Attributes:
        architecture: The network.
        spelling: How the checkpoint names its tensors.
        prefix: What stands before each of these names: "state_dict.module.".
        names: The checkpoint's name of each tensor that fits, by the network's.
        missing: Tensors of the network that the checkpoint lacks.
        unfit: Tensors of another shape than the network's, by the network's name.
        surplus: Tensors that lie among the network's and have no place in it.
    """

    architecture: Architecture
    spelling: Spelling
    prefix: str
    names: Mapping[str, str]
    missing: tuple[str, ...]
    unfit: tuple[str, ...]
    surplus: tuple[str, ...]

    @cached_property
    def is_complete(self) -> bool:
        """Whether the checkpoint has every tensor of the network, and no deeper one of its kind."""
        return not (self.missing or self.unfit or self.surplus)

    @property
    def quality(self) -> tuple[bool, int, int]:
        """The larger, the better the match."""
        n_missing = len(self.missing) + len(self.unfit) + len(self.surplus)
        return self.is_complete, len(self.names) - n_missing, -_rank(self.prefix)

    @property
    def summary(self) -> str:
        """How many tensors fit: "120 of 122 tensors fit resnet18"."""
        name = self.architecture.backbone
        if self.architecture.width_mult != 1.0:
            name += f" with width_mult {self.architecture.width_mult}"
        wanted = len(self.architecture.shapes)
        text = f"{len(self.names)} of {wanted} tensors fit {name}"
        if self.missing:
            text += f"; it lacks {self.missing[0]!r}"
        elif self.unfit:
            text += f"; {self.unfit[0]!r} has another shape"
        elif self.surplus:
            text += f"; it has {len(self.surplus)} more, such as {self.surplus[0]!r}"
        return text


def match(
    tensors: Mapping[str, Tensor], architecture: Architecture, spelling: Spelling, take: str = ""
) -> list[Match]:
    """Find a network in a checkpoint: one match for each prefix, the best first.

    Args:
        tensors: The checkpoint's tensors by their dotted path.
        architecture: The network.
        spelling: How the checkpoint may name its tensors.
        take: What the prefix must contain, for one of several networks in a file.
    """
    spelled = {own: spelling.spell(own) for own in architecture.shapes}
    found = [
        _compare(tensors, architecture, spelling, spelled, prefix)
        for prefix in _prefixes(tensors, list(spelled.values()))
        if take in prefix
    ]
    return sorted(found, key=lambda one: one.quality, reverse=True)


def match_by_order(tensors: Mapping[str, Tensor], architecture: Architecture) -> Match | None:
    """Find a network whose tensors have other names, but the same order, kinds and shapes.

    A kind is the last part of a name, such as `weight` or `running_mean`. What follows the
    network's own tensors may be a classifier: at most two tensors.
    """
    theirs = [name for name in tensors if not name.endswith(_UNUSED)]
    own = architecture.shapes
    if not 0 <= len(theirs) - len(own) <= 2:
        return None
    pairs = dict(zip(own, theirs, strict=False))
    for name, other in pairs.items():
        is_same_kind = name.rpartition(".")[2] == other.rpartition(".")[2]
        if not is_same_kind or tensors[other].shape != own[name]:
            return None
    spelling = Spelling("other names in the same order", lambda name: name)
    return Match(architecture, spelling, "", pairs, (), (), ())


def _compare(
    tensors: Mapping[str, Tensor],
    architecture: Architecture,
    spelling: Spelling,
    spelled: Mapping[str, str],
    prefix: str,
) -> Match:
    names, missing, unfit = {}, [], []
    for own, other in spelled.items():
        name = prefix + other
        if name not in tensors:
            missing.append(own)
        elif _fits(own, tensors[name].shape, architecture.shapes[own], spelling):
            names[own] = name
        else:
            unfit.append(own)
    known, parts = set(spelled.values()), {_part(other, spelling) for other in spelled.values()}
    beside = (name[len(prefix) :] for name in tensors if name.startswith(prefix))
    surplus = tuple(
        prefix + name
        for name in beside
        if name not in known
        and not name.endswith(_UNUSED)
        and _part(name, spelling) in parts
        and not re.match(spelling.unread, name)
    )
    return Match(architecture, spelling, prefix, names, tuple(missing), tuple(unfit), surplus)


def _fits(own: str, shape: Size, wanted: Size, spelling: Spelling) -> bool:
    theirs, ours = tuple(shape), tuple(wanted)
    if spelling.is_reshaped:
        theirs, ours = (tuple(n for n in each if n != 1) for each in (theirs, ours))
    if own == "pos_embed":  # resized to the images; what counts is its width
        return theirs[-1:] == ours[-1:]
    return theirs == ours


def _prefixes(tensors: Mapping[str, Tensor], spelled: Sequence[str]) -> Iterator[str]:
    """Yield what stands before the names of a network, in the file's order."""
    step = max(1, len(spelled) // _N_ANCHORS)
    anchors = tuple(spelled[::step])
    seen = set()
    for name in tensors:
        for anchor in anchors:
            prefix = name.removesuffix(anchor)
            if len(prefix) < len(name) and prefix not in seen and (not prefix or prefix[-1] == "."):
                seen.add(prefix)
                yield prefix


def _part(name: str, spelling: Spelling) -> str:
    return ".".join(name.split(".")[: spelling.n_steps])


def _rank(prefix: str) -> int:
    """Return the place of a network among several in a file; 0 is taken first."""
    for place, word in enumerate(_PREFERRED):
        if _has_word(prefix, word):
            return place
    return len(_PREFERRED) + 1 + any(_has_word(prefix, word) for word in _LAST)


def _has_word(prefix: str, word: str) -> bool:
    return re.search(rf"(^|[._]){word}([._]|$)", prefix) is not None
