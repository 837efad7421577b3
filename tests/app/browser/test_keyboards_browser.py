"""The Label page under keyboards of several layouts, by the browser's own key events."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pul.labelling.annotations import JUNK, fold
from pul.store.workspace import Workspace
from tests.app.browser.browsing import TIMEOUT_MS, serve
from tests.app.browser.carding import CHOSEN, LABEL, open_card, shown, wait_until_saved
from tests.app.fabricated import draw_people, fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)

# What each keyboard types, and by which key, where the page says d, x, a and z (with Control).
LAYOUTS = {
    "Russian": {"d": ("в", "KeyD"), "x": ("ч", "KeyX"), "a": ("ф", "KeyA"), "z": ("я", "KeyZ")},
    "Greek": {"d": ("δ", "KeyD"), "x": ("χ", "KeyX"), "a": ("α", "KeyA"), "z": ("ζ", "KeyZ")},
    "Hebrew": {"d": ("ג", "KeyD"), "x": ("ס", "KeyX"), "a": ("ש", "KeyA"), "z": ("ז", "KeyZ")},
    "AZERTY": {"d": ("d", "KeyD"), "x": ("x", "KeyX"), "a": ("a", "KeyQ"), "z": ("z", "KeyW")},
    "Dvorak": {"d": ("d", "KeyH"), "x": ("x", "KeyB"), "a": ("a", "KeyA"), "z": ("z", "Slash")},
}
CONTROL, SHIFT = 2, 8  # as the browser's protocol counts modifiers


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keyboards")
    people = draw_people(folder / "people", n_pids=20, n_images=12)
    fabricate(folder / "workspace", people, n_iterations=1, status="finished", n_planned=1)
    return folder / "workspace"


@pytest.fixture(scope="module")
def studio(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(str(workspace), log=tmp_path_factory.mktemp("log") / "studio.log") as address:
        yield address


def press(page: Page, key: str, code: str, *, modifiers: int = 0, location: int = 0) -> None:
    """Press a key as a keyboard does that types `key` there; the events are trusted."""
    protocol = page.context.new_cdp_session(page)
    event = {"key": key, "code": code, "modifiers": modifiers, "location": location}
    if len(key) == 1 and not modifiers & CONTROL:
        event["text"] = key
    protocol.send("Input.dispatchKeyEvent", {"type": "keyDown", **event})
    protocol.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})
    protocol.detach()


def junk_of(workspace: Path) -> int:
    with Workspace.open(workspace) as opened:
        owners = fold(opened.annotation_events()).owners
    return sum(owner == JUNK for owner in owners.values())


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_label__letters_of_a_layout(
    page: Page, studio: str, workspace: Path, layout: dict[str, tuple[str, str]]
) -> None:
    open_card(page, studio)
    images = shown(page, CHOSEN)
    press(page, "ArrowRight", "ArrowRight")
    press(page, *layout["d"])  # takes out the tracklet of the first tile
    assert 0 < len(shown(page, CHOSEN)) < len(images)
    press(page, *layout["z"], modifiers=CONTROL)
    assert shown(page, CHOSEN) == images
    press(page, *layout["z"], modifiers=CONTROL | SHIFT)
    assert len(shown(page, CHOSEN)) < len(images)
    press(page, *layout["z"], modifiers=CONTROL)

    card, n_junk = shown(page, "label.work.card.id"), junk_of(workspace)
    press(page, *layout["x"])
    page.wait_for_function(f"(card) => {LABEL}.work?.card.id !== card", arg=card)
    wait_until_saved(page)
    assert junk_of(workspace) == n_junk + len(images)
    press(page, *layout["z"], modifiers=CONTROL)
    page.wait_for_function(f"() => {LABEL}.shown.length > 0")
    wait_until_saved(page)
    assert junk_of(workspace) == n_junk


def test_label__the_number_pad(page: Page, studio: str) -> None:
    open_card(page, studio)
    images, row = shown(page, CHOSEN), "label.shown.map(({ tiles }) => tiles[0].image)"
    fourth = shown(page, row)[3]
    joined = "label.work.accepted.map(({ tiles }) => tiles[0].image)"
    at = shown(page, "label.tiles.cursor")
    press(page, "ArrowRight", "Numpad6", location=3)  # without Num Lock: it moves
    assert (shown(page, joined), shown(page, CHOSEN)) == ([], images)
    assert shown(page, "label.tiles.cursor") != at
    press(page, "ArrowLeft", "Numpad4", location=3, modifiers=SHIFT)  # as Windows sends Shift+4
    assert shown(page, joined) == []
    press(page, "4", "Numpad4", location=3)  # with Num Lock
    assert shown(page, joined) == [fourth]


def test_label__digits_that_need_shift(page: Page, studio: str) -> None:
    open_card(page, studio)
    second = shown(page, "label.shown[1].tiles[0].image")
    press(page, "é", "Digit2")  # AZERTY types é where others type 2
    assert shown(page, "label.work.accepted.map(({ tiles }) => tiles[0].image)") == [second]
