"""The frame around every page: title, navigation, the header that polls. No content of its own."""

from functools import partial
from pathlib import Path

import streamlit as st

from app import access, demo, services, services_labelling, state
from app.components.header import header_html
from app.views import experiments, export, identities, label, retrieval, rounds, workspace
from app.views import map as map_view
from app.wording import plain
from pul.errors import PulError

POLL_S = 2.0
HERE = Path(__file__).parent


def main() -> None:
    """Draw the frame, then the page that is open."""
    st.set_page_config("PUL Studio", str(HERE / "icon.svg"), layout="wide")
    st.logo(str(HERE / "logo.svg"), icon_image=str(HERE / "icon.svg"), size="large")
    st.html(HERE / "studio.css")
    access.admit()
    state.begin()
    try:
        now = _look()
        st.session_state[state.SHOWN] = _moving_parts(now)
        page = _navigate(now)
        st.session_state[state.IS_FRESH] = True
        with st.container(key="header"):
            _header()
        page.run()
    except PulError as error:
        st.error(plain(str(error)))


def _navigate(now: services.Standing | None) -> st.Page:
    views = (
        ("Workspace", workspace.show, ":material/folder_open:"),
        ("Label", label.show, ":material/person_add:"),
        ("Map", map_view.show, ":material/scatter_plot:"),
        ("Identities", identities.show, ":material/groups:"),
        ("Rounds", rounds.show, ":material/show_chart:"),
        ("Experiments", experiments.show, ":material/science:"),
        ("Retrieval", retrieval.show, ":material/person_search:"),
        ("Export", export.show, ":material/output:"),
    )
    pages = [
        st.Page(partial(show, now), title=title, icon=icon, url_path=title.lower())
        for title, show, icon in views
    ]
    st.session_state[state.PAGES] = {
        title.lower(): page for (title, *_), page in zip(views, pages, strict=True)
    }
    page = st.navigation(pages)
    if now is not None:
        with st.sidebar:
            if now.runs:
                _choose_run(now)
            state.ask_annotator()
    return page


def _choose_run(now: services.Standing) -> None:
    names = {run.run_id: f"{run.name} · {run.status}" for run in reversed(now.runs)}
    newest = now.runs[-1].run_id
    looked_at = now.run.run_id if now.run else newest
    # A key for each run: the choice follows a run that was started or opened elsewhere.
    picked = st.selectbox(
        "Run",
        list(names),
        list(names).index(looked_at),
        format_func=names.__getitem__,
        key=f"run:{looked_at}:{state.location()}",
    )
    if picked != looked_at:
        state.look_at(None if picked == newest else picked)
        st.rerun()


@st.fragment(run_every=POLL_S)
def _header() -> None:
    """Show where things stand; draw the page again when something moved that it cannot know of."""
    now = _look()
    if now is None:
        st.html('<div class="pul-header"><b>PUL Studio</b><span>no workspace open</span></div>')
    else:
        pace = services_labelling.pace(services_labelling.said(state.location()))
        st.html(header_html(now.name, now.n_images, now.run, now.iterations, now.job, pace))
    # Drawing the page anew while it is being drawn would swallow the press that asked for it.
    is_fresh, st.session_state[state.IS_FRESH] = st.session_state[state.IS_FRESH], False
    if not is_fresh and st.session_state[state.SHOWN] != _moving_parts(now):
        st.rerun()


def _look() -> services.Standing | None:
    location = state.location()
    return services.standing(location, state.run_id()) if services.exists(location) else None


def _moving_parts(now: services.Standing | None) -> tuple[object, ...]:
    if now is None:
        return (state.location(), demo.state().status)
    jobs = [(job.job_id, job.status) for job in (now.job, now.import_job) if job is not None]
    runs = [(run.run_id, run.status) for run in now.runs]
    return (state.location(), now.n_images, runs, len(now.iterations), jobs)


main()
