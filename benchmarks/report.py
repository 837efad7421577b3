"""Results as JSON, one file for each benchmark, size and threads, and as tables of the document."""

import json
import statistics
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENT = ROOT / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- results: begin -->", "<!-- results: end -->"
_HEAD = (
    "| ours | seconds | peer | seconds | times faster | goal | peak memory | quality | limit |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def save(record: dict[str, Any]) -> Path:
    """Write one result file; it replaces the last result of that benchmark, size and threads."""
    RESULTS.mkdir(exist_ok=True)
    threads = record["machine"]["threads"]
    path = RESULTS / f"{record['benchmark']}-{record['size']}-{threads}t.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def render() -> None:
    """Put the tables of all result files between the markers of the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    head, tail = text.split(_BEGIN)[0], text.split(_END)[1]
    tables = "\n\n".join(
        table(json.loads(path.read_text())) for path in sorted(RESULTS.glob("*.json"))
    )
    DOCUMENT.write_text(f"{head}{_BEGIN}\n\n{tables}\n\n{_END}{tail}", encoding="utf-8")


def table(record: dict[str, Any]) -> str:
    """Return one result file as a heading, the machine's line and a table."""
    machine = record["machine"]
    libraries = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    line = (
        f"{record['measured_at']}, {machine['processor']}, {machine['threads']} of "
        f"{machine['cores']} cores, load {machine['load before']} before; Python "
        f"{machine['python']}, {libraries}."
    )
    rows = "\n".join(row for case in record["cases"] for row in _rows(case))
    return f"### {record['benchmark']}, {record['size']}\n\n{line}\n\n{_HEAD}\n{rows}"


def _rows(case: dict[str, Any]) -> list[str]:
    ours, *peers = case["runs"]
    limit = case["limit"]
    bound = f"{limit['seconds']:.2g} s: {limit['what']}" if limit else ""
    rows = []
    for i, peer in enumerate(peers or [None]):
        cells = [
            case["title"] if i == 0 else "",
            _seconds(ours) if i == 0 else "",
            peer["name"] if peer else "none",
            _seconds(peer) if peer else "",
            _ratio(ours, peer) if peer else "",
            case["goal"].replace(">=", "≥").replace("<=", "≤") if i == 0 else "",
            " / ".join(_memory(runs) for runs in (ours, peer) if runs),
            _quality(ours, peer),
            bound if i == 0 else "",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _ratio(ours: dict[str, Any], peer: dict[str, Any]) -> str:
    wall, cpu = (_median(peer[of]) / _median(ours[of]) for of in ("seconds", "cpu_seconds"))
    return f"{wall:.1f} (CPU {cpu:.1f})"


def _median(values: list[float]) -> float:
    return statistics.median(values)


def _seconds(runs: dict[str, Any]) -> str:
    low, high = min(runs["seconds"]), max(runs["seconds"])
    return (
        f"{_median(runs['seconds']):.3g} ({low:.3g}-{high:.3g}, n = {len(runs['seconds'])}; "
        f"CPU {_median(runs['cpu_seconds']):.3g})"
    )


def _memory(runs: dict[str, Any]) -> str:
    peak = max(runs["peak_bytes"])
    return f"{peak / 2**20:,.0f} MiB" if peak > 0 else "?"


def _quality(ours: dict[str, Any], peer: dict[str, Any] | None) -> str:
    parts = []
    for name, value in _means(ours).items():
        theirs = _means(peer).get(name) if peer else None
        if name == "inertia" and theirs:
            parts.append(f"inertia {value / theirs:.4f}×")
        else:
            parts.append(f"{name} {value:.5g}" + (f" / {theirs:.5g}" if theirs is not None else ""))
    return ", ".join(parts)


def _means(runs: dict[str, Any]) -> dict[str, float]:
    names = runs["figures"][0]
    return {name: statistics.fmean(figures[name] for figures in runs["figures"]) for name in names}
