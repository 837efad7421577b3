"""The address names the workspace, in a real browser: reload, second tab, sidebar, shared link."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from pul.store.workspace import Workspace
from tests.app.browser.browsing import TIMEOUT_MS, serve
from tests.app.fabricated import fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)


def named(page: Page) -> str:
    """Return the workspace that the address of a page names."""
    return parse_qs(urlsplit(page.url).query).get("w", [""])[0]


def open_by_folder(page: Page, place: Path) -> None:
    page.locator(".st-key-switcher button").first.click()
    page.get_by_label("Folder", exact=True).fill(str(place))
    page.get_by_role("button", name="Open or create").click()


@pytest.mark.parametrize("base", ["/pul", ""])
def test_address__stays_with_its_workspace(
    page: Page, people: Path, tmp_path: Path, base: str
) -> None:
    Workspace.create(tmp_path / "first").close()
    fabricate(tmp_path / "shop", people, status="finished", name="the shop's")
    options = ["--base-path", base] if base else []
    with serve(str(tmp_path / "first"), *options, log=tmp_path / "log", base=base) as server:
        page.goto(f"{server}{base}/")
        header = page.locator(".pul-header")
        expect(header).to_contain_text("first")
        open_by_folder(page, tmp_path / "shop")
        expect(header).to_contain_text("the shop's")
        expect(page).to_have_url(re.compile(r"[?&]w=shop(&|$)"))
        page.reload()
        expect(header).to_contain_text("the shop's")
        assert named(page) == "shop"
        for name in ("Map", "Identities"):  # the sidebar keeps it
            page.locator("[data-testid=stSidebarNav] a", has_text=name).click()
            expect(page).to_have_url(re.compile(rf"/{name.lower()}\?.*w=shop"))
        with page.context.expect_page() as opened:  # and a second tab has it
            page.locator("[data-testid=stSidebarNav] a", has_text="Finish").click(button="middle")
        tab = opened.value
        expect(tab.locator(".pul-header")).to_contain_text("the shop's")
        assert named(tab) == "shop"
        tab.close()
        page.goto(f"{server}{base}/rounds?w=shop&run=99")
        expect(page.get_by_text("There is no run 99 in “shop”")).to_be_visible()
        page.goto(f"{server}{base}/label?w=nowhere")
        expect(page.get_by_text("No workspace called “nowhere”")).to_be_visible()
        page.reload()
        expect(page.get_by_text("No workspace called “nowhere”")).to_be_visible()
        assert page.locator(".label").count() == 0
    with serve(  # the server is started anew
        str(tmp_path / "first"), *options, log=tmp_path / "log", base=base
    ) as server:
        page.goto(f"{server}{base}/rounds?w=shop")
        expect(page.locator(".pul-header")).to_contain_text("the shop's")
