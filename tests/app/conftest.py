"""Workspaces for the studio's tests, and the studio on one of them."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from streamlit.testing.v1 import AppTest

from pul import jobs
from pul.data.datasets import read_dataset
from pul.models.network import save_network
from pul.records import JobStatus
from pul.store.workspace import Workspace
from tests.app.browser.browsing import FLAGS, TIMEOUT_MS
from tests.app.fabricated import draw_people, fabricate
from tests.support.networks import TINY_RUN, tiny_network

# No test writes where the user's studios keep the names of workspaces.
os.environ["PUL_STUDIO_STATE"] = tempfile.mkdtemp(prefix="pul-studio-state-")

STUDIO = Path(__file__).parents[2] / "app" / "studio.py"
Open = Callable[..., AppTest]
ENDLESS = TINY_RUN.replace(n_clusters=8, n_iterations=10_000, convergence_tolerance=0)


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn people as a dataset: 8 to train on, 8 to test, seen by 3 cameras."""
    return draw_people(tmp_path_factory.mktemp("data") / "people")


@pytest.fixture(autouse=True)
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test its own names of workspaces: many are called `workspace`."""
    monkeypatch.setenv("PUL_STUDIO_STATE", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """The system's Chromium; AppTest runs loops of its own, so it ends with the browser's tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A light page of the size that the studio is made for."""
    page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page.set_default_timeout(TIMEOUT_MS)
    yield page
    page.close()


@pytest.fixture
def location(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of the workspace that the studio is started on; nothing is there yet."""
    monkeypatch.setenv("PUL_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("PUL_DEMO", str(tmp_path / "demo"))
    monkeypatch.setenv("PUL_STUDIO_DEMO_RUN", "0")
    return tmp_path / "workspace"


@pytest.fixture
def open_studio(location: Path) -> Open:
    """Open a page of the studio, without a browser."""

    def open_page(page: str = "", **query: str) -> AppTest:
        studio = AppTest.from_file(str(STUDIO), default_timeout=60)
        studio.query_params.update(query)
        studio.run()
        return go_to(studio, page) if page else studio

    return open_page


@pytest.fixture
def workshop(people: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with a run that goes on until it is stopped."""
    with Workspace.create(tmp_path / "workspace") as workspace:
        workspace.add_dataset(read_dataset(people))
        model = workspace.path / "tiny.safetensors"
        save_network(tiny_network(), model)
        jobs.start_run(workspace, ENDLESS, model)
        yield workspace
        last = workspace.jobs()[-1].job_id
        jobs.stop_job(workspace, last)
        wait_until(lambda: workspace.job(last).status == "stopped")


def go_to(studio: AppTest, page: str) -> AppTest:
    """Go to another page by its name in the address."""
    # `switch_page` knows pages that are files, ours are functions: ask for it as a browser does.
    known = studio._registered_pages.items()
    studio._page_hash = next(at for at, info in known if info.get("url_pathname") == page)
    return studio.run()


def text_of(studio: AppTest) -> str:
    """Return the text of a page, without tables and tooltips."""
    kinds = ("html", "markdown", "subheader", "caption", "error", "info", "warning", "code")
    return "\n".join(str(element.value) for kind in kinds for element in studio.get(kind))


def component_data(studio: AppTest, name: str) -> dict[str, Any]:
    """Return what a component of a page was given."""
    found = [c.proto for c in studio.get("bidi_component") if c.proto.component_name == name]
    (component,) = found
    return dict(json.loads(component.json))


def components(studio: AppTest) -> set[str]:
    """Return the names of a page's components."""
    return {str(component.proto.component_name) for component in studio.get("bidi_component")}


def header_of(studio: AppTest) -> str:
    """Return the line over a page."""
    return str(component_data(studio, "pul_header")["html"])


def labels(studio: AppTest, kind: str) -> list[str]:
    """Return the labels of a page's widgets of one kind."""
    return [element.label for element in studio.get(kind)]


def is_alive(pid: int) -> bool:
    """Whether a process of ours still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(location: Path, status: JobStatus) -> None:
    """Wait until the last job of a workspace has come to a status."""
    with Workspace.open(location) as workspace:
        wait_until(lambda: workspace.jobs()[-1].status == status)


def wait_until(holds: Callable[[], bool], *, timeout_s: float = 180) -> None:
    """Wait until something holds."""
    until = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_people(tmp_path_factory.mktemp("labelling") / "people", n_pids=10, n_images=8)


@pytest.fixture
def place(crowd: Path, tmp_path: Path) -> str:
    fabricate(tmp_path / "workspace", crowd, n_iterations=2, status="finished", n_planned=2)
    return str(tmp_path / "workspace")
