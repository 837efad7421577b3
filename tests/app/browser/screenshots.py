"""Pictures for the documents: `python -m tests.app.browser.screenshots ADDRESS FOLDER`.

The studio at ADDRESS has to show a workspace with a run, such as the demo when its run is done.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from tests.app.browser.browsing import FLAGS, TIMEOUT_MS, drag, open_map, wait_for_pictures
from tests.app.browser.carding import open_card

SIZE = {"width": 1440, "height": 900}


def main() -> None:
    """Take a picture of every page in both themes; `<page>.png`, and `<page>-dark.png`."""
    address, folder = sys.argv[1], Path(sys.argv[2])
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for theme in ("light", "dark"):
            page = browser.new_page(
                viewport=SIZE, color_scheme="dark" if theme == "dark" else "light"
            )
            for name, show in PAGES.items():
                show(page, address)
                suffix = "-dark" if theme == "dark" else ""
                page.screenshot(path=folder / f"{name}{suffix}.png")
        browser.close()


def workspace(page: Page, address: str) -> None:
    """Open the first page, and wait for its people and bars."""
    page.goto(address)
    page.wait_for_function("document.querySelector('.pul-strip img')?.naturalWidth > 0")
    page.locator(".js-plotly-plot .bars").first.wait_for(timeout=TIMEOUT_MS)
    page.wait_for_load_state("networkidle")


def clusters(page: Page, address: str) -> None:
    """Open the clusters in doubt, and the first of them."""
    page.goto(f"{address}/clusters")
    page.wait_for_selector(".clusters[data-doubts=known]", timeout=TIMEOUT_MS)
    page.locator(".clusters-item").nth(1).click()
    page.locator(".clusters-similar-list img").first.wait_for(timeout=TIMEOUT_MS)
    page.wait_for_load_state("networkidle")
    page.mouse.move(SIZE["width"] / 2, 5)


def label(page: Page, address: str) -> None:
    """Open a card."""
    open_card(page, address)
    page.wait_for_load_state("networkidle")
    page.mouse.move(SIZE["width"] / 2, 5)


def lasso(page: Page, address: str) -> None:
    """Open the map and draw a lasso around the middle of it."""
    open_map(page, address)
    box = page.locator(".scatter canvas").bounding_box()
    assert box is not None
    middle, radius = np.array([box["width"], box["height"]]) / 2, box["height"] / 6
    angles = np.linspace(0, 2 * np.pi, 40)
    drag(
        page,
        [tuple(p) for p in middle + radius * np.column_stack([np.cos(angles), np.sin(angles)])],
    )
    page.locator(".pul-grid h6").first.wait_for(timeout=TIMEOUT_MS)
    wait_for_pictures(page)
    page.mouse.move(SIZE["width"] / 2, 5)


def rounds(page: Page, address: str) -> None:
    """Open the curves."""
    page.goto(f"{address}/rounds")
    page.locator(".js-plotly-plot .scatterlayer .point").first.wait_for(timeout=TIMEOUT_MS)
    page.wait_for_load_state("networkidle")


PAGES = {
    "workspace": workspace,
    "clusters": clusters,
    "label": label,
    "map": lasso,
    "rounds": rounds,
}


if __name__ == "__main__":
    main()
