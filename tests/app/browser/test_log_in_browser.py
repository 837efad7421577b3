"""Log-in with a real provider in a real browser: who comes in, and who signs."""

from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from app import services
from app.routes.way_back import COOKIE
from benchmarks import provider
from benchmarks.studio import serve
from pul.store.workspace import Workspace
from tests.app.browser.browsing import TIMEOUT_MS
from tests.app.browser.carding import press_for_next, wait_until_saved
from tests.app.browser.test_address_browser import open_by_folder
from tests.app.fabricated import fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)


def log_in(browser: Browser, address: str, name: str, place: str = "label") -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page.goto(f"{address}/{place}")
    button = page.get_by_role("button", name="Log in")
    expect(button).to_be_visible()
    assert page.locator(".label").count() == 0  # a stranger sees nothing else
    button.click()
    page.locator(f"button[name=sub][value='{name}']").click()
    return page


def test_log_in__labels_are_signed_by_the_account_and_strangers_stay_out(
    browser: Browser, location: Path, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(location, people, n_iterations=1, status="finished")
    with provider.provide(["Ann", "Eve"]) as issuer:
        monkeypatch.setattr(provider, "ADMITTED", "0@example.org")  # Ann's address alone
        with serve(str(location), provider=issuer) as studio:
            page = log_in(browser, studio.address, "Ann")
            expect(page.get_by_text("Logged in as")).to_be_visible()
            page.goto(f"{studio.address}/label")
            page.wait_for_selector(".label[data-card]", timeout=TIMEOUT_MS)
            page.locator(".label-reason").click()
            press_for_next(page, "Enter")
            wait_until_saved(page)
            page.close()
            page = log_in(browser, studio.address, "Eve")
            expect(page.get_by_role("button", name="Log out")).to_be_visible()
            assert page.locator(".label").count() == 0
            page.close()
        with Workspace.open(location) as workspace:
            (event,) = workspace.annotation_events()
        ann = services.authors.of_login({"iss": issuer, "sub": "Ann"})
        assert event.author == ann
        assert services.authors.shown_names(str(location), [ann]) == {ann: "Ann"}


def test_log_in__leads_back_to_the_workspace_and_the_view_of_the_address(
    browser: Browser, location: Path, people: Path
) -> None:
    shop = location.with_name("shop")
    for place in (location, shop, shop):  # two runs, so that the older one is a choice
        fabricate(place, people, n_iterations=1, status="finished")
    with provider.provide(["Ann"]) as issuer, serve(str(location), provider=issuer) as studio:
        page = log_in(browser, studio.address, "Ann")
        open_by_folder(page, shop)
        expect(page.locator(".pul-header b").first).to_have_text("shop")
        page.close()
        asked = {"w": ["shop"], "run": ["1"], "sort": ["size"], "view": ["images"]}
        page = log_in(browser, studio.address, "Ann", f"clusters?{urlencode(asked, doseq=True)}")
        page.wait_for_selector(".clusters[data-view=images]", timeout=TIMEOUT_MS)
        expect(page.locator(".pul-header b").first).to_have_text("shop")
        parts = urlsplit(page.url)
        assert parts.path == "/clusters"
        assert asked.items() <= parse_qs(parts.query).items()
        assert COOKIE not in {cookie["name"] for cookie in page.context.cookies()}
        page.close()
