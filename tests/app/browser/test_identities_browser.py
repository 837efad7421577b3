"""Page 4 in a real browser: merge, split, take out, rename, roles, undo, the oracle."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from pul.labelling import annotations
from pul.labelling.annotations import Annotations, fold
from pul.store.workspace import Workspace
from tests.app.browser.browsing import TIMEOUT_MS, serve
from tests.app.fabricated import draw_people, fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which four people are labelled, the first with an image of the second."""
    folder = tmp_path_factory.mktemp("named")
    people = draw_people(folder / "people", n_pids=12, n_images=8)
    location = folder / "workspace"
    fabricate(location, people, n_iterations=1, status="finished", n_planned=1)
    with Workspace.open(location) as store:
        table = store.run_images(1, "train")
        groups = [table.image_ids[table.pids == pid].tolist() for pid in range(1, 5)]
        for images in ([*groups[0], groups[1][0]], groups[1][1:], *groups[2:]):
            act = annotations.create(images)
            store.append_annotation_event(act.kind, act.payload, "a test")
    return location


@pytest.fixture(scope="module")
def studio(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(str(workspace), log=tmp_path_factory.mktemp("log") / "studio.log") as address:
        yield address


@pytest.fixture
def page(browser: Browser, studio: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    page = context.new_page()
    page.goto(f"{studio}/identities")
    page.wait_for_selector(".person", timeout=TIMEOUT_MS)
    yield page
    context.close()


def state_of(location: Path) -> Annotations:
    with Workspace.open(location) as workspace:
        return fold(workspace.annotation_events())


def row(page: Page, place: int) -> Locator:
    return page.locator(".person").nth(place)


def wait_until_saved(page: Page) -> None:
    page.wait_for_selector(".people[data-open='0']", timeout=TIMEOUT_MS)


def test_rows__say_counts_and_show_faces(page: Page) -> None:
    expect(page.locator(".person")).to_have_count(4)
    expect(page.locator(".people-counts")).to_contain_text("4 identities")
    expect(page.locator(".people-counts")).to_contain_text("4 for training")
    expect(row(page, 0)).to_contain_text("9 images")
    page.wait_for_function(
        """() => { const faces = [...document.querySelectorAll(".face")];
            return faces.length === 31 && faces.every((face) => face.naturalWidth > 0); }""",
        timeout=TIMEOUT_MS,
    )


def test_merge__any_number_and_undo(page: Page, workspace: Path) -> None:
    before = [known.images for known in state_of(workspace).identities]
    for place in (0, 2, 3):
        row(page, place).locator("[type=checkbox]").check()
    page.keyboard.press("m")
    expect(page.locator(".person")).to_have_count(2)
    expect(page.locator(".people-toast")).to_contain_text("3 identities merged into ID_001")
    wait_until_saved(page)
    merged = state_of(workspace).identities[0].images
    assert merged == tuple(sorted(before[0] + before[2] + before[3]))
    page.keyboard.press("Control+z")
    expect(page.locator(".person")).to_have_count(4)
    assert [known.images for known in state_of(workspace).identities] == before


def test_split__moves_the_chosen_images(page: Page, workspace: Path) -> None:
    images = state_of(workspace).identities[2].images
    row(page, 2).get_by_role("button", name="Open", exact=True).click()
    members = page.locator("[data-member]")
    expect(members).to_have_count(8)
    chosen = [int(members.nth(place).get_attribute("data-member") or 0) for place in (6, 7)]
    for image in chosen:
        page.locator(f"[data-member='{image}']").click()
    page.get_by_role("button", name="Split off").click()
    expect(page.locator(".person")).to_have_count(5)
    state = state_of(workspace)
    assert state.identities[-1].images == tuple(sorted(chosen))
    assert state.identities[2].images == tuple(x for x in images if x not in chosen)
    page.keyboard.press("Control+z")
    expect(page.locator(".person")).to_have_count(4)


def test_take_out__frees_the_images(page: Page, workspace: Path) -> None:
    identity = state_of(workspace).identities[3]
    row(page, 3).get_by_role("button", name="Open", exact=True).click()
    member = page.locator("[data-member]").last
    image = int(member.get_attribute("data-member") or 0)
    member.click()
    page.locator("[data-act=remove]").click()
    expect(row(page, 3)).to_contain_text("7 images")
    assert image not in state_of(workspace).identity(identity.identity).images
    page.keyboard.press("Control+z")
    expect(row(page, 3)).to_contain_text("8 images")


def test_name_and_role__are_kept(page: Page, workspace: Path) -> None:
    name = row(page, 1).locator("[data-name]")
    name.fill("Red coat")
    name.press("Enter")
    expect(page.locator(".people-toast")).to_contain_text("ID_002 renamed to Red coat")
    row(page, 1).locator("select").select_option("validation")
    expect(page.locator(".people-counts")).to_contain_text("1 held out")
    wait_until_saved(page)
    known = state_of(workspace).identities[1]
    assert (known.name, known.role) == ("Red coat", "validation")


def test_oracle__labels_up_to_the_limit_and_is_taken_back(page: Page, workspace: Path) -> None:
    before = [known.images for known in state_of(workspace).identities]
    page.get_by_role("button", name="Simulate 25 labels from ground truth").click()
    back = page.get_by_role("button", name="Remove the simulated labels")
    expect(back).to_be_visible()
    expect(page.locator(".person").nth(4)).to_be_visible()
    page.locator(".person .faces[data-act=open]").last.click()  # the page is drawn again
    expect(page.locator(".members [data-member]").first).to_be_visible()
    told = page.get_by_text(re.compile(r"identities, \d+ images: precision 100.0 %"))
    expect(told).to_be_visible()
    back.click()
    expect(told).to_have_count(0)
    expect(page.locator(".person")).to_have_count(4)
    assert [known.images for known in state_of(workspace).identities] == before
