"""The paper's numbers, to compare with ours."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from pul.errors import ConfigError

_NAMES = {"market": "Market", "duke": "Duke", "cuhk03": "CUHK03", "cuhk-03": "CUHK03"}
_KEY = re.compile(r"(?P<row>\S+)(?: (?P<sources>[^>]+))? > (?P<target>\w+)")


@dataclass(frozen=True, slots=True)
class PaperFigures:
    """What the paper reports for one row.

    Attributes:
        figures: Rank-1, 5, 10, 20 and mAP in %; NaN where the paper gives none.
        sources: The datasets that its start model was trained on; hand-crafted features have none.
        target: The dataset that it adapted to.
    """

    figures: tuple[float, float, float, float, float]
    sources: tuple[str, ...]
    target: str

    @property
    def setting(self) -> str:
        """Where the figures come from, such as `Duke → Market`."""
        return f"{', '.join(self.sources)} → {self.target}".removeprefix(" → ")


def paper_name(dataset: str) -> str | None:
    """Return what the paper calls a dataset: Market, Duke or CUHK03; None for any other."""
    found = [name for part, name in _NAMES.items() if part in dataset.lower()]
    return found[0] if found else None


def find_paper_figures(
    experiment: str, row: str, sources: Sequence[str], target: str
) -> PaperFigures | None:
    """Find what the paper reports for a row.

    In Table II the source must be the paper's too. The other tables and figures have one setting
    for each target, which is named beside its figures.

    Args:
        experiment: `table2`, `table3`, ...
        row: The row without its source: `pul`, `no-selection-750`, ...
        sources: Names of the datasets that our start model was trained on.
        target: Name of the dataset that it adapts to.
    """
    wanted = {paper_name(source) for source in sources}
    for key, found in _read_paper().get(experiment, ()):
        is_ours = experiment != "table2" or set(found.sources) == wanted
        if key == row and found.target == paper_name(target) and (is_ours or not found.sources):
            return found
    return None


@cache
def _read_paper() -> dict[str, tuple[tuple[str, PaperFigures], ...]]:
    text = (resources.files("pul") / "reproduce" / "paper.toml").read_text(encoding="utf-8")
    return {
        experiment: tuple(_parse(key, values) for key, values in rows.items())
        for experiment, rows in tomllib.loads(text).items()
    }


def _parse(key: str, values: list[float]) -> tuple[str, PaperFigures]:
    match = _KEY.fullmatch(key)
    if match is None or len(values) != 5:
        raise ConfigError(
            f"paper.toml has a malformed row: {key!r} = {values}; see `_KEY` for the form."
        )
    rank_1, rank_5, rank_10, rank_20, mean_ap = values
    sources = tuple(match["sources"].split(", ")) if match["sources"] else ()
    figures = (rank_1, rank_5, rank_10, rank_20, mean_ap)
    return match["row"], PaperFigures(figures, sources, match["target"])
