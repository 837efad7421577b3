"""A thousand people on the Identities page: found, paged, selected, merged, kept apart."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pul.labelling import annotations
from pul.labelling.annotations import Annotations, fold
from pul.store.workspace import Workspace
from tests.app.browser.browsing import TIMEOUT_MS, serve
from tests.app.fabricated import draw_people, fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)
N_PEOPLE = 1000


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a thousand identities of an image each; 25 of each drawn person."""
    folder = tmp_path_factory.mktemp("many")
    people = draw_people(folder / "people", n_pids=40, n_images=25)
    location = folder / "workspace"
    fabricate(location, people, n_iterations=1, status="finished", n_planned=1)
    with Workspace.open(location) as store:
        for image in store.run_images(1, "train").image_ids.tolist():
            act = annotations.create([image])
            store.append_annotation_event(act.kind, act.payload, "a test")
    return location


@pytest.fixture(scope="module")
def studio(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(str(workspace), log=tmp_path_factory.mktemp("log") / "studio.log") as address:
        yield address


@pytest.fixture
def page(browser: Browser, studio: str) -> Iterator[Page]:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(f"{studio}/identities")
    page.wait_for_selector(".person", timeout=TIMEOUT_MS)
    yield page
    page.context.close()


def state_of(location: Path) -> Annotations:
    with Workspace.open(location) as workspace:
        return fold(workspace.annotation_events())


def wait_until_saved(page: Page) -> None:
    page.wait_for_selector(".people[data-open='0']", timeout=TIMEOUT_MS)


def names(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all("[data-name]", "(all) => all.map((x) => x.value)")
    return found


def test_rows__come_in_pages_and_a_name_is_found(page: Page) -> None:
    expect(page.locator(".people-counts")).to_contain_text("1,000 identities1,000 images")
    expect(page.locator(".person")).to_have_count(40)
    assert names(page)[0] == "ID_001"
    page.get_by_role("button", name="Next").click()
    assert names(page)[0] == "ID_041"
    page.get_by_role("button", name="Last").click()
    assert names(page)[-1] == "ID_1000"
    page.get_by_role("searchbox", name="Find a name").fill("id_77")
    expect(page.locator(".person")).to_have_count(10)  # ID_770 to ID_779; ID_077 is none of them
    expect(page.locator(".people-shown")).to_contain_text("10 of 1,000 identities")
    page.get_by_role("searchbox", name="Find a name").fill("")
    page.get_by_label("Order").select_option("newest")
    assert names(page)[0] == "ID_1000"
    page.get_by_label("Who is shown").select_option("validation")
    expect(page.locator(".people-shown")).to_contain_text("Nobody fits")


def test_select__a_range_by_shift(page: Page) -> None:
    boxes = page.locator(".person [type=checkbox]")
    boxes.nth(2).click()
    boxes.nth(6).click(modifiers=["Shift"])
    expect(page.get_by_role("button", name="Merge 5")).to_be_enabled()
    boxes.nth(4).click()
    boxes.nth(5).click(modifiers=["Shift"])
    expect(page.get_by_role("button", name="Merge 3")).to_be_enabled()


def test_merges__both_are_seen_and_an_answer_is_kept(page: Page, workspace: Path) -> None:
    first = page.locator(".merge").first
    assert first.locator("img").count() == 2
    pair = [int(n) for n in first.locator("[data-side]").evaluate_all(
        "(sides) => sides.map((side) => side.dataset.side)"
    )]  # fmt: skip
    first.get_by_role("button", name="Merge").click()
    wait_until_saved(page)
    state = state_of(workspace)
    assert state.find(pair[1]) == pair[0]
    expect(page.locator(".people-toast")).to_contain_text("2 identities merged")
    other = page.locator(".merge").first
    apart = [int(n) for n in other.locator("[data-side]").evaluate_all(
        "(sides) => sides.map((side) => side.dataset.side)"
    )]  # fmt: skip
    other.get_by_role("button", name="No, two people").click()
    wait_until_saved(page)
    event = state_of(workspace).events[-1]
    sides = [event.payload[name]["identity"] for name in ("left", "right")]
    assert (event.kind, sides) == ("not_same", apart)
    page.reload()
    page.wait_for_selector(".merge", timeout=TIMEOUT_MS)
    shown = page.locator(".merge").evaluate_all(
        "(all) => all.map((x) => [...x.querySelectorAll('[data-side]')].map((s) => s.dataset.side))"
    )
    assert [str(n) for n in apart] not in shown


def test_rename__to_a_name_that_is_there_offers_a_merge(page: Page, workspace: Path) -> None:
    rows = page.locator(".person")
    name = rows.nth(20).locator("[data-name]")
    taken, own = names(page)[10], names(page)[20]
    numbers = [int(rows.nth(n).get_attribute("data-identity") or 0) for n in (10, 20)]
    n_before = len(state_of(workspace).events)
    name.fill(taken.lower())
    name.press("Enter")
    offer = page.locator(".merge").first
    expect(offer).to_contain_text(f"{taken} is that name already")
    assert offer.locator("img").count() == 2
    offer.get_by_role("button", name="No, keep the old name").click()
    assert names(page)[20] == own
    assert len(state_of(workspace).events) == n_before  # nothing was sent
    name.fill(taken)
    name.press("Enter")
    offer.get_by_role("button", name="Merge").click()
    wait_until_saved(page)
    assert state_of(workspace).find(numbers[1]) == numbers[0]


def test_most_like__shows_the_two_alone(page: Page) -> None:
    row = page.locator(".person").nth(3)
    own, other = names(page)[3], row.locator(".like .link").inner_text()
    row.locator(".like .link").click()
    expect(page.locator(".person")).to_have_count(2)
    assert set(names(page)) == {own, other}
    page.get_by_role("button", name="show everyone").click()
    expect(page.locator(".person")).to_have_count(40)


def test_row__is_whole_at_1024(page: Page) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    assert page.evaluate(
        """() => { const main = document.querySelector("[data-testid=stMain]");
            return main.scrollWidth <= main.clientWidth; }"""
    )
    cut = page.locator(".person").first.evaluate(
        """(row) => [...row.querySelectorAll("input, select, button")].filter((element) => {
            const box = element.getBoundingClientRect();
            return box.width && box.right > innerWidth;
        }).length"""
    )
    assert cut == 0
