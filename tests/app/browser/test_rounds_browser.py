"""The Train page in a real browser, with a real run: settings changed during the run are used."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pul.labelling.annotations import create
from pul.records import IterationRecord
from pul.store.workspace import Workspace
from tests.app.browser.browsing import TIMEOUT_MS, free_port, hover, poll, serve
from tests.app.browser.carding import open_card
from tests.app.conftest import ENDLESS, wait_until
from tests.app.fabricated import fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)


def wait_for_record(
    workspace: Workspace, holds: Callable[[IterationRecord], bool]
) -> IterationRecord:
    """Return the first iteration of which something holds, when it is there."""
    found: list[IterationRecord] = []

    def is_shown() -> bool:
        found[:] = [record for record in workspace.iterations(1) if holds(record)]
        return bool(found)

    wait_until(is_shown)
    return found[0]


def test_run__what_is_changed_on_the_way_is_used_and_ticked(
    page: Page, workshop: Workspace, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "studio.log"
    first = wait_for_record(workshop, lambda record: record.iteration == 1)
    with serve(str(workshop.path), log=log, port=port) as address:
        page.goto(f"{address}/rounds?run=1")
        page.get_by_role("button", name="λ, K …").click()
        for label, value in (("Threshold λ", "0.30"), ("Clusters K", "7")):
            field = page.get_by_test_id("stPopoverBody").get_by_label(label, exact=True)
            field.fill(value)
            field.press("Tab")
        page.get_by_role("button", name="Apply from the next iteration").click()
        steered = wait_for_record(workshop, lambda record: record.lambda_ == 0.3)
        assert steered.n_clusters == 7
        images = workshop.images("train")
        for pid in (1, 2):
            act = create(images.image_ids[images.pids == pid][:4].tolist())
            workshop.append_annotation_event(act.kind, act.payload, "someone")
        taught = wait_for_record(workshop, lambda record: record.n_annotated_images == 8)
        page.reload()
        tick = page.get_by_text(f"iteration {steered.iteration}: λ 0.50 → 0.30; K 8 → 7")
        expect(tick).to_be_visible()
        expect(
            page.get_by_text(re.compile("labels: . → 2 identities, . → 8 images"))
        ).to_be_visible()
    with serve(str(workshop.path), log=log, port=port):  # the server comes back
        page.reload()
        expect(page.locator(".js-plotly-plot .point").first).to_be_attached()
        expect(tick).to_be_visible()
        assert "run=1" in page.url.split("/rounds?")[1].split("&")
        later = wait_for_record(workshop, lambda record: record.iteration > taught.iteration + 1)
    records = workshop.iterations(1)
    used = {(record.lambda_, record.n_clusters) for record in records}
    assert used == {(0.5, 8), (0.3, 7)}
    assert [record.iteration for record in records] == list(range(len(records)))  # none is twice
    assert (later.lambda_, later.n_clusters, later.n_identities) == (0.3, 7, 2)
    assert later.annotations_hash == taught.annotations_hash != first.annotations_hash
    assert {record.seed for record in records} == {ENDLESS.seed}
    assert len(workshop.jobs()) == 1  # the run never noticed


def test_address__is_shared_and_survives_a_reload(page: Page, people: Path, tmp_path: Path) -> None:
    for name in ("first", "second", "third"):
        fabricate(tmp_path / "w", people, status="finished", name=name)
    with serve(str(tmp_path / "w"), log=tmp_path / "studio.log") as address:
        page.goto(f"{address}/rounds?run=1&compare=3")
        expect(page.locator(".pul-header")).to_contain_text("first")
        legend = page.locator(".js-plotly-plot").first.locator(".legendtext")
        expect(legend).to_have_text(["first", "third"])
        page.reload()
        expect(legend).to_have_text(["first", "third"])
        assert {"run=1", "compare=3"} <= set(page.url.split("/rounds?")[1].split("&"))


def test_curves__a_click_on_a_point_shows_its_model(
    page: Page, people: Path, tmp_path: Path
) -> None:
    fabricate(tmp_path / "w", people, status="finished", name="first")
    with serve(str(tmp_path / "w"), log=tmp_path / "studio.log") as address:
        page.goto(f"{address}/rounds")
        expect(page.get_by_text("Model of first, iteration 3")).to_be_visible()
        point = page.locator(".js-plotly-plot .xy .scatterlayer .trace .point").nth(1)
        expect(point).to_be_attached()
        page.locator(".js-plotly-plot").first.scroll_into_view_if_needed()
        hover(page, point)
        page.mouse.down()
        page.mouse.up()
        expect(page.get_by_text("Model of first, iteration 1")).to_be_visible()
        expect(page.get_by_text("runs/1/iteration-1/model.safetensors")).to_be_visible()
        page.get_by_role("button", name="Fork …").click()
        expect(page.get_by_text("Fork first at iteration 1")).to_be_visible()


def test_page__that_was_asked_for_comes_though_something_moves_meanwhile(
    page: Page, location: Path, people: Path, tmp_path: Path
) -> None:
    fabricate(location, people, n_iterations=1, n_planned=1, status="finished")
    with serve(str(location), log=tmp_path / "studio.log") as address:
        open_card(page, address)
        page.evaluate(
            """() => {
                document.querySelector("[data-testid=stSidebarNav] a[href*=train]").click();
                document.querySelector(".pul-line").line.drawAnew("moved");
            }"""
        )
        expect(page.get_by_text("finished after 1 iteration")).to_be_visible()
        poll(page, 2)
        assert "/train" in page.url
