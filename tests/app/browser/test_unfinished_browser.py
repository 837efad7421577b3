"""Cards of picked images, and unfinished work: a browser leaves the page and comes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pul.labelling import annotations
from pul.labelling.annotations import Annotations, fold
from pul.store.workspace import Workspace
from tests.app.browser.browsing import TIMEOUT_MS, drag, open_map, serve
from tests.app.browser.carding import (
    CHOSEN,
    open_card,
    press_for_next,
    shown,
    wait_for_card,
    wait_until_saved,
)
from tests.app.fabricated import draw_people, fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unfinished")
    people = draw_people(folder / "people", n_pids=16, n_images=10)
    fabricate(folder / "workspace", people, n_iterations=1, status="finished", n_planned=1)
    return folder / "workspace"


@pytest.fixture(scope="module")
def studio(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(str(workspace), log=tmp_path_factory.mktemp("log") / "studio.log") as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


def state_of(location: Path) -> Annotations:
    with Workspace.open(location) as workspace:
        return fold(workspace.annotation_events())


def clusters_of(location: Path) -> dict[int, int]:
    """Return the cluster of each image, as the store has it."""
    with Workspace.open(location) as workspace:
        images = workspace.run_images(1, "train").image_ids.tolist()
        return dict(
            zip(images, workspace.arrays(1, 1, "clusters")["clusters"].tolist(), strict=True)
        )


def test_label_these__asks_for_each_cluster_by_itself(
    page: Page, studio: str, workspace: Path
) -> None:
    cluster_of, n_before = clusters_of(workspace), len(state_of(workspace).identities)
    open_map(page, studio)
    box = page.locator(".scatter canvas").bounding_box()
    assert box is not None
    right, bottom = box["width"] - 4, box["height"] - 4
    drag(page, [(4, 4), (right, 4), (right, bottom), (4, bottom), (4, 4)])
    page.get_by_role("button", name="Label these").click()
    wait_for_card(page)
    expect(page.locator(".label-reason")).to_contain_text("picked by you")
    for _ in range(3):
        images = shown(page, CHOSEN)
        assert len(images) > 1
        assert len({cluster_of[image] for image in images}) == 1  # one person at Enter, not sixteen
        press_for_next(page, "Enter")
    wait_until_saved(page)
    made = state_of(workspace).identities[n_before:]
    assert [len({cluster_of[image] for image in known.images}) for known in made] == [1, 1, 1]


def begin(page: Page) -> tuple[str, list[int]]:
    """Take the first tile out and let the first candidate join; return the card, what is chosen."""
    page.keyboard.press("ArrowRight")
    page.keyboard.press("d")
    page.keyboard.press("1")
    assert shown(page, "label.work.accepted.length") == 1
    return shown(page, "label.work.card.id"), shown(page, CHOSEN)


def test_draft__is_there_after_a_reload(page: Page, studio: str) -> None:
    open_card(page, studio)
    begun = begin(page)
    page.reload()
    wait_for_card(page)
    assert (shown(page, "label.work.card.id"), shown(page, CHOSEN)) == begun
    expect(page.locator(".label-toast")).to_contain_text("Your unfinished work is back")


def test_draft__is_there_after_another_page_and_gone_once_committed(
    page: Page, studio: str, workspace: Path
) -> None:
    open_card(page, studio)
    begun = begin(page)
    page.get_by_role("link", name="Identities", exact=True).click()
    expect(page.locator(".label")).to_have_count(0)
    page.get_by_role("link", name="Label", exact=True).click()
    wait_for_card(page)
    assert (shown(page, "label.work.card.id"), shown(page, CHOSEN)) == begun
    press_for_next(page, "Enter")
    wait_until_saved(page)
    assert set(state_of(workspace).identities[-1].images) == set(begun[1])
    page.reload()
    wait_for_card(page)
    assert shown(page, "label.work.card.id") != begun[0]
    assert (
        page.evaluate("Object.keys(localStorage).filter((k) => k.startsWith('pul:drafts'))") == []
    )


def test_draft__tells_what_another_person_labelled_meanwhile(
    page: Page, studio: str, workspace: Path
) -> None:
    open_card(page, studio)
    _, chosen = begin(page)
    page.goto("about:blank")
    with Workspace.open(workspace) as store:
        act = annotations.create(chosen[:2])
        store.append_annotation_event(act.kind, act.payload, "Bob")
    open_card(page, studio)
    assert set(shown(page, CHOSEN)) == set(chosen[2:])
    expect(page.locator(".label-toast")).to_contain_text(
        "2 images were labelled meanwhile: Bob (2)"
    )


def test_enter__tells_whose_images_it_took(page: Page, studio: str, workspace: Path) -> None:
    open_card(page, studio)
    chosen = shown(page, CHOSEN)
    with Workspace.open(workspace) as store:
        act = annotations.create(chosen[:2], name="Red coat")
        store.append_annotation_event(act.kind, act.payload, "Bob")
    press_for_next(page, "Enter")
    wait_until_saved(page)
    expect(page.locator(".label-toast")).to_contain_text("2 of them in Red coat by Bob")


def test_tab__goes_through_the_card(page: Page, studio: str, workspace: Path) -> None:
    open_card(page, studio)
    seen: set[str] = set()
    kind_of = """() => {
        const at = document.activeElement;
        if (at.matches(".label-tiles figure")) return "tile";
        if (at.closest(".label-candidates")) return "candidate";
        return at.closest(".label-actions") ? at.dataset.act : "";
    }"""
    page.locator(".label-tiles figure").first.focus()
    before = shown(page, CHOSEN)
    page.keyboard.press("Space")
    assert len(shown(page, CHOSEN)) < len(before)
    page.keyboard.press("Space")
    for _ in range(60):
        seen.add(page.evaluate(kind_of))
        page.keyboard.press("Tab")
    assert {"tile", "candidate", "create", "skip", "help"} <= seen
    page.locator("[data-candidate='0'] .face").focus()
    page.keyboard.press("Enter")
    assert shown(page, "label.work.accepted.length") == 1
    assert (
        page.evaluate("document.activeElement.closest('[data-candidate]')?.dataset.candidate")
        == "0"
    )
    n_before = len(state_of(workspace).events)
    page.locator("[data-act='create']").focus()
    page.keyboard.press("Enter")
    wait_until_saved(page)
    assert [e.kind for e in state_of(workspace).events[n_before:]] == ["create"]


@pytest.mark.parametrize("size", [(1024, 768), (960, 600), (1440, 900), (1920, 1080)])
def test_card__is_whole_on_the_screen(page: Page, studio: str, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_card(page, studio)
    cut = page.evaluate(
        """() => [...document.querySelectorAll(".label-actions button, .label-candidates figure,"
            + ".label-tiles, .label-progress, .label-nearest")].filter((element) => {
            const box = element.getBoundingClientRect();
            const isLow = box.bottom > innerHeight && !element.closest(".label-side");
            return box.right > innerWidth || isLow;
        }).map((element) => element.className + element.textContent)"""
    )
    assert cut == []
    assert page.evaluate(
        """() => { const main = document.querySelector("[data-testid=stMain]");
            return main.scrollWidth <= main.clientWidth; }"""
    )
