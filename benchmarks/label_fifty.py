"""A scripted person labels identities in a real browser, at human pace: time, actions, quality.

    python -m benchmarks.label_fifty WORKSPACE [--people 50] [--pace 1.0] [--patience 0]

It presses real keys and clicks real tiles of the studio in headless Chromium; ground truth decides.
The labels stay in the workspace, so use a copy. Durations are those of the keystroke-level
model: 1.35 s to look, 1.1 s to point at something and click, 0.2 s a key, Shift too.
`--pace 0` does not wait and only sums the seconds.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from playwright.sync_api import Page

from benchmarks.studio import open_page, serve
from pul.labelling.annotations import fold
from pul.labelling.effort import KEY_S, N_KEYS, POINT_S, VIEW_S
from pul.labelling.label_quality import measure
from pul.labelling.oracle import plan_joins
from pul.store.workspace import Workspace

TIMEOUT_MS = 60_000
# Records when a key is pressed, when the next card is drawn, and when its pictures have loaded.
WATCH = """
window.waits = [];
addEventListener("keydown", () => { window.pressed = performance.now(); }, true);
const watch = () => {
  const root = document.querySelector(".label");
  if (!root) { requestAnimationFrame(watch); return; }
  new MutationObserver(() => {
    if (!root.dataset.card || root.dataset.card === window.card) return;
    const isFirst = !window.card;
    window.card = root.dataset.card;
    if (isFirst) return;
    const wait = { drawn: performance.now() - window.pressed };
    const pressed = window.pressed;
    window.waits.push(wait);
    const look = () => {
      const pictures = [...root.querySelectorAll(".label-tiles img")];
      if (pictures.every((picture) => picture.complete)) wait.seen = performance.now() - pressed;
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }).observe(root, { attributes: true, attributeFilter: ["data-card"] });
};
watch();
"""
CARD = """() => {
  const label = document.querySelector(".label").mounted;
  const { work } = label;
  const tile = ({ image, tracklet, isChosen }) => ({ image, tracklet, isChosen });
  return label.pair
    ? { pair: [label.pair.left, label.pair.right].map(({ tiles }) => tiles.map(tile)) }
    : work && {
      id: work.card.id,
      tiles: work.allTiles.map((each) => ({ ...tile(each), isIn: !work.dropped.has(each.image) })),
      candidates: label.shown.map(({ tiles }) => tiles.map(tile)),
      nJoined: label.shown.filter((each) => label.work.accepted.includes(each)).length,
      likest: label.names.get(work.card.nearest[0])?.name ?? "",
    };
}"""


@dataclass
class Person:
    """Looks, points and presses at human pace.

    Attributes:
        page: The page.
        pace: Share of the modelled time that passes at least, in [0, 1]: it waits for what is left.
        n_actions: Clicks and keys.
        modelled_s: Modelled time.
    """

    page: Page
    pace: float
    n_actions: int = 0
    modelled_s: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    _due: float = 0.0

    def begin(self) -> None:
        """Begin with something new: what took longer before is not made up for."""
        self._due = time.perf_counter()

    def view(self) -> None:
        self._spend(VIEW_S)

    def press(self, key: str) -> None:
        self._spend(KEY_S * len(key.split("+")))
        self._count(key)
        self.page.keyboard.press(key)

    def click(self, selector: str, *, shift: bool = False) -> None:
        self._spend(POINT_S + KEY_S * shift)
        self._count("click")
        held: list[Literal["Shift"]] = ["Shift"] if shift else []
        self.page.locator(selector).click(position={"x": 8, "y": 60}, modifiers=held)

    def join(self, place: int, *, is_last: bool = False, is_whole: bool = False) -> None:
        """Add a candidate of the row; with Shift all up to it, which finishes the row."""
        if is_whole:
            self.press("Shift+Digit0")
        elif place >= N_KEYS:
            self.click(f"[data-candidate='{place}']", shift=is_last)
        else:
            self.press(f"Shift+Digit{place + 1}" if is_last else str(place + 1))

    def _count(self, kind: str) -> None:
        self.n_actions += 1
        self.kinds[kind] += 1

    def _spend(self, seconds: float) -> None:
        self.modelled_s += seconds
        self._due += seconds * self.pace  # what the browser took itself counts too
        time.sleep(max(0.0, self._due - time.perf_counter()))


@dataclass
class Labeller:
    """Decides from ground truth what to do with a card.

    Attributes:
        person: Performs the actions.
        truth: Image → pid.
        made: Pid → name of its identity.
        patience: How many rows without the person to replace, one after another.
    """

    person: Person
    truth: dict[int, int]
    made: dict[int, str] = field(default_factory=dict)
    patience: int = 1

    def step(self) -> bool:
        """Handle what is on the screen; False if nothing is."""
        shown = self._shown()
        if shown is None:
            return False
        self.person.begin()
        self.person.view()
        if "pair" in shown:
            self._answer(shown["pair"])
        else:
            self._card(shown)
        return True

    def _card(self, card: dict[str, Any]) -> None:
        pid = self._majority([tile for tile in card["tiles"] if tile["isChosen"]])
        if pid is None:
            self._leave("Space", card["id"])
            return
        self._sort_out(pid)
        if pid in self.made:
            self._take_out(pid)
            if card["likest"] == f"ID_{self.made[pid]}":
                self._leave("Shift+A", card["id"])
                return
            self.person.press("a")
            for key in self.made[pid]:
                self.person.press(key)
            self._leave("Enter", card["id"])
            return
        self._join_more(pid)
        self._leave("Enter", card["id"])
        self.made[pid] = f"{len(self.made) + 1:03d}"

    def _sort_out(self, pid: int) -> None:
        """Click tracklets that are wrongly chosen or wrongly dropped, and have no number."""
        clicked: set[tuple[int, bool]] = set()
        shown = self._shown()
        numbered = shown["candidates"][: min(shown["nJoined"], N_KEYS)]
        strangers = [tiles for tiles in numbered if self._majority(tiles) != pid]
        left = {tile["image"] for tiles in strangers for tile in tiles}
        tiles = shown["tiles"]
        for tile in tiles:
            unit = (tile["tracklet"], tile["isChosen"])
            if unit in clicked or tile["image"] in left:
                continue
            clicked.add(unit)
            own = [x for x in tiles if (x["tracklet"], x["isChosen"]) == unit]
            if (self._majority(own) == pid) != tile["isIn"]:
                self.person.click(f".label-tiles [data-image='{tile['image']}']")

    def _take_out(self, pid: int) -> None:
        """Take out strangers who were joined beforehand, by their numbers."""
        shown = self._shown()
        for place, tiles in enumerate(shown["candidates"][: min(shown["nJoined"], N_KEYS)]):
            if self._majority(tiles) != pid:
                self.person.join(place)

    def _join_more(self, pid: int) -> None:
        patience = self.patience
        while row := (shown := self._shown())["candidates"]:
            self.person.view()
            n_joined = shown["nJoined"]
            mine = [self._majority(tiles) == pid for tiles in row]
            singly, last = plan_joins(mine, n_joined)
            for place in singly:
                self.person.join(place)
            is_more = any(mine[n_joined:])
            patience = self.patience + 1 if is_more else patience
            if not patience:
                return
            patience -= 1
            if last is not None:
                self.person.join(last, is_last=True, is_whole=last == len(row) - 1)
            else:
                self.person.press("0")
            if is_more:
                self._sort_out(pid)

    def _answer(self, sides: list[list[dict[str, Any]]]) -> None:
        left, right = (self._majority(side) for side in sides)
        self.person.press("y" if left is not None and left == right else "n")

    def _leave(self, key: str, card: str) -> None:
        self.person.press(key)
        self.person.page.wait_for_function(
            "(card) => document.querySelector('.label').dataset.card !== card",
            arg=card,
            timeout=TIMEOUT_MS,
        )

    def _shown(self) -> Any:
        page = self.person.page
        page.wait_for_selector(".label:not([data-card=''])", timeout=TIMEOUT_MS)
        return page.evaluate(CARD)

    def _majority(self, tiles: Sequence[dict[str, Any]]) -> int | None:
        pids = Counter(self.truth.get(tile["image"], -1) for tile in tiles)
        pid, n = max(sorted(pids.items()), key=lambda item: item[1], default=(-1, 0))
        return pid if pid > 0 and 2 * n > len(tiles) else None


def main(arguments: Sequence[str] | None = None) -> None:
    """Label, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workspace")
    parser.add_argument("--people", type=int, default=50, help="identities to label")
    parser.add_argument("--pace", type=float, default=1.0, help="share of the time really waited")
    parser.add_argument(
        "--patience", type=int, default=0, help="rows without the person to replace"
    )
    parser.add_argument("--chromium", help="the browser; the system's if not given")
    options = parser.parse_args(arguments)
    with Workspace.open(options.workspace) as workspace:
        table = workspace.run_images(workspace.runs()[-1].run_id, "train")
    truth = {
        image: pid
        for image, pid in zip(table.image_ids.tolist(), table.pids.tolist(), strict=True)
        if pid > 0
    }
    with serve(options.workspace) as studio, open_page(options.chromium) as page:
        page.add_init_script(WATCH)
        page.goto(f"{studio.address}/label")
        page.wait_for_selector(".label:not([data-card=''])", timeout=TIMEOUT_MS)
        labeller = Labeller(Person(page, options.pace), truth, patience=options.patience)
        started = time.perf_counter()
        while len(labeller.made) < options.people and labeller.step():
            print(f"\r{len(labeller.made)}/{options.people}", end="", flush=True)
        wall_s = time.perf_counter() - started
        page.wait_for_selector(".label[data-open='0']", timeout=TIMEOUT_MS)
        waits = page.evaluate("window.waits")
    report(options.workspace, labeller, wall_s, waits, table.image_ids)


def report(
    location: str, labeller: Labeller, wall_s: float, waits: list[dict[str, float]], images: Any
) -> None:
    """Print the figures."""
    with Workspace.open(location) as workspace:
        state = fold(workspace.annotation_events())
    quality = measure(state, labeller.truth, images)
    person, n = labeller.person, max(1, len(labeller.made))
    drawn = np.array([wait["drawn"] for wait in waits])
    seen = np.array([wait.get("seen", np.nan) for wait in waits])
    print(f"\nidentities            {len(state.identities)}")
    print(f"images                {sum(known.n_images for known in quality)}")
    print(f"time                  {wall_s:.0f} s on the clock, {person.modelled_s:.0f} s modelled")
    print(f"seconds an identity   {person.modelled_s / n:.1f} modelled, {wall_s / n:.1f} clock")
    print(f"actions an identity   {person.n_actions / n:.1f}  {dict(person.kinds.most_common(8))}")
    for name, values in (("card drawn", drawn), ("all pictures", seen)):
        median, late = np.nanmedian(values), np.nanpercentile(values, 95)
        print(f"wait, {name:<14}  median {median:.0f} ms, p95 {late:.0f} ms, n {len(values)}")
    print(f"precision             {100 * np.mean([known.precision for known in quality]):.1f} %")
    print(f"recall                {100 * np.mean([known.recall for known in quality]):.1f} %")


if __name__ == "__main__":
    main()
