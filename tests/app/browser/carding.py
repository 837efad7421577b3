"""Helpers for the labelling card in a browser: open it, read its state, press keys."""

from typing import Any

from playwright.sync_api import Page

from tests.app.browser.browsing import TIMEOUT_MS

LABEL = "document.querySelector('.label').mounted"
CHOSEN = "label.work.chosen.map((tile) => tile.image)"


def open_card(page: Page, address: str) -> None:
    """Open the Label page and wait until a card is there."""
    page.goto(f"{address}/label")
    wait_for_card(page)


def wait_for_card(page: Page) -> None:
    """Wait until a card is there."""
    page.wait_for_selector(".label[data-mode=card]:not([data-card=''])", timeout=TIMEOUT_MS)


def shown(page: Page, expression: str) -> Any:
    """Return something of the component's own state."""
    return page.evaluate(f"(() => {{ const label = {LABEL}; return {expression}; }})()")


def wait_until_saved(page: Page) -> None:
    """Wait until the server has acknowledged every act of the page."""
    page.wait_for_selector(".label[data-open='0']", timeout=TIMEOUT_MS)


def press_for_next(page: Page, key: str) -> None:
    """Press a key and wait until the browser shows another card, whatever the server does."""
    before = shown(page, "label.work.card.id")
    page.keyboard.press(key)
    page.wait_for_function(
        f"(before) => ![before, undefined].includes({LABEL}.work?.card.id)",
        arg=before,
        timeout=TIMEOUT_MS,
    )
