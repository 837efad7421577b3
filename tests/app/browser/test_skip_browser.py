"""One Tab and Enter lead past the sidebar and the steps, on every page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.paths import PATHS
from tests.app.browser.browsing import TIMEOUT_MS, serve
from tests.app.browser.carding import wait_for_card
from tests.app.fabricated import fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)

IS_IN = "document.querySelector('.st-key-content').contains(document.activeElement)"


@pytest.fixture(scope="module")
def studio(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    location = tmp_path_factory.mktemp("skip") / "workspace"
    fabricate(location, people, n_iterations=1, status="finished", n_planned=1)
    with serve(str(location), log=tmp_path_factory.mktemp("log") / "studio.log") as address:
        yield address


def skip(page: Page) -> None:
    """Press what the first Tab of a page leads to."""
    expect(page.locator(".pul-way")).to_be_visible()  # the script that knows of the content
    expect(page.locator(".st-key-content").locator("button, a, input").first).to_be_attached()
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_skip__leads_into_the_content_of_each_page(page: Page, studio: str, path: str) -> None:
    page.goto(f"{studio}/{path}")
    skip(page)
    expect(page.locator(".st-key-content")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate(f"{IS_IN} && !document.activeElement.matches('.st-key-content')")


def test_skip__keys_of_a_card_work_at_once(page: Page, studio: str) -> None:
    page.goto(f"{studio}/label")
    wait_for_card(page)
    card = page.locator(".label").get_attribute("data-card")
    skip(page)
    page.keyboard.press("Space")  # another card
    expect(page.locator(".label")).not_to_have_attribute("data-card", card or "")
