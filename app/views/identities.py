"""The Identities page: merge, split, rename, hold out for validation."""

import streamlit as st

from app import payloads, services, state
from app.components.identity_rows.identity_rows import identity_rows
from app.components.tables.empty import nothing_yet
from app.views import annotator, leading, second_opinions
from app.views.fragments import fragment
from app.views.waiting import for_a_run, for_first_iteration, iteration_to_label
from app.wording import counted, duration, fit, percent

N_MERGES = 12


def show(now: services.workspace.WorkspaceStatus | None) -> None:
    place = services.runs.newest_iteration(state.location(), now) if now else None
    if place is not None:
        _identities(*place)
    elif now is None or now.run is None:
        for_a_run(now, "There are no identities yet.")
    else:
        for_first_iteration(now, fit("People are being grouped for the first time."))


@fragment()
def _identities(run_id: int, newest: int) -> None:
    location, desk = state.location(), state.desk()
    desk.name = annotator.given_name()
    key = f"identities:{services.labels.log_name(location)}:{run_id}"

    def receive() -> None:
        outbox = st.session_state[key]["outbox"]
        annotator.remember_name(outbox)
        desk.receive(location, outbox, annotator.sign())

    if services.oracle.has_truth(location, run_id):
        _oracle(location, run_id, newest)
    notice, version = desk.notice
    if notice and version == services.labels.version(location):
        st.success(notice)
    iteration = newest
    if services.labels.read_annotations(location).identities:
        iteration = iteration_to_label(location, run_id, newest)
    rows = services.identities.identity_rows(location, run_id, iteration)
    if not rows:
        nothing_yet("Nobody is labelled yet.", "Label a few cards first.", state.page("label"))
        if not services.labels.read_annotations(location).events:
            return  # nothing to undo, nor to do again
    sent = st.session_state.get(key, {})
    leading.to_similar(sent, key)
    opened = sent.get("opened")
    merges = services.merges.suggest(location, run_id, iteration, n=N_MERGES) if rows else []
    payload = payloads.rows_payload(location, desk, rows, opened, merges)
    identity_rows(payload, on_outbox=receive, key=key)
    annotator.ask_after_first_act()
    second_opinions.show()
    _history(location)


def _history(location: str) -> None:
    acts = services.history.history(location)
    if acts:
        with st.expander("History of labels"):
            st.dataframe(acts, hide_index=True)


def _oracle(location: str, run_id: int, iteration: int) -> None:
    n_identities = len(services.labels.read_annotations(location).identities)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("These images have ground truth.")
        wanted = [
            limit
            for limit in payloads.LIMITS
            if st.button(
                f"Simulate {limit} labels from ground truth",
                key=f"oracle:{limit}",
                disabled=n_identities >= limit,
            )
        ]
        if services.oracle.n_acts(location) and st.button("Remove the simulated labels"):
            services.oracle.undo_all(location)
            st.rerun(scope="fragment")
    if wanted:
        _label(location, run_id, iteration, wanted[0])


def _label(location: str, run_id: int, iteration: int, limit: int) -> None:
    bar = st.progress(0.0, "Simulating labels …")

    def show_progress(done: int, total: int) -> None:
        bar.progress(done / total, fit(f"{done} of {total} people"))

    report = services.oracle.label_by_oracle(
        location, run_id, iteration, limit, on_progress=show_progress
    )
    told = (
        f"{counted(len(report.identities), 'identity')}, {counted(report.n_images, 'image')}: "
        f"precision {percent(report.precision)} %, recall {percent(report.recall)} %. A person "
        f"would need about {duration(report.effort.seconds)}, "
        f"{report.actions_per_identity:.1f} actions per identity."
        if report.identities
        else f"There are already {limit} identities or more."
    )
    state.desk().notice = told, services.labels.version(location)
    st.rerun(scope="fragment")
