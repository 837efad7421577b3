"""A run as one self-contained HTML file: it needs no network and no other file."""

import base64
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import numpy as np

from pul.config import RunConfig
from pul.config.base import flatten
from pul.data.grey import GreyRanges
from pul.data.images import thumbnail
from pul.errors import ImageError, StoreError
from pul.records import IterationRecord, RetrievalMetrics, RunRecord, last_measured
from pul.reports.changes import changes, setting_text
from pul.reports.svg import STYLE, Panel, Series, draw_panel
from pul.store.workspace import Workspace

_N_CLUSTERS, _N_TILES = 24, 10  # pictures: the largest clusters, the members nearest to the center
_RANKS = (1, 5, 10, 20)
# Names come from users: no script may run.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 1320px; margin: 2rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
p, li { max-width: 75ch; } small, .quiet { opacity: .7; }
dl { display: flex; flex-wrap: wrap; gap: .4rem 2.4rem; margin: 1.2rem 0; }
dt { font-size: .8rem; opacity: .7; } dd { margin: 0; font-size: 1.35rem; font-weight: 600; }
.charts { display: flex; flex-wrap: wrap; gap: .5rem 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .88rem; }
th, td { padding: 3px 10px; text-align: right; white-space: nowrap; }
th, td { border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; }
.settings td { text-align: left; white-space: normal; } tr.changed td { font-weight: 600; }
.tiles { display: flex; flex-wrap: wrap; gap: 4px; margin-bottom: .8rem; }
.tiles img { width: 48px; height: 96px; object-fit: cover; border-radius: 3px; }
"""


def write_report(
    workspace: Workspace, run_id: int, out: Path, *, with_pictures: bool = False
) -> None:
    """Write the report of a run to a file; an existing file is replaced atomically.

    Args:
        workspace: Where the run is.
        run_id: The run.
        out: The HTML file.
        with_pictures: Whether to include pictures of its clusters.

    Raises:
        StoreError: There is no such run, it has no finished iteration, or the file is not writable.
    """
    text = render_report(workspace, run_id, with_pictures=with_pictures)
    temporary = out.with_name(f".{out.name}.unfinished")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(out)
    except OSError as error:
        raise StoreError(f"{out} cannot be written: {error.strerror or error}.") from error


def render_report(workspace: Workspace, run_id: int, *, with_pictures: bool = False) -> str:
    """Return the report of a run as HTML; without pictures it shows no person and no file name.

    Raises:
        StoreError: There is no such run, or it has no finished iteration yet.
    """
    run, records = workspace.run(run_id), workspace.iterations(run_id)
    if not records:
        raise StoreError(f"{run.name} has no finished iteration yet; there is nothing to report.")
    title = f"{escape(run.name)} · {escape(workspace.name)}"
    sections = [
        f"<h1>{title}</h1>",
        _status(run, records),
        _figures(records),
        _section("Curves", _charts(records)),
        _section("Changes during the run", _changes(records)),
        _section("Every iteration", _iterations(records)),
        _section("Settings", _settings(run)),
        _section("Environment", _environment(run, records)),
    ]
    if with_pictures:
        sections.append(_section("Clusters", _clusters(workspace, run_id, records[-1])))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}{STYLE}</style></head>"
        f"<body>{''.join(sections)}</body></html>\n"
    )


def _section(title: str, body: str) -> str:
    return f"<h2>{title}</h2>{body}" if body else ""


def _status(run: RunRecord, records: Sequence[IterationRecord]) -> str:
    words = [f"run {run.run_id}", run.status, f"{records[-1].iteration} iterations"]
    words.append(f"{records[-1].n_images:,} training images")
    if run.parent_run_id is not None:
        words.append(f"forked from run {run.parent_run_id}, iteration {run.parent_iteration}")
    words.append(f"started {run.created_at[:16].replace('T', ' ')} UTC")
    return f'<p class="quiet">{escape(" · ".join(words))}</p>'


def _figures(records: Sequence[IterationRecord]) -> str:
    first, last, measured = records[0], records[-1], last_measured(records)
    shown = [("reliable images", f"{100 * last.reliable_share:.1f} %")]
    metrics = measured.metrics if measured else None
    if measured and first.metrics and metrics:
        end = "last" if measured is last else f"iteration {measured.iteration}"
        for name, value in (("rank-1", _rank_1), ("mAP", _mean_ap)):
            before, after = value(first.metrics), value(metrics)
            shown.append((f"{name}, baseline → {end}", f"{before:.1f} → {after:.1f} %"))
    if last.validation_metrics:
        n = last.n_validation_identities
        name = f"mAP on your {n} validation identities"
        shown.append((name, f"{_mean_ap(last.validation_metrics):.1f} %"))
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{text}</dd></div>" for name, text in shown)
    return f"<dl>{items}</dl>" + (_definition(metrics) if metrics else "")


def _definition(metrics: RetrievalMetrics) -> str:
    text = f"{metrics.ap_method} AP over {metrics.n_queries:,} queries"
    if metrics.n_unmatched:
        rule = "counted as 0" if metrics.unmatched == "zero" else "not counted"
        text += f", {metrics.n_unmatched:,} without a true match {rule}"
    return f'<p class="quiet">{escape(text)}. Dashed: the baseline, before any training.</p>'


def _rank_1(metrics: RetrievalMetrics) -> float:
    return 100 * metrics.rank_1


def _mean_ap(metrics: RetrievalMetrics) -> float:
    return 100 * metrics.mean_ap


_Value = Callable[[IterationRecord], float | None]


def _series(records: Sequence[IterationRecord], value: _Value, name: str = "") -> Series:
    points = [(r.iteration, level) for r in records if (level := value(r)) is not None]
    return Series(name, tuple(float(x) for x, _ in points), tuple(y for _, y in points))


def _charts(records: Sequence[IterationRecord]) -> str:
    last = records[-1]
    # Iteration 0 trains nothing: as in Fig. 5 (b), the share is that of the iterations that did.
    share = _series(records[1:] or records, lambda r: 100 * r.reliable_share)
    charts = [("Reliable share, % (Fig. 5 b)", [share])]
    measured = last_measured(records)
    if measured is not None and (metrics := measured.metrics) is not None:
        level = _series(records, lambda r: _mean_ap(r.metrics) if r.metrics else None)
        title = f"mAP, % ({metrics.ap_method} AP; Fig. 5 d)"
        charts.append((title, [level, *_baseline(records)]))
        charts.append(("Rank-k, %", [_rank_series(records, k) for k in _RANKS]))
    if last.validation_metrics is not None:
        held = _series(
            records, lambda r: _mean_ap(r.validation_metrics) if r.validation_metrics else None
        )
        title = f"mAP on your {last.n_validation_identities} validation identities, %"
        charts.append((title, [held]))
    charts.append(("Loss of last epoch", [_series(records, lambda r: r.loss)]))
    if last.cluster_quality is not None:
        charts.append(("Clusters, %", _quality_series(records)))
    marks = {change.iteration: "; ".join(change.parts) for change in changes(records)}
    drawn = (
        draw_panel(Panel(title, "iteration", title, tuple(lines), marks, from_zero=True))
        for title, lines in charts
    )
    return f'<div class="charts">{"".join(drawn)}</div>'


def _baseline(records: Sequence[IterationRecord]) -> list[Series]:
    """Return the mAP of the original model as a horizontal line, if it is known."""
    first, last = records[0], records[-1]
    if first.iteration > 0 or first.metrics is None:
        return []
    level = _mean_ap(first.metrics)
    return [Series("", (0.0, float(max(last.iteration, 1))), (level, level), dashed=True)]


def _rank_series(records: Sequence[IterationRecord], k: int) -> Series:
    return _series(
        records,
        lambda r: 100 * float(getattr(r.metrics, f"rank_{k}")) if r.metrics else None,
        f"rank-{k}",
    )


def _quality_series(records: Sequence[IterationRecord]) -> list[Series]:
    names = {"reliable_purity": "reliable", "purity": "purity", "nmi": "NMI"}
    return [
        _series(
            records,
            lambda r, field=field: (  # type: ignore[misc]
                100 * float(getattr(r.cluster_quality, field)) if r.cluster_quality else None
            ),
            name,
        )
        for field, name in names.items()
    ]


def _changes(records: Sequence[IterationRecord]) -> str:
    items = "".join(
        f"<li>Iteration {change.iteration}: {escape('; '.join(change.parts))}</li>"
        for change in changes(records)
    )
    return f"<ul>{items}</ul>" if items else ""


def _iterations(records: Sequence[IterationRecord]) -> str:
    steps = list(dict.fromkeys(step for record in records for step in record.seconds))
    head = ["Iteration", "λ", "K", "Reliable %", "Kept", "Loss"]
    head += [f"rank-{k} %" for k in _RANKS] + ["mAP %", "Purity of reliable %", "NMI %"]
    head += ["Identities", "Labelled images", *(f"{step}, s" for step in steps), "Peak GiB"]
    rows = [[*_cells(record), *_seconds(record, steps)] for record in records]
    return _table(head, rows)


def _cells(record: IterationRecord) -> list[str]:
    metrics, quality = record.metrics, record.cluster_quality
    ranks = [_percent(getattr(metrics, f"rank_{k}") if metrics else None) for k in _RANKS]
    return [
        str(record.iteration) if record.iteration else "0 · baseline",
        f"{record.lambda_:.2f}" if record.lambda_ else "all",
        f"{record.n_clusters:,}",
        _percent(record.reliable_share),
        f"{record.n_kept_clusters:,}",
        "–" if record.loss is None else f"{record.loss:.3f}",
        *ranks,
        _percent(metrics.mean_ap if metrics else None),
        _percent(quality.reliable_purity if quality else None),
        _percent(quality.nmi if quality else None),
        f"{record.n_identities:,}",
        f"{record.n_annotated_images:,}",
    ]


def _seconds(record: IterationRecord, steps: Sequence[str]) -> list[str]:
    spent = [f"{record.seconds[step]:.1f}" if step in record.seconds else "–" for step in steps]
    return [*spent, f"{record.peak_memory_bytes / 2**30:.1f}"]


def _percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{100 * fraction:.1f}"


def _settings(run: RunRecord) -> str:
    paper = flatten(RunConfig().model_dump(mode="json"))
    rows = []
    for name, value in flatten(run.config).items():
        is_changed = setting_text(value) != setting_text(paper.get(name))
        cells = (name, setting_text(value), setting_text(paper.get(name)))
        row = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        rows.append(f'<tr class="changed">{row}</tr>' if is_changed else f"<tr>{row}</tr>")
    head = "<tr><th>Setting</th><th>This run</th><th>Default</th></tr>"
    return f'<div class="wide"><table class="settings">{head}{"".join(rows)}</table></div>'


def _environment(run: RunRecord, records: Sequence[IterationRecord]) -> str:
    last = records[-1]
    facts = {
        "Start model": Path(run.model).name,
        "Device": last.device,
        "Seed": str(last.seed),
        **dict(sorted(last.versions.items())),
    }
    return _table(["", ""], [[name, value] for name, value in facts.items()])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f'<div class="wide"><table><tr>{cells}</tr>{body}</table></div>'


def _clusters(workspace: Workspace, run_id: int, record: IterationRecord) -> str:
    arrays = workspace.arrays(run_id, record.iteration, "clusters", "similarities")
    paths, ranges = workspace.run_images(run_id, "train").paths, workspace.grey_ranges()
    clusters = np.asarray(arrays["clusters"])
    sizes = np.bincount(clusters[clusters >= 0])  # outliers are in none
    parts = [f"<p>The {_N_CLUSTERS} largest of iteration {record.iteration}, centers first.</p>"]
    for cluster in np.argsort(-sizes, kind="stable")[:_N_CLUSTERS].tolist():
        members = np.flatnonzero(clusters == cluster)
        order = np.argsort(-np.asarray(arrays["similarities"])[members], kind="stable")
        tiles = _tiles([paths[row] for row in members[order][:_N_TILES].tolist()], ranges)
        parts.append(
            f"<small>cluster {cluster} · {len(members):,} images</small>"
            f'<div class="tiles">{tiles}</div>'
        )
    return "".join(parts)


def _tiles(paths: Sequence[str], ranges: GreyRanges) -> str:
    tiles = []
    for path in paths:
        try:
            content, media_type = thumbnail(Path(path), ranges=ranges)
        except ImageError:  # the file is gone; its name would reveal the identity
            continue
        data = base64.b64encode(content).decode("ascii")
        tiles.append(f'<img src="data:{media_type};base64,{data}" alt="">')
    return "".join(tiles)
