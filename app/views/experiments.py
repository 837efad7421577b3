"""The Experiments page: the paper's tables and figures on these images, and its numbers."""

import math

import streamlit as st

from app import services, state
from app.components.charts.paper_plots import paper_clouds, paper_curves
from app.components.tables.empty import nothing_yet
from app.components.tables.paper_table import PaperRow, paper_table
from app.views import experiment_form
from app.views.fragments import fragment
from app.wording import duration, fit, plain
from pul.errors import PulError

POLL_S = 3.0


def show(now: services.workspace.WorkspaceStatus | None) -> None:
    if now is None or not now.n_images:
        nothing_yet(
            "There is nothing to compare with the paper yet.",
            "Add images with known people first.",
            state.page("workspace"),
        )
        return
    location = state.location()
    working = services.reproduction.working(location)
    names = services.experiments.experiments(location)
    is_working = working is not None and working.is_alive
    if working is not None:
        fragment(POLL_S if is_working else None)(_working)(is_working=is_working)
    with st.expander("Start a table or figure", expanded=not names and not is_working):
        fragment()(experiment_form.show)()
    if names:
        picked = st.selectbox("Table or figure", list(names), format_func=names.__getitem__)
        is_running = services.experiments.experiment(location, picked).is_running or is_working
        fragment(POLL_S if is_running else None)(_experiment)(location, picked)
    elif not is_working:
        st.caption("No table of the paper has been run here yet.")


def _working(*, is_working: bool) -> None:
    """Show what was started here: whether it works, how long it takes, and what it printed."""
    location = state.location()
    working = services.reproduction.working(location)
    if working is None:
        return
    if working.is_alive != is_working:
        st.rerun()  # it has begun or ended: the page looks different
    if working.is_alive:
        text, button = st.columns([5, 1], vertical_alignment="center")
        newest = next(iter(services.experiments.experiments(location)), None)
        left = ""
        if newest is not None:
            shown = services.experiments.experiment(location, newest)
            left = f" About {duration(services.experiments.remaining_s(location, shown))} left, "
            left += "without training start models."
        text.info(f"An experiment is running.{left}", icon=":material/science:")
        button.button("Stop", on_click=_stop, key="experiment:stop", width="stretch")
    with st.expander("What it printed"):
        st.code(working.command, language="bash", wrap_lines=True)
        st.code(working.log or "It has printed nothing yet.", language=None)


def _stop() -> None:
    try:
        services.reproduction.stop(state.location())
        st.toast("It stops after the present batch. Start the same again to go on with it.")
    except PulError as error:
        st.toast(plain(str(error)), icon=":material/error:")


def _experiment(location: str, experiment_id: str) -> None:
    shown = services.experiments.experiment(location, experiment_id)
    record = shown.record
    st.caption(" · ".join(f"{name}: {value}" for name, value in record.settings.items()))
    paper_table(
        [_row(result) for result in shown.results],
        services.experiments.FIGURES,
        services.places.name_of(location),
    )
    for result in shown.results:
        if result.row.error:
            st.error(services.experiments.describe_row(result))
        elif result.row.missing:
            st.caption(services.experiments.describe_row(result))
    if shown.clouds:
        st.plotly_chart(paper_clouds(shown.clouds), config={"displayModeBar": False})
        st.caption(fit("Each colour is a person. Reliable images are filled: they train."))
    if shown.figure is not None:
        st.plotly_chart(paper_curves(shown.figure.panels), config={"displayModeBar": False})
    st.caption(f"Figures in %. As files: {shown.folder}")


def _row(result: services.experiments.RowResult) -> PaperRow:
    row, paper = result.row, result.paper
    sources = f" ({' + '.join(row.sources)})" if row.sources else ""
    state_now = result.status
    if result.iterations and result.status != "finished":
        state_now += f", iteration {result.iterations[-1].iteration}/{result.n_iterations}"
    return PaperRow(
        name=row.label + sources,
        state=state_now,
        figures=services.experiments.percentages(result.metrics),
        paper=(paper.figures[0], paper.figures[4]) if paper else (math.nan, math.nan),
        setting=paper.setting if paper else "",
        run_id=row.run_id,
    )
