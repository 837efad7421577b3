"""The first visit, driven in a real browser by keys alone and by the mouse alone: acts and waits.

    python -m benchmarks.first_path [--data crops|demo] [--way keys|mouse] [--pictures FOLDER]

From the welcome over one's own folder (200 drawn crops without a word about people or cameras, or
the demo), the clusters, 12 people labelled and a training with them to the verdict and the model.
It prints a table of what a visitor does and how long he waits; docs/results.md holds one. Cards
are labelled as they are: what is measured is the way, not the labels.
"""

import argparse
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from benchmarks.studio import open_page, serve

N_CROPS, N_PEOPLE = 200, 12
TIMEOUT_MS = 1_200_000  # a training on a busy machine
CARD_MS = 120_000
SETTLED_MS = 3000
MOST_TABS = 150
_FOCUSED = (
    "element => element === document.activeElement || element.contains(document.activeElement)"
)
_IS_SKIPPED_TO = """element => document.activeElement === document.body
    && element.closest(".st-key-content") !== null"""


@dataclass
class Step:
    """What one step took.

    Attributes:
        name: What is done.
        n_clicks, n_keys: What the visitor did.
        waited_s: Seconds until what was asked for was there, over all that he waited for.
    """

    name: str
    n_clicks: int = 0
    n_keys: int = 0
    waited_s: float = 0.0


@dataclass
class Visitor:
    """Somebody who uses the mouse alone, or keys alone."""

    page: Page
    way: str
    pictures: Path | None = None
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what follows as a step; keep a picture of how it ended."""
        self.steps.append(Step(name))
        yield
        if self.pictures is not None:
            name = re.sub(r"\W+", "-", f"{self.way} {len(self.steps)} {name}")
            self.page.screenshot(path=self.pictures / f"{name}.png", full_page=True)

    def press(self, target: Locator) -> None:
        """Press a button, a link or a tab."""
        expect(target).to_be_visible(timeout=TIMEOUT_MS)
        expect(target).to_be_enabled(timeout=TIMEOUT_MS)
        if self.way == "mouse":
            self.click(target)
        else:
            self.tab_to(target)
            self.key("Enter")

    def click(self, target: Locator) -> None:
        self.steps[-1].n_clicks += 1
        target.click(timeout=TIMEOUT_MS)

    def key(self, name: str) -> None:
        self.steps[-1].n_keys += 1
        self.page.keyboard.press(name)

    def tab_to(self, target: Locator) -> None:
        """Press Tab until a target has the focus; on a page just opened, skip to its content.

        Raises:
            LookupError: Tab never comes there.
        """
        if target.evaluate(_IS_SKIPPED_TO):
            self.key("Tab")
            self.key("Enter")
        for _ in range(MOST_TABS):
            if target.evaluate(_FOCUSED):
                return
            self.key("Tab")
        raise LookupError(f"Tab does not lead to {target}.")

    def choose(self, box: Locator, option: str) -> None:
        """Choose one of the options of a list."""
        expect(box).to_be_visible(timeout=TIMEOUT_MS)
        if self.way == "mouse":
            self.click(box)
            self.click(self.page.get_by_role("option", name=option, exact=True))
            return
        self.tab_to(box)
        for letter in option:
            self.key(letter)
        self.key("Enter")

    def choose_tab(self, name: str) -> None:
        """Open one of several tabs; arrow keys go from one to the next."""
        tab = self.page.get_by_role("tab", name=name)
        if self.way == "mouse":
            self.click(tab)
            return
        self.tab_to(self.page.get_by_role("tab").first)
        while not tab.evaluate(_FOCUSED):
            self.key("ArrowRight")
        self.key("Enter")

    def wait(self, is_there: Callable[[], object]) -> None:
        """Wait for something, and count how long."""
        started = time.perf_counter()
        is_there()
        self.steps[-1].waited_s += time.perf_counter() - started

    def wait_for(self, target: Locator) -> None:
        self.wait(lambda: expect(target.first).to_be_visible(timeout=TIMEOUT_MS))

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name).first

    def go_to(self, page: str) -> None:
        """Go to the page of a step."""
        self.press(self.page.locator(f'.pul-way ol a[data-page="{page}"]'))


def visit_crops(visitor: Visitor, n_crops: int) -> None:
    """From one's own folder to clusters."""
    page = visitor.page
    with visitor.step("welcome: a workspace of one's own"):
        visitor.press(visitor.button("Add my images"))
        visitor.press(visitor.button("Create it"))
        visitor.wait_for(page.get_by_role("tab", name="Browse the server"))
    with visitor.step("own folder: browse, check, import"):
        visitor.choose_tab("Browse the server")
        visitor.choose(page.get_by_label("Open a folder"), "crops")
        visitor.wait_for(page.get_by_text(f"{n_crops} images directly here"))
        visitor.press(visitor.button("Check this folder"))
        visitor.wait_for(visitor.button(f"Import {n_crops} images"))
        visitor.press(visitor.button(f"Import {n_crops} images"))
        visitor.wait_for(visitor.button("Group without training"))
    with visitor.step("clusters"):
        visitor.press(visitor.button("Group without training"))
        visitor.wait_for(page.locator(".clusters-item img"))


def visit_demo(visitor: Visitor) -> None:
    """From the welcome to the clusters of the demo, whose run has begun by itself."""
    with visitor.step("welcome: the demo"):
        visitor.press(visitor.button("Try the demo"))
        visitor.wait_for(visitor.page.locator(".pul-way"))
    with visitor.step("clusters"):
        visitor.go_to("clusters")
        visitor.wait_for(visitor.page.locator(".clusters-item img"))


def label(visitor: Visitor, n_people: int) -> None:
    """Say of cards that they show one person each."""
    page = visitor.page
    with visitor.step(f"label {n_people} people"):
        visitor.go_to("label")
        visitor.wait_for(page.locator(".label[data-mode=card]:not([data-card=''])"))
        said = page.locator(".label-progress b")
        while int(said.inner_text()) < n_people:
            _answer(visitor)
        visitor.wait_for(page.locator(".label[data-open='0']"))
        expect(said).to_have_text(str(n_people))


def _answer(visitor: Visitor) -> None:
    """Make one person of a card; a question between cards is answered by: cannot tell."""
    page = visitor.page
    card = page.locator(".label").get_attribute("data-card")
    _say(visitor, "Enter", page.locator(".label-actions [data-act=create]"))
    visitor.wait(
        lambda: page.wait_for_function(
            """before => { const { card, mode } = document.querySelector(".label").dataset;
                return mode === "pair" || (mode === "card" && card && card !== before); }""",
            arg=card,
            timeout=CARD_MS,
        )
    )
    while page.locator(".label").get_attribute("data-mode") == "pair":
        _say(visitor, "?", page.locator("[data-answer=unsure]"))


def _say(visitor: Visitor, key: str, button: Locator) -> None:
    if visitor.way == "keys":
        visitor.key(key)
    else:
        visitor.click(button)


def train(visitor: Visitor) -> None:
    """Train with the labels, unless the run that goes on takes them up; read the verdict."""
    page = visitor.page
    finished = page.locator(".pul-header .finished")
    with visitor.step("train with them"):
        visitor.go_to("rounds")
        visitor.wait_for(finished)
        page.wait_for_timeout(SETTLED_MS)  # the page is drawn for the run that has ended
        offer = visitor.button("Train with them")
        if offer.count():
            visitor.press(offer)
            visitor.wait_for(page.locator(".pul-header .running"))
            visitor.wait_for(finished)
    with visitor.step("verdict"):
        visitor.wait_for(page.get_by_role("heading", level=2))


def download(visitor: Visitor) -> str:
    """Take the model, and return the name of its file."""
    page = visitor.page
    with visitor.step("download the model"):
        visitor.go_to("export")
        visitor.wait_for(visitor.button("Download the model"))
        with page.expect_download(timeout=TIMEOUT_MS) as given:
            visitor.press(visitor.button("Download the model"))
        visitor.wait(lambda: given.value.path())
    return given.value.suggested_filename


def run(
    data: str,
    way: str,
    folder: Path,
    pictures: Path | None = None,
    *,
    n_crops: int = N_CROPS,
    n_people: int = N_PEOPLE,
) -> tuple[list[Step], str]:
    """Visit the studio once, and return the steps and the name of the file that was taken.

    Args:
        data: `crops` or `demo`.
        way: `mouse` or `keys`.
        folder: An empty folder, but for the folder `crops`.
        pictures: Where a picture of each step is kept; None for none.
        n_crops: Images in the folder `crops`.
        n_people: People to label.
    """
    environment = {
        "PUL_DEMO": str(folder / "demo"),
        "PUL_STUDIO_STATE": str(folder / "state"),
        "OMP_NUM_THREADS": "1",
    }
    options = ("--browse-root", str(folder))
    started = serve(
        str(folder / "shop"), options=options, has_demo_run=True, environment=environment
    )
    with started as studio, open_page() as page:
        page.goto(studio.address)
        visitor = Visitor(page, way, pictures)
        if data == "crops":
            visit_crops(visitor, n_crops)
        else:
            visit_demo(visitor)
        label(visitor, n_people)
        train(visitor)
        return visitor.steps, download(visitor)


def draw_crops(folder: Path) -> None:
    """Draw people, and leave of them nothing but numbered files."""
    from pul.demo import make_demo

    demo = folder / "drawn"
    make_demo(demo)
    images = sorted((demo / "images" / "place-b" / "bounding_box_train").iterdir())[:N_CROPS]
    (folder / "crops").mkdir()
    for number, image in enumerate(images):
        shutil.copy(image, folder / "crops" / f"{number:04d}{image.suffix}")
    shutil.rmtree(demo)


def table(data: str, way: str, steps: Sequence[Step]) -> str:
    """Return the steps as a table of the document."""
    lines = [f"| {data}, {way} | clicks | keys | waited s |", "|---|---|---|---|"]
    total = Step("all")
    for step in steps:
        lines.append(f"| {step.name} | {step.n_clicks} | {step.n_keys} | {step.waited_s:.1f} |")
        total.n_clicks += step.n_clicks
        total.n_keys += step.n_keys
        total.waited_s += step.waited_s
    lines.append(f"| all | {total.n_clicks} | {total.n_keys} | {total.waited_s:.1f} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_path", description=__doc__)
    parser.add_argument("--data", choices=("crops", "demo"), action="append")
    parser.add_argument("--way", choices=("keys", "mouse"), action="append")
    parser.add_argument("--pictures", type=Path, help="where a picture of each step is kept")
    options = parser.parse_args(arguments)
    for data in options.data or ("crops", "demo"):
        for way in options.way or ("mouse", "keys"):
            with tempfile.TemporaryDirectory(prefix="first-path-") as place:
                if data == "crops":
                    draw_crops(Path(place))
                steps, name = run(data, way, Path(place), options.pictures)
            print(f"{table(data, way, steps)}\n\n{name} was downloaded.\n", flush=True)


if __name__ == "__main__":
    main()
