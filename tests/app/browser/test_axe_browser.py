"""Every page, in both themes, for people who use a keyboard or a screen reader: axe-core."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from pul.labelling import annotations
from pul.store.workspace import Workspace
from tests.app.browser.browsing import ROOT, TIMEOUT_MS, serve
from tests.app.fabricated import draw_people, fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
BAD = ("serious", "critical")
READY = {  # what a page draws last, where it is more than text
    "label": ".label[data-mode=card]",
    "map": ".scatter[data-ready]",
    "identities": ".person",
    "retrieval": ".pul-ranked figure",
    "clusters": ".clusters img",
}
# Streamlit's own parts, which we cannot change: what it draws its charts and tables with.
NOT_OURS = [".js-plotly-plot", "[data-testid=stDataFrame]"]
RUN = """async (notOurs) => {
    const found = await axe.run({ exclude: notOurs }, { resultTypes: ["violations"] });
    return found.violations.map(({ id, impact, nodes }) => ({ id, impact,
        nodes: nodes.slice(0, 4).map(({ html, any }) => html.slice(0, 160)
            + " " + any.map(({ message }) => message).join(" ")) }));
}"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a finished run and three labelled people, two of them held out."""
    folder = tmp_path_factory.mktemp("axe")
    people = draw_people(folder / "people", n_pids=12, n_images=8)
    location = folder / "workspace"
    fabricate(
        location, people, n_iterations=2, status="finished", n_planned=2, has_rankings=True
    )  # fmt: skip
    with Workspace.open(location) as store:
        table = store.run_images(1, "train")
        for pid in (1, 2, 3):
            act = annotations.create(
                table.image_ids[table.pids == pid].tolist(),
                role="training" if pid == 1 else "validation",
            )
            store.append_annotation_event(act.kind, act.payload, "a test")
    return location


@pytest.fixture(scope="module")
def studio(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(str(workspace), log=tmp_path_factory.mktemp("log") / "studio.log") as address:
        yield address


def findings(page: Page) -> list[str]:
    """Return the serious and critical findings on a page, each with its first elements."""
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    found = page.evaluate(RUN, NOT_OURS)
    return [f"{x['impact']} {x['id']}: {x['nodes']}" for x in found if x["impact"] in BAD]


def pages_of(page: Page) -> list[str]:
    """Return the addresses of all pages, as the navigation has them."""
    links = page.locator("[data-testid=stSidebarNav] a")
    expect(links.first).to_be_visible()
    found: list[str] = links.evaluate_all("(all) => all.map((link) => link.href)")
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page__nothing_serious_on_any(
    browser: Browser, studio: str, theme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme=theme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(studio)
    bad: dict[str, list[str]] = {}
    for address in pages_of(page):
        page.goto(address)
        name = address.rstrip("/").rpartition("/")[2]
        page.wait_for_selector(READY.get(name, "[data-testid=stMain] h3, .pul-table, p"))
        page.wait_for_load_state("networkidle")
        if found := findings(page):
            bad[name] = found
    context.close()
    assert bad == {}
