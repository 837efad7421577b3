"""The frame around every page: title, navigation, and the header, which polls."""

from functools import partial
from pathlib import Path

import streamlit as st

from app import demo, services, state
from app.components.header.header import header
from app.routes import access, status
from app.views import annotator, clusters, experiments, identities, label, waiting
from app.views.export import page as export
from app.views.map import page as map_view
from app.views.retrieval import page as retrieval
from app.views.rounds import page as rounds
from app.views.workspace import opening
from app.views.workspace import page as workspace
from app.wording import plain
from pul.errors import PulError, ServerLostError

HERE = Path(__file__).parent


def main() -> None:
    """Draw the frame, then the page that is open."""
    st.set_page_config("PUL Studio", str(HERE / "icon.svg"), layout="wide")
    st.logo(str(HERE / "logo.svg"), icon_image=str(HERE / "icon.svg"), size="large")
    st.html(HERE / "studio.css")
    access.require_access()
    state.init_session()
    try:
        now = status.read_status(state.location(), state.run_id())
        page = _navigate(now)
        with st.container(key="header"):
            _header(now)
        if now is None and demo.state().status == "making":
            opening.show()  # on every page, until the demo exists
        else:
            page.run()
    except ServerLostError:
        waiting.for_server(state.location())
    except PulError as error:
        st.error(plain(str(error)))


def _navigate(now: services.workspace.WorkspaceStatus | None) -> st.Page:
    views = (
        ("Workspace", workspace.show, ":material/folder_open:"),
        ("Clusters", clusters.show, ":material/grid_view:"),
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
            annotator.show()
    return page


def _choose_run(now: services.workspace.WorkspaceStatus) -> None:
    names = {run.run_id: f"{run.name} · {run.status}" for run in reversed(now.runs)}
    repeated = [run_id for run_id, name in names.items() if list(names.values()).count(name) > 1]
    names |= {run_id: f"{names[run_id]} · no. {run_id}" for run_id in repeated}
    newest = now.runs[-1].run_id
    shown_run = now.run.run_id if now.run else newest
    # A key for each run and status: the selection follows a run that was started or opened
    # elsewhere, and the browser shows the current label of the selected run.
    picked = st.selectbox(
        "Run",
        list(names),
        list(names).index(shown_run),
        format_func=names.__getitem__,
        key=f"run:{shown_run}:{names[shown_run]}:{state.location()}",
    )
    if picked != shown_run:
        state.show_run(None if picked == newest else picked)
        st.rerun()


def _header(now: services.workspace.WorkspaceStatus | None) -> None:
    location = state.location()
    header(
        status.line(location, now),
        moved=status.moved(location, now),
        url=status.url(location, state.run_id()),
    )


main()
