"""The frame around every page: title, navigation, the header that polls. No content of its own."""

from functools import partial
from pathlib import Path

import streamlit as st

from app import access, demo, services, standing, state
from app.components.header import header
from app.views import (
    experiments,
    export,
    identities,
    label,
    opening,
    retrieval,
    rounds,
    workspace,
)
from app.views import map as map_view
from app.wording import plain
from pul.errors import PulError

HERE = Path(__file__).parent


def main() -> None:
    """Draw the frame, then the page that is open."""
    st.set_page_config("PUL Studio", str(HERE / "icon.svg"), layout="wide")
    st.logo(str(HERE / "logo.svg"), icon_image=str(HERE / "icon.svg"), size="large")
    st.html(HERE / "studio.css")
    access.admit()
    state.begin()
    try:
        now = standing.look(state.location(), state.run_id())
        page = _navigate(now)
        with st.container(key="header"):
            _header(now)
        if now is None and demo.state().status == "making":
            opening.show()  # whatever page is open, until there is something to show on it
        else:
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
    twice = [run_id for run_id, name in names.items() if list(names.values()).count(name) > 1]
    names |= {run_id: f"{names[run_id]} · no. {run_id}" for run_id in twice}
    newest = now.runs[-1].run_id
    looked_at = now.run.run_id if now.run else newest
    # A key for each run and status: the choice follows a run that was started or opened elsewhere,
    # and a browser shows the text that was chosen, whatever its option is called by now.
    picked = st.selectbox(
        "Run",
        list(names),
        list(names).index(looked_at),
        format_func=names.__getitem__,
        key=f"run:{looked_at}:{names[looked_at]}:{state.location()}",
    )
    if picked != looked_at:
        state.look_at(None if picked == newest else picked)
        st.rerun()


def _header(now: services.Standing | None) -> None:
    location = state.location()
    header(
        standing.line(location, now),
        moved=standing.moved(location, now),
        url=standing.url(location, state.run_id()),
    )


main()
