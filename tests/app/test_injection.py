"""Names are not ours: they are shown as they are, and do nothing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect, sync_playwright

from app.wording import plain
from pul.labelling import annotations
from pul.store.workspace import Workspace
from tests.app.browser.browsing import FLAGS, TIMEOUT_MS, serve
from tests.app.conftest import Open, text_of
from tests.app.fabricated import draw_people, fabricate

NAME = "<img src=x onerror='window.hacked=1'>![p](https://evil.example/p)[l](https://evil.example)"
COMPONENTS = Path(__file__).parents[2] / "app" / "components"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run 1", "run 1"),
        ("![a](http://b)", r"!\[a\](http://b)"),
        ("[a](http://b) :red[c]", r"\[a\](http://b) :red\[c\]"),
        ("<b>$x$", r"\<b>\$x\$"),
        (r"a\[b", r"a\\\[b"),
        ("`python -m pul resume 1`", "`python -m pul resume 1`"),
    ],
)
def test_plain(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize("page", ["", "clusters", "rounds", "map", "identities", "label"])
def test_pages__a_run_name_is_neither_html_nor_markdown(
    location: Path, people: Path, open_studio: Open, page: str
) -> None:
    fabricate(location, people, n_iterations=1, status="failed", name=NAME)
    studio = open_studio(page)
    assert not studio.exception
    assert not re.search(r"(?<!\\)<img src=x", text_of(studio))
    markdown = "\n".join(str(element.value) for element in studio.markdown)
    assert not re.search(r"(?<!\\)\]\(https://evil", markdown)


@pytest.mark.parametrize("path", sorted(COMPONENTS.rglob("*.js")), ids=lambda path: path.name)
def test_components__make_no_program_of_text(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"insertAdjacentHTML|outerHTML|document\.write|\beval\(|new Function", text
    )


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A workspace in which a run, an identity and a folder of images have a hostile name."""
    people = draw_people(tmp_path / NAME.replace("/", "_"), n_pids=12, n_images=8)
    location = tmp_path / "workspace"
    fabricate(location, people, n_iterations=1, status="finished", n_planned=1, name=NAME)
    with Workspace.open(location) as store:
        table = store.run_images(1, "train")
        for pid in (1, 2):
            images = table.image_ids[table.pids == pid].tolist()
            act = annotations.create(images, name=NAME)
            store.append_annotation_event(act.kind, act.payload, NAME)
    return location


@pytest.fixture
def studio(named: Path, tmp_path: Path) -> Iterator[str]:
    with serve(str(named), log=tmp_path / "studio.log") as address:
        yield address


@pytest.mark.browser
@pytest.mark.slow
def test_browser__a_hostile_name_runs_nothing_and_asks_nobody(studio: str, chromium: str) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if "evil.example" in request.url:
            asked.append(request.url)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        page.on("request", note)
        for name, sign in (
            ("identities", ".person"),
            ("label", ".pul-card, [data-card]"),
            ("rounds", ".pul-header"),
            ("workspace", ".pul-header"),
            ("map", ".scatter canvas"),
        ):
            _open(page, f"{studio}/{name}", sign)
            assert page.evaluate("window.hacked") is None, name
            assert page.locator("img[src='x']").count() == 0, name
        browser.close()
    assert asked == []


def _open(page: Page, address: str, sign: str) -> None:
    page.goto(address)
    expect(page.locator(sign).first).to_be_attached(timeout=TIMEOUT_MS)
