"""The frame around every page: title, navigation, and the header, which polls."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from app import demo, services, state
from app.components.header.header import header
from app.paths import OLD_PATHS, PATHS, TITLES
from app.routes import access, status
from app.views import annotator, clusters, experiments, identities, label, switcher, waiting
from app.views.export import page as export
from app.views.map import page as map_view
from app.views.retrieval import page as retrieval
from app.views.rounds import page as rounds
from app.views.workspace import opening
from app.views.workspace import page as workspace
from app.wording import plain
from pul.errors import PulError, ServerLostError
from pul.records import RunRecord

HERE = Path(__file__).parent
Show = Callable[[services.workspace.WorkspaceStatus | None], None]


def main() -> None:
    """Draw the frame, then the page that is open."""
    st.set_page_config("PUL Studio", str(HERE / "icon.svg"), layout="wide")
    st.logo(str(HERE / "logo.svg"), icon_image=str(HERE / "icon.svg"), size="large")
    st.html(HERE / "studio.css")
    access.require_access()
    state.init_session()
    try:
        now = _read_status()
        key, page = _navigate(now)
        st.set_page_config(f"{page.title} · {now.name if now else 'PUL Studio'}")
        state.write_workspace()
        is_welcome = now is None and (
            state.unknown() or demo.state().status == "making" or key == "workspace"
        )
        with st.container(key="header"):
            _header(now, key, "Welcome" if is_welcome else page.title)
        with st.container(key="content"):  # where the link over the page skips to
            if is_welcome:
                opening.show()  # on every page while the demo is made
                return
            _say_no_run(now)
            _say_failed(now, key)
            page.run()
    except ServerLostError:
        waiting.for_server(state.location())
    except PulError as error:
        st.error(plain(str(error)))


def _read_status() -> services.workspace.WorkspaceStatus | None:
    """Return the status of the workspace; None where there is none, or the address knows none."""
    if state.unknown():
        return None
    now = status.read_status(state.location(), state.run_id())
    if now is not None:
        state.remember_workspace()
    asked = state.run_id()
    if now is not None and asked is not None and (now.run is None or now.run.run_id != asked):
        state.note_no_run(str(asked))
    return now


def _say_no_run(now: services.workspace.WorkspaceStatus | None) -> None:
    if now is not None and (name := state.no_run()):
        shown = "" if now.run is None else f" Shown is “{now.run.name}”, the newest."
        known = ", ".join(str(run.run_id) for run in now.runs) or "none"
        st.warning(plain(f"There is no run {name} in “{now.name}”; there are: {known}.{shown}"))


def _say_failed(now: services.workspace.WorkspaceStatus | None, key: str) -> None:
    """Say on every page that the run failed, and why; the Train page says more itself."""
    if now is None or now.run is None or now.run.status != "failed" or now.job is None:
        return
    if key != "rounds":
        text, button = st.columns([5, 1.2], vertical_alignment="center")
        text.error(f"**“{plain(now.run.name)}” failed.** {plain(now.job.error)}")
        with button:
            if st.button("Fix and start again", on_click=state.fix, args=(now.run.run_id,)):
                st.switch_page(state.page("rounds"))


VIEWS: dict[str, tuple[Show, str]] = {
    "workspace": (workspace.show, ":material/folder_open:"),
    "clusters": (clusters.show, ":material/grid_view:"),
    "label": (label.show, ":material/person_add:"),
    "map": (map_view.show, ":material/scatter_plot:"),
    "identities": (identities.show, ":material/groups:"),
    "rounds": (rounds.show, ":material/show_chart:"),
    "retrieval": (retrieval.show, ":material/person_search:"),
    "experiments": (experiments.show, ":material/science:"),
    "export": (export.show, ":material/output:"),
}


def _navigate(now: services.workspace.WorkspaceStatus | None) -> tuple[str, st.Page]:
    """Show the navigation, and return key and page of what is open."""
    pages = {
        key: st.Page(
            partial(show, now), title=TITLES[key], icon=icon, url_path=PATHS[key] or "images"
        )
        for key, (show, icon) in VIEWS.items()
    }
    old = {
        key: st.Page(
            partial(VIEWS[key][0], now), title=TITLES[key], url_path=path, visibility="hidden"
        )
        for key, path in OLD_PATHS.items()
    }
    st.session_state[state.PAGES] = pages
    page = st.navigation([*pages.values(), *old.values()])
    with st.sidebar:
        switcher.show(now)
        if now is not None:
            if now.runs:
                _choose_run(now)
            annotator.show()
    every = (*pages.items(), *old.items())
    key = next((key for key, known in every if known.url_path == page.url_path), "workspace")
    return key, page


def _choose_run(now: services.workspace.WorkspaceStatus) -> None:
    names = {run.run_id: _run_name(run) for run in reversed(now.runs)}
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


def _run_name(run: RunRecord) -> str:
    """Return the name of a run with its status, but for the usual one: the sidebar is narrow."""
    return run.name if run.status == "finished" else f"{run.name} · {run.status}"


def _header(now: services.workspace.WorkspaceStatus | None, key: str, title: str) -> None:
    location = "" if state.unknown() else state.location()
    header(
        status.line(location, now),
        moved=status.moved(location, now),
        url=status.url(location, state.run_id()),
        title=title,
        page=key,
    )


main()
