"""The Finish page: what was gained, model, report, labels, and the command that repeats the run."""

from functools import partial

import streamlit as st

from app import services, state
from app.components.tables.empty import nothing_yet
from app.components.tables.progress import progress_panel
from app.views.export import import_labels
from app.views.fragments import fragment
from app.wording import plain
from pul.records import IterationRecord, RunRecord


def show(now: services.workspace.WorkspaceStatus | None) -> None:
    if now is None:
        nothing_yet("There is nothing to export yet.", "Open a workspace.", state.page("workspace"))
        return
    if now.run is not None and now.iterations:
        _result(now.run)
    model, labels = st.columns(2, gap="large")
    with model:
        if now.run is not None and now.iterations:
            _model(now.run, now.iterations)
        else:
            st.subheader("The model")
            st.caption("Start a run on the page Images to get one.")
    with labels:
        _labels(now.run, now.iterations)
    _exports()
    if now.run is not None:
        _repeat(now.run)
    with st.expander("Add labels made elsewhere"):
        import_labels.show()


def _result(run: RunRecord) -> None:
    """Say what the model gained, and give the model and the report at once."""
    said = services.verdicts.verdict(state.location(), run)
    text, model, report = st.columns([3, 1.2, 1.2], vertical_alignment="center")
    if said is None:
        text.markdown("## Not trained yet\n\nThis is the start model; train it on the page Train.")
    else:
        text.markdown(
            f"## Your model: {said.headline[:1].lower()}{said.headline[1:]}\n\n{plain(said.text)}"
        )
    last = run.n_iterations_done
    path = services.runs.checkpoint(state.location(), run.run_id, last)
    model.download_button(
        "Download the model",
        data=path.read_bytes,
        file_name=f"{run.name}-{last}{path.suffix}".replace(" ", "-"),
        type="primary",
        on_click="ignore",
        width="stretch",
        help=f"Iteration {last} as {path.suffix.lstrip('.')}, for `pul evaluate` and further runs.",
    )
    report.download_button(
        "Report of the run (HTML)",
        partial(services.runs.report, state.location(), run.run_id),
        f"{run.name}.html",
        on_click="ignore",
        width="stretch",
    )
    _threshold(run, last)


def _threshold(run: RunRecord, iteration: int) -> None:
    """Say from which cosine on two images are one person, or where that is chosen."""
    place = services.retrieval.Place(run.run_id, iteration)
    kept = services.thresholds.kept(state.location(), place)
    if kept is not None:
        st.caption(
            f"Threshold: cosine {kept.threshold:.3f} and above is the same person, measured on "
            f"{kept.measured_on}. It is exported with the model."
        )
    else:
        st.caption("No threshold is chosen: from which cosine on two images are one person.")
        st.page_link(state.page("retrieval"), label="Choose the threshold")


def _repeat(run: RunRecord) -> None:
    command = services.exports.command(state.location(), run)
    st.subheader("Repeat this run on the command line")
    st.code(command.text, language=None, wrap_lines=True)
    if command.lacks_labels:
        st.caption(
            "This run's labels were given by an experiment, and the command does not repeat them."
        )
    elif command.is_steered:
        st.caption("`--steer` repeats what was changed on the way, and the labels as they stood.")
    else:
        st.caption("It trains with the labels as they stood then, whatever is labelled since.")


def _labels(run: RunRecord | None, iterations: tuple[IterationRecord, ...]) -> None:
    st.subheader("The labels")
    formats = services.exports.label_formats(state.location())
    format = st.selectbox(
        "Format",
        formats,
        format_func=lambda name: formats[name].title,
        key="labels_form",
    )
    by_clusters = (
        run is not None
        and bool(iterations)
        and st.checkbox(
            "Unlabelled images too, by their clusters",
            help="Images that nobody labelled get the identity of their cluster in the last "
            "iteration, or one of their own.",
        )
    )
    if st.button("Export labels"):
        if run is not None and by_clusters:
            last = iterations[-1].iteration
            services.exports.start(state.location(), format, run_id=run.run_id, iteration=last)
        else:
            services.exports.start(state.location(), format)


def _model(run: RunRecord, iterations: tuple[IterationRecord, ...]) -> None:
    st.subheader("The model in other formats")
    left, right = st.columns([2, 1])
    format = left.selectbox(
        "Format",
        services.exports.MODEL_FORMATS,
        format_func=lambda name: services.exports.MODEL_FORMATS[name].title,
        key="model_form",
    )
    numbers = [record.iteration for record in reversed(iterations)]
    iteration = right.selectbox("Iteration", numbers, help="0 is the original model.")
    if st.button("Export model"):
        services.exports.start(state.location(), format, run_id=run.run_id, iteration=iteration)


@fragment(run_every=2.0)
def _exports() -> None:
    """Show the exports; it polls, as each is written by a separate process."""
    for export in services.exports.exports(state.location()):
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            st.markdown(f"**{export.path.name}**  \n{export.text}", width="stretch")
            if export.is_open:
                progress_panel(export.job)
            elif export.n_bytes is not None:
                _download(export)
            elif export.path.is_dir():
                st.code(str(export.path), language=None, wrap_lines=True)
            elif export.job.status == "finished":
                st.caption("no longer exists")


def _download(export: services.exports.Export) -> None:
    st.download_button(
        "Download", export.path.open("rb"), export.path.name, key=f"get:{export.job.job_id}",
        on_click="ignore",
    )  # fmt: skip
    if export.threshold is not None:
        st.download_button(
            "Threshold", export.threshold.open("rb"), export.threshold.name,
            key=f"threshold:{export.job.job_id}", on_click="ignore",
        )  # fmt: skip
