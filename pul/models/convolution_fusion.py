"""A convolution with the sum and the ReLU after it in one pass, for bfloat16 on the CPU."""

import copy
import logging
import operator

import torch
from torch import Tensor, fx, nn

_ADDITIONS = (operator.add, torch.add)  # torch.fx records `a += b` as the first
_ACTIVATIONS: dict[type[nn.Module], tuple[str, list[float]]] = {  # as oneDNN names them
    nn.ReLU: ("relu", []),
    nn.ReLU6: ("hardtanh", [0.0, 6.0]),
}
_TOLERANCE = 1e-3  # of the largest feature, for another order of the sums

_LOG = logging.getLogger(__name__)


class FusedConvolution(nn.Module):
    """A convolution whose output oneDNN adds to and clamps before it writes it.

    The operators are those that `torch.compile` calls on a CPU; they need no compiler. They are
    private, so the result is tried before it is used, and in float32, where they would gain 5 to
    10 %, they are not used.

    Args:
        convolution: What to compute; its weights are copied.
        activation: A ReLU or ReLU6 that follows, or None.
        dtype: What to multiply in, and the type of the output.
    """

    def __init__(
        self, convolution: nn.Conv2d, activation: nn.Module | None, dtype: torch.dtype
    ) -> None:
        super().__init__()
        self.convolution = copy.deepcopy(convolution).to(dtype)
        self.kind: str | None = None
        self.bounds: list[float] = []
        if activation is not None:
            self.kind, self.bounds = _ACTIVATIONS[type(activation)]

    def forward(self, maps: Tensor, added: Tensor | None = None) -> Tensor:
        """Return activation(convolution(maps) + added), shape as the convolution's."""
        own = self.convolution
        weight, bias = own.weight, own.bias
        how = (weight, bias, own.padding, own.stride, own.dilation, own.groups)
        maps, operators = maps.to(weight.dtype), torch.ops.mkldnn
        fused: Tensor
        if added is None:
            kind = self.kind or "none"
            fused = operators._convolution_pointwise(maps, *how, kind, self.bounds, None)
        else:
            fused = operators._convolution_pointwise.binary(
                maps, added.to(weight.dtype), *how, "add", 1.0, self.kind, [], None
            )
        return fused


def fuse_convolutions(network: nn.Module, images: Tensor, dtype: torch.dtype) -> nn.Module:
    """Return a copy of a network in which convolutions take the sum and the ReLU after them along.

    In bfloat16 a ReLU or a sum takes as long as a convolution, as all of them wait for memory:
    without their passes ResNet-50 is 1.6 times as fast. The copy is tried before it is believed.

    Args:
        network: What `pul.models.batchnorm_folding.fold_normalization` returned.
        images: A few normalised images (B, 3, H, W) to try it on.
        dtype: What the fused convolutions multiply in.

    Returns:
        What maps images to features; the network itself where nothing can be fused, or where the
        copy fails or is further from float32 than rounding explains.
    """
    if not isinstance(network, fx.GraphModule):
        return network
    fused = copy.deepcopy(network)
    for node in list(fused.graph.nodes):
        _fuse(fused, node, dtype)
    fused.graph.lint()
    fused.recompile()
    try:
        error, usual = (_error(each, network, images, dtype) for each in (fused, network))
    except Exception as failure:  # private operators: another torch may have them changed
        _LOG.warning("Features are extracted without fused convolutions: %s", failure)
        return network
    if error <= 2 * usual + _TOLERANCE:
        return fused
    _LOG.warning("Features are extracted without fused convolutions, which are off by %.3f", error)
    return network


def _error(tried: nn.Module, network: nn.Module, images: Tensor, dtype: torch.dtype) -> float:
    """Return by how much of the largest feature rounding to a type changes any feature."""
    is_mixed = dtype != torch.float32
    with torch.inference_mode():
        exact = network(images)
        with torch.autocast("cpu", dtype if is_mixed else torch.bfloat16, enabled=is_mixed):
            features = tried(images).float()
    return float((features - exact).abs().max() / exact.abs().max().clamp_min(1e-12))


def _fuse(network: fx.GraphModule, node: fx.Node, dtype: torch.dtype) -> None:
    """Let a convolution take along what follows it, if nobody else looks at what is between."""
    convolution = _module(network, node)
    if type(convolution) is not nn.Conv2d or isinstance(convolution.padding, str):
        return
    between, inputs = node, [node.args[0]]
    following = _only_user(node)
    if following is not None and following.target in _ADDITIONS:
        added = _other_term(following, node)
        if added is None:
            return
        between, inputs = following, [*inputs, added]
        following = _only_user(following)
    activation = _module(network, following) if following is not None else None
    # oneDNN takes no ReLU6 behind a sum
    is_clamped = type(activation) is nn.ReLU or (between is node and type(activation) is nn.ReLU6)
    last = following if is_clamped and following is not None else between
    if last is node:
        return
    name = f"fused_{node.name}"
    fused = FusedConvolution(convolution, activation if is_clamped else None, dtype)
    network.add_submodule(name, fused)
    with network.graph.inserting_before(last):
        last.replace_all_uses_with(network.graph.call_module(name, tuple(inputs)))
    for replaced in dict.fromkeys((last, between, node)):
        network.graph.erase_node(replaced)


def _module(network: fx.GraphModule, node: fx.Node) -> nn.Module | None:
    return network.get_submodule(str(node.target)) if node.op == "call_module" else None


def _only_user(node: fx.Node) -> fx.Node | None:
    return next(iter(node.users)) if len(node.users) == 1 else None


def _other_term(addition: fx.Node, node: fx.Node) -> fx.Node | None:
    """Return what is added to a node; None where it is a number, scaled, or the node itself."""
    others = [term for term in addition.args if isinstance(term, fx.Node) and term is not node]
    return others[0] if len(others) == 1 and not addition.kwargs else None
