"""The part of the Train page with the curves of runs, and the models of their points."""

from collections.abc import Mapping
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from app import services, state
from app.components.charts.curves import Curve, main_curve, other_curves
from app.components.forms.checkpoint import checkpoint_row
from app.components.forms.settings_table import settings_table
from app.wording import definition, fit, repeats_the_baseline
from pul.records import RunRecord, last_measured

N_COLUMNS = 3


def show(
    now: services.workspace.WorkspaceStatus, run: RunRecord, drawn_for: tuple[object, ...]
) -> None:
    if state.shown_on_rounds() != drawn_for:
        st.rerun()  # a click here changed other parts of the page
    changed = {c.iteration: "; ".join(c.parts) for c in services.runs.changes(now.iterations)}
    chart, beside = st.columns([2.3, 1], gap="medium")
    with beside:
        drawn = [Curve(run.run_id, run.name, now.iterations), *_others(now, run)]
    with chart:
        _chart(main_curve(drawn, changed), "mAP by iteration", key=f"curves:{run.run_id}")
        _explain(now, changed)
    with beside:
        _differences([run, *(other for other in now.runs if other.run_id in state.compared())])
        _checkpoint(drawn, f"curves:{run.run_id}")
    _others_below(other_curves(drawn, changed))


def _others_below(figures: list[go.Figure]) -> None:
    """Show small charts in rows; on a narrow screen one below the other."""
    for start in range(0, len(figures), N_COLUMNS):
        row = figures[start : start + N_COLUMNS]
        for column, figure in zip(st.columns(N_COLUMNS), row, strict=False):
            with column:
                _chart(figure, f"{figure.layout.title.text} by iteration")


def _chart(figure: go.Figure, alt: str, *, key: str = "") -> None:
    """Show a chart; the points of one with a key can be clicked."""
    config = {"displayModeBar": False}
    if key:
        st.plotly_chart(
            figure, config=config, alt=alt, key=key, on_select="rerun", selection_mode="points"
        )
    else:
        st.plotly_chart(figure, config=config, alt=alt)


def _explain(now: services.workspace.WorkspaceStatus, changed: Mapping[int, str]) -> None:
    measured = last_measured(now.iterations)
    if measured is None or (metrics := measured.metrics) is None:
        st.caption(
            fit("No mAP and rank-k: these images have no query and gallery with known people.")
        )
    else:
        st.caption(f"{definition(metrics)}. Dashed: the start model, before any training.")
    if changed:
        listed = "; ".join(f"iteration {at}: {text}" for at, text in changed.items())
        st.caption(f"▲ Changed during the run: {listed}.")
    if repeats_the_baseline(now.iterations):
        st.caption(
            "Iteration 1 groups by the features of the start model, as iteration 0 does: their "
            "shares and clusters are the same. What it trained shows in its mAP."
        )


def _differences(runs: list[RunRecord]) -> None:
    if len(runs) > 1:
        differ = services.runs.differences(state.location(), runs)
        st.markdown("**What differs**")
        settings_table([run.name for run in runs], [(row.setting, row.values) for row in differ])


def _others(now: services.workspace.WorkspaceStatus, run: RunRecord) -> list[Curve]:
    names = {other.run_id: other.name for other in reversed(now.runs) if other is not run}
    if not names:
        return []
    key = f"compare:{run.run_id}"
    picked = st.multiselect(
        "Compare with",
        list(names),
        [run_id for run_id in state.compared() if run_id in names],
        format_func=names.__getitem__,
        placeholder="Compare with other runs",
        label_visibility="collapsed",
        key=key,
    )
    if tuple(picked) != state.compared():
        state.compare(picked)
        st.rerun()
    return [Curve(i, names[i], services.runs.iterations(state.location(), i)) for i in picked]


def _checkpoint(drawn: list[Curve], key: str) -> None:
    names = {curve.run_id: curve.name for curve in drawn}
    point = _clicked(drawn, key)
    run_id, iteration = point or _last(drawn)
    checkpoint_row(
        f"{names[run_id]}, iteration {iteration}",
        services.runs.checkpoint(state.location(), run_id, iteration),
        on_fork=partial(_fork, drawn, key),
        is_chosen=point is not None,
        key=f"checkpoint:{run_id}:{iteration}",
    )


def _fork(drawn: list[Curve], key: str) -> None:
    """Fork from the point that is clicked when the button is pressed."""
    state.fork_from(_clicked(drawn, key) or _last(drawn))


def _clicked(drawn: list[Curve], key: str) -> tuple[int, int] | None:
    """Return run and iteration of the point that was clicked; None if none of these runs was."""
    selection = (st.session_state.get(key) or {}).get("selection") or {}
    points = [point["customdata"] for point in selection.get("points", ()) if "customdata" in point]
    known = {curve.run_id for curve in drawn}
    return next(((int(r), int(i)) for r, i in points if r in known), None)


def _last(drawn: list[Curve]) -> tuple[int, int]:
    return drawn[0].run_id, drawn[0].iterations[-1].iteration
