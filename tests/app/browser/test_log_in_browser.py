"""Log-in with a real provider in a real browser: who comes in, and who signs."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app import services
from benchmarks import provider
from benchmarks.studio import serve
from pul.store.workspace import Workspace
from tests.app.browser.browsing import TIMEOUT_MS
from tests.app.browser.carding import press_for_next, wait_until_saved
from tests.app.fabricated import fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)


def log_in(browser: Browser, address: str, name: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page.goto(f"{address}/label")
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
