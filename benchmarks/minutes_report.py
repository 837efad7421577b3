"""Person-minutes against mAP: a table, and a picture with both yardsticks."""

import json
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pul.reports.svg import Figure, Panel, Series, draw_figure

_BEGIN, _END = "<!-- minutes: begin -->", "<!-- minutes: end -->"
_HEAD = (
    "| labels | wrong % | minutes | acts | images | pairs right % | rank-1 | mAP | of the way % |\n"
    "|---|---|---|---|---|---|---|---|---|"
)
_NAMES = {"cards": "by cards", "pairs": "by pairs", "none": "none", "everything": "everything"}

Result = dict[str, Any]


def render(folder: Path, document: Path, pictures: Path) -> None:
    """Put the table and the picture of each stored title between the markers of the document."""
    text = document.read_text(encoding="utf-8")
    head, tail = text.split(_BEGIN)[0], text.split(_END)[1]
    parts = []
    for path in sorted(folder.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        picture = pictures / f"minutes-{path.stem}.svg"
        picture.write_text(draw(record["title"], record["results"]), encoding="utf-8")
        parts += [section(record, picture.relative_to(document.parent).as_posix())]
    shown = "\n\n".join(parts)
    document.write_text(f"{head}{_BEGIN}\n\n{shown}\n\n{_END}{tail}", encoding="utf-8")


def section(record: dict[str, Any], picture: str) -> str:
    """Return the heading, the picture and the table of a title."""
    title = record["title"]
    return f"### {title}\n\n![mAP over minutes]({picture})\n\n{table(record['results'])}"


def table(results: Sequence[Result]) -> str:
    """Return a row for each way, error rate and budget: means over the seeds."""
    low, high = (_mean_ap(_of(results, way)) for way in ("none", "everything"))
    rows = [_row(same, low, high) for same in _groups(results)]
    return "\n".join([_HEAD, *rows])


def _groups(results: Sequence[Result]) -> Iterator[list[Result]]:
    """Yield the results that differ by the seed alone, in the order of the table."""
    order = list(_NAMES)
    keys = {(each["way"], each["error_rate"], each["minutes"]) for each in results}
    for way, error_rate, minutes in sorted(keys, key=lambda key: (order.index(key[0]), *key[1:])):
        yield _of(results, way, error_rate, minutes)


def _of(
    results: Sequence[Result], way: str, error_rate: float = 0.0, minutes: float = 0.0
) -> list[Result]:
    wanted = (way, error_rate, minutes)
    return [r for r in results if (r["way"], r["error_rate"], r["minutes"]) == wanted]


def _mean_ap(results: Sequence[Result]) -> float | None:
    return statistics.fmean(each["mean_ap"] for each in results) if results else None


def _row(results: Sequence[Result], low: float | None, high: float | None) -> str:
    first = results[0]
    mean_ap, rank_1 = (statistics.fmean(r[of] for r in results) for of in ("mean_ap", "rank_1"))
    has_both = low is not None and high is not None and high != low
    is_labelled = first["way"] in ("cards", "pairs")
    right = [r["precision"] for r in results if r["precision"] is not None]
    cells = [
        _NAMES[first["way"]],
        f"{100 * first['error_rate']:g}" if is_labelled else "",
        f"{first['minutes']:g}" if is_labelled else "",
        f"{statistics.fmean(r['acts'] for r in results):,.0f}",
        f"{statistics.fmean(r['images'] for r in results):,.0f}",
        f"{100 * statistics.fmean(right):.1f}" if right else "",
        f"{100 * rank_1:.1f}",
        f"{100 * mean_ap:.1f}",
        f"{100 * (mean_ap - low) / (high - low):.0f}" if has_both else "",
    ]
    return f"| {' | '.join(cells)} |"


def draw(title: str, results: Sequence[Result]) -> str:
    """Return the picture as SVG: lines by way and error rate, and two dashed levels."""
    levels = {way: _mean_ap(_of(results, way)) for way in ("none", "everything")}
    groups = [same for same in _groups(results) if same[0]["way"] not in levels]
    longest = max((same[0]["minutes"] for same in groups), default=1.0)
    series = []
    for key in dict.fromkeys((same[0]["way"], same[0]["error_rate"]) for same in groups):
        ours = [same for same in groups if (same[0]["way"], same[0]["error_rate"]) == key]
        points = [(same[0]["minutes"], 100 * (_mean_ap(same) or 0.0)) for same in ours]
        if levels["none"] is not None:
            points.insert(0, (0.0, 100 * levels["none"]))
        label = f"{_NAMES[key[0]]}, {100 * key[1]:g} % wrong"
        series.append(Series(label, *map(tuple, zip(*points, strict=True))))
    for way, level in levels.items():
        if level is not None:
            label = "no labels" if way == "none" else "everything labelled"
            series.append(Series(label, (0.0, longest), (100 * level,) * 2, dashed=True))
    panel = Panel(title, "minutes of a person", "mAP %", tuple(series), from_zero=True)
    return draw_figure(Figure(title, (panel,)))
