"""The presets, and the values that a run begins with where nobody has chosen them."""

import tomllib
from importlib import resources

from pul.config.settings import RunConfig
from pul.errors import ConfigError


def preset_names() -> list[str]:
    """Return the names of the presets that ship with the package, sorted."""
    folder = resources.files("pul") / "presets"
    names = [entry.name for entry in folder.iterdir()]
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def load_preset(name: str) -> RunConfig:
    """Return the run settings of a preset.

    Args:
        name: One of `preset_names()`.

    Raises:
        ConfigError: There is no such preset.
    """
    if name not in preset_names():
        known = ", ".join(preset_names())
        raise ConfigError(f"There is no preset {name!r}; choose one of {known}.")
    text = (resources.files("pul") / "presets" / f"{name}.toml").read_text(encoding="utf-8")
    return RunConfig(**tomllib.loads(text))


def suggest_n_clusters(n_images: int) -> int:
    """Guess K for a place that nobody has counted: Market-1501 has 17 images of a person.

    Args:
        n_images: Number of unlabelled images, N.

    Returns:
        max(2, round(N / 17)): one cluster tells nobody apart.
    """
    return max(2, round(n_images / 17))
