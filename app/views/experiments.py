"""The Experiments page: the paper's tables and figures on these images, and its numbers."""

import math

import streamlit as st

from app import services, state
from app.components.charts.paper_plots import paper_clouds, paper_curves
from app.components.tables.paper_table import PaperRow, paper_table
from app.views.fragments import fragment
from app.wording import fit

POLL_S = 3.0


def show(now: services.workspace.WorkspaceStatus | None) -> None:
    location = state.location()
    names = services.experiments.experiments(location) if now is not None else {}
    if not names:
        _nothing_yet(location)
        return
    picked = st.selectbox("Table or figure", list(names), format_func=names.__getitem__)
    is_running = services.experiments.experiment(location, picked).is_running
    fragment(POLL_S if is_running else None)(_experiment)(location, picked)


def _nothing_yet(location: str) -> None:
    st.subheader("No table of the paper has been run here yet.")
    st.write("Run one on the command line; results appear here as they come:")
    st.code(
        "python -m pul reproduce table4 --data TARGET --source LABELLED_DATASET "
        f"--preset quick --workspace {location}",
        language=None,
    )
    st.write("Add `--plan` to only list the rows and their estimated time.")
    known = [
        {"Name": name, "In the paper": services.experiments.TITLES[name], "What it is": what}
        for name, what in services.experiments.EXPERIMENTS.items()
    ]
    st.dataframe(known, hide_index=True)


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
