"""How the last feature maps of a backbone become one feature: the average, or GeM."""

from typing import Any

from torch import Tensor, nn
from torchvision.models import MobileNetV2

from pul.config import NetworkConfig
from pul.errors import ModelError

_NAMES = ("avgpool", "global_avgpool", "global_pool")  # torchvision's, OSNet's, timm's


class GeneralizedMeanPooling(nn.Module):
    """Pool feature maps (B, C, H, W) to (B, C, 1, 1) by the mean of their p-th powers.

    What is below 10⁻⁶ counts as 10⁻⁶: negative maps, as a hard-swish leaves them, have no powers.

    Args:
        p: The exponent: 1 is the average, infinity the maximum.

    References:
        Radenović et al., Fine-tuning CNN Image Retrieval with No Human Annotation, 2018, Eq. 2.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, maps: Tensor) -> Tensor:
        """Return the pooled maps."""
        powers = maps.clamp(min=1e-6).pow(self.p)
        return nn.functional.adaptive_avg_pool2d(powers, 1).pow(1.0 / self.p)


class _PooledMobileNetV2(nn.Module):
    """MobileNetV2, which pools in a function, with a layer for it; parameters keep their names."""

    def __init__(self, model: MobileNetV2, pooling: nn.Module) -> None:
        super().__init__()
        self.features, self.avgpool = model.features, pooling

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.avgpool(self.features(images)).flatten(1)
        return features


def set_pooling(model: nn.Module, config: NetworkConfig) -> nn.Module:
    """Return a backbone that pools as its settings say.

    Args:
        model: A backbone that averages, changed in place.
        config: Its settings.

    Raises:
        ModelError: It does not pool feature maps.
    """
    if config.gem_p == 1.0:
        return model
    pooling = GeneralizedMeanPooling(config.gem_p)
    if isinstance(model, MobileNetV2):
        return _PooledMobileNetV2(model, pooling)
    for name in _NAMES:
        layer: Any = getattr(model, name, None)
        if isinstance(layer, nn.AdaptiveAvgPool2d):
            setattr(model, name, pooling)
            return model
        if _is_timm_average(layer):
            is_flat = getattr(layer.pool, "flatten", isinstance(layer.flatten, nn.Flatten))
            layer.pool = nn.Sequential(pooling, nn.Flatten(1)) if is_flat else pooling
            return model
    raise ModelError(
        f"{config.backbone} does not pool feature maps, so it has no pooling exponent "
        f"{config.gem_p:g}. Choose 1: `--set head.gem_p=1` for a run."
    )


def _is_timm_average(layer: Any) -> bool:
    """Whether a layer of timm averages over the rows and columns of maps (B, C, H, W)."""
    pool: Any = getattr(layer, "pool", None)
    is_fast = type(pool).__name__ == "FastAdaptiveAvgPool" and pool.dim == (2, 3)
    return is_fast or isinstance(pool, nn.AdaptiveAvgPool2d)
