"""From any picture to those like it, and from a ranked list to a card, in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pul.labelling import annotations
from pul.store.workspace import Workspace
from tests.app.browser.browsing import TIMEOUT_MS, serve
from tests.app.browser.carding import open_card, press_for_next, shown, wait_for_card
from tests.app.fabricated import draw_people, fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)

LIKE = "Training images most similar to the picture that you picked."


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which two people are labelled."""
    folder = tmp_path_factory.mktemp("similar")
    people = draw_people(folder / "people", n_pids=12, n_images=8)
    fabricate(
        folder / "workspace", people, n_iterations=1, status="finished", n_planned=1,
        has_rankings=True,
    )  # fmt: skip
    with Workspace.open(folder / "workspace") as store:
        table = store.run_images(1, "train")
        for pid in (11, 12):
            act = annotations.create(table.image_ids[table.pids == pid].tolist())
            store.append_annotation_event(act.kind, act.payload, "a test")
    return folder / "workspace"


@pytest.fixture(scope="module")
def studio(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(str(workspace), log=tmp_path_factory.mktemp("log") / "studio.log") as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    yield page
    context.close()


def expect_like(page: Page, picture: str) -> None:
    """The Retrieval page lists images like a picture, which is the likest of them."""
    expect(page).to_have_url(re.compile("/retrieval"))
    expect(page.get_by_text(LIKE)).to_be_visible()
    name = picture.partition("?")[0].rpartition("/")[2]
    expect(page.locator(".pul-query")).to_have_attribute("src", re.compile(re.escape(name)))
    assert page.locator(".pul-ranked button").count() > 5


def test_label__by_the_sign_on_a_tile_and_by_f_and_the_card_waits(page: Page, studio: str) -> None:
    open_card(page, studio)
    tile = page.locator(".label-tiles figure").nth(2)
    dropped = page.locator(".label-tiles figure").first
    dropped.click()
    card, n_dropped = shown(page, "[label.work.card.id, label.work.dropped.size]")
    assert n_dropped > 0
    picture = str(tile.locator("img").get_attribute("src"))
    tile.hover()
    tile.locator(".alike").click()
    expect_like(page, picture)
    page.get_by_role("button", name="Back to the queries").click()
    expect(page.get_by_text(LIKE)).to_have_count(0)
    expect(page.locator(".pul-next:not(.here)")).to_be_visible()
    page.locator('.pul-way ol a[data-page="label"]').click()
    wait_for_card(page)
    expect(page.locator(".pul-next.here")).to_be_visible()  # and on its own page it is no link
    assert shown(page, "label.work.card.id") == card  # what was begun is there
    assert shown(page, "label.work.dropped.size") == n_dropped
    page.mouse.move(5, 5)
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    at = shown(page, "label.tiles.order[label.tiles.cursor].token")
    page.keyboard.press("f")
    expect_like(page, f"/{at}")


def test_identities__by_the_sign_and_by_f(page: Page, studio: str) -> None:
    for press in ("click", "f"):
        page.goto(f"{studio}/identities")
        page.locator('[data-act="open"]').first.click()
        image = page.locator("[data-member]").nth(1)
        picture = str(image.locator("img").get_attribute("src"))
        if press == "click":
            image.hover()
            image.locator(".alike").click()
        else:
            page.mouse.move(5, 5)
            image.focus()
            page.keyboard.press("f")
        expect_like(page, picture)


def test_retrieval__a_pick_leads_to_its_like_and_to_a_card(page: Page, studio: str) -> None:
    page.goto(f"{studio}/retrieval")
    page.get_by_role("radio", name="Training images").or_(
        page.get_by_role("button", name="Training images")
    ).click()
    page.locator(".queries button").nth(3).click()
    pick = page.locator(".pul-ranked").first.locator("button").nth(2)
    pick.click()
    expect(pick).to_have_attribute("aria-pressed", "true")
    picture = str(pick.locator("img").get_attribute("src"))
    page.get_by_role("button", name="Find similar").first.click()
    expect_like(page, picture)
    unlabelled = page.locator(".pul-ranked").first.locator("button").nth(1)
    unlabelled.click()
    wanted = int(str(unlabelled.get_attribute("data-image")))
    page.get_by_role("button", name="Label it").first.click()
    expect(page).to_have_url(re.compile("/label"))
    wait_for_card(page)
    card = shown(page, "[label.work.card.id, label.work.chosen.map((tile) => tile.image)]")
    assert card[0].startswith("chosen-")
    assert wanted in card[1]


def test_label__tells_who_else_is_on_cards(page: Page, browser: Browser, studio: str) -> None:
    open_card(page, studio)
    press_for_next(page, "Enter")
    field = page.get_by_role("textbox", name="What is your name?")
    field.fill("Ann")
    field.press("Enter")
    expect(field).to_have_count(0)
    other = browser.new_context().new_page()
    open_card(other, studio)
    expect(other.get_by_text(re.compile(r"Ann is on \d cards?"))).to_be_visible()
    mine, theirs = (shown(each, "label.work.card.id") for each in (page, other))
    assert mine != theirs
    page.context.close()
    expect(other.get_by_text(re.compile("Ann is on"))).to_have_count(0)
    other.context.close()
