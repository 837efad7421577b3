"""People in front of the studio, a page and a coroutine each: some browse, some label."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from playwright.async_api import Error, Page
from playwright.async_api import TimeoutError as Late

from benchmarks.label_fifty import CARD, WATCH
from benchmarks.screen import MOVE_LAMBDA
from benchmarks.tally import Told

PATIENCE_MS = 60_000
LASSO_PX = 60
LEAST_ACTS = 5  # of everybody: who came late on a slow machine has seen something too
# A page is there when this is: each is on one page only.
SHOWN = {
    "Label": ".label[data-card]",
    "Map": ".scatter[data-ready]",
    "Identities": ".people-counts:not(:empty)",
    "Rounds": ".js-plotly-plot",
    "Experiments": "text=/No table of the paper has been run|Table or figure/",
    "Retrieval": ".queries button",
}
_TROUBLE = """() => {
  const kinds = ["stException", "stAlertContentError", "stDialog"];
  const boxes = kinds.flatMap((kind) => [...document.querySelectorAll(`[data-testid=${kind}]`)]);
  const found = boxes.filter((box) => box.checkVisibility());
  const state = document.querySelector("[data-testid=stApp]")?.dataset.testConnectionState;
  const lost = state === "CONNECTED" ? [] : [`connection: ${state}`];
  return [...found.map((box) => box.innerText), ...lost];
}"""
_N_PEOPLE = "document.querySelector('.label').label.data.identities.length"
_NOBODY_CHOSEN = ".pul-grid:not(:has(h6))"
_IS_DONE = "[data-testid=stApp][data-test-script-state=notRunning]"
_RELEASE_SLIDER = """() => {
  document.querySelector(".scatter").scatter.slider.dispatchEvent(new Event("change"));
}"""
_PLACE_OF_ANY = """(share) => {
  const { scatter } = document.querySelector(".scatter");
  const { left, top } = scatter.canvas.getBoundingClientRect();
  const [x, y] = scatter.screenOf(Math.floor(share * scatter.layout.n));
  return [left + x, top + y];
}"""
# Listens to the outbox: every act when it is put there, and when the server says that it is stored.
_LISTEN = """() => {
  const { label } = document.querySelector(".label");
  if (label.isHeard) return;
  label.isHeard = true;
  const { outbox } = label;
  const [put, acknowledge] = [outbox.put.bind(outbox), outbox.acknowledge.bind(outbox)];
  const hear = label.hear.bind(label);
  const begun = new Map();
  const refusals = new Map();
  outbox.put = (act) => {
    const started = performance.now();
    const token = put(act);
    begun.set(token, started);
    window.tellAct({ token, kind: act.kind, images: act.images ?? [] });
    return token;
  };
  outbox.acknowledge = (tokens) => {
    acknowledge(tokens);
    const open = new Set(outbox.commits.map(({ token }) => token));
    for (const [token, started] of [...begun].filter(([known]) => !open.has(known))) {
      begun.delete(token);
      window.tellAct({ token, seconds: (performance.now() - started) / 1000 });
    }
  };
  label.hear = (heard) => {
    hear(heard);
    for (const { token, text, is_refused: isRefused } of heard) {
      const refusal = isRefused && !text.startsWith("Not stored yet") ? text : ""; // it comes again
      if ((refusals.get(token) ?? "") === refusal) continue;
      refusals.set(token, refusal);
      window.tellAct({ token, refusal });
    }
  };
}"""


@dataclass
class Notes:
    """What all people saw.

    Attributes:
        since: Monotonic second from which on waits count: the end of the warm-up.
        waits: Seconds by kind of act.
        told: What pages said of acts, by token.
        troubles: What no page should have shown, and how often it did.
        n_acts: Acts of all kinds by all people.
    """

    since: float
    waits: dict[str, list[float]] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    troubles: Counter[str] = field(default_factory=Counter)
    n_acts: int = 0

    def wait(self, kind: str, seconds: float) -> None:
        if time.monotonic() >= self.since:
            self.waits.setdefault(kind, []).append(seconds)

    def hear(self, author: str, said: dict[str, Any]) -> None:
        """Take what the outbox of a page tells of one act."""
        token = said["token"]
        if "kind" in said:
            self.told[token] = Told(said["kind"], author, tuple(said["images"]))
        elif token in self.told and "seconds" in said:
            self.told[token].is_acknowledged = True
            self.wait("commit to acknowledgement", said["seconds"])
        elif token in self.told:
            self.told[token].refusal = said["refusal"]


class Person(ABC):
    """Somebody who does one thing after another, with pauses, on a page of their own.

    Attributes:
        name: What others call them.
        page: Their page.
        address: The studio with what comes behind the name of a page, such as `http://…/{}?run=1`.
        notes: Where they write down what they see.
        random: What they do next.
        think_s: Shortest and longest pause.
    """

    def __init__(
        self, name: str, page: Page, address: str, notes: Notes, seed: int,
        think_s: tuple[float, float],
    ) -> None:  # fmt: skip
        self.name, self.page, self.address, self.notes = name, page, address, notes
        self.random, self.think_s = Random(seed), think_s
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.complain(f"JavaScript: {error}"))
        page.on("crash", lambda _: self.complain("the page crashed"))

    async def live(self, begin: float, until: float) -> None:
        """Come at one monotonic second, and do things until another, a few at least."""
        await asyncio.sleep(max(0.0, begin - time.monotonic()))
        try:
            await self.arrive()
            n_done = 0
            while n_done < LEAST_ACTS or time.monotonic() < until:
                await asyncio.sleep(self.random.uniform(*self.think_s))
                await self._try()
                n_done += 1
            await self.leave()
        except Error as error:
            self.complain(f"{self.name} gave up: {_first_line(error)}")

    @abstractmethod
    async def arrive(self) -> None:
        """Open the first page."""

    @abstractmethod
    async def act(self) -> None:
        """Do one thing and wait for what comes of it."""

    async def leave(self) -> None:
        """Wait for what is still on its way."""
        await self.page.wait_for_selector(_IS_DONE)

    def complain(self, what: str) -> None:
        self.notes.troubles[what.strip()] += 1

    async def open(self, page: str) -> None:
        """Open a page, and open it anew where it does not come, as people do."""
        for is_last in (False, False, True):
            try:
                await self.page.goto(self.address.format(page.lower()))
                await self.page.wait_for_selector(SHOWN[page])
            except Late as error:
                self.complain(f"{page} did not open: {_first_line(error)}")
                if is_last:
                    raise
            else:
                return

    async def _try(self) -> None:
        self.notes.n_acts += 1
        try:
            await self.act()
        except Late as error:
            self.complain(f"no answer in {PATIENCE_MS // 1000} s: {_first_line(error)}")
        for text in await self.page.evaluate(_TROUBLE):
            self.complain(text)


def _first_line(error: Error) -> str:
    return str(error).strip().partition("\n")[0]


class Browsing(Person):
    """Goes from page to page and looks; changes nothing for others."""

    at = "Map"

    async def arrive(self) -> None:
        await self.open(self.at)

    async def act(self) -> None:
        here = {
            "Map": (self.move_lambda, self.move_lambda, self.click_cluster, self.draw_lasso),
            "Retrieval": (self.choose_query,),
        }
        act = self.random.choice((self.go, self.go, *here.get(self.at, ())))
        await self.page.wait_for_selector(_IS_DONE)
        await act()

    async def go(self) -> None:
        """Go to another page by the sidebar."""
        page = self.random.choice([name for name in SHOWN if name != self.at])
        started = time.perf_counter()
        await self.page.click(f"[data-testid=stSidebarNavLink][href*='/{page.lower()}']")
        self.at = page
        await self.page.wait_for_selector(SHOWN[page])
        self.notes.wait(f"page {page}", time.perf_counter() - started)

    async def move_lambda(self) -> None:
        value = self.random.randint(50, 95) / 100
        self.notes.wait("λ to counts", await self.page.evaluate(MOVE_LAMBDA, value))
        await self.page.evaluate(_RELEASE_SLIDER)

    async def click_cluster(self) -> None:
        await self._clear()
        place = await self.page.evaluate(_PLACE_OF_ANY, self.random.random())
        started = time.perf_counter()
        await self.page.mouse.click(*place)
        await self._see_chosen("cluster to pictures", started)

    async def draw_lasso(self) -> None:
        await self._clear()
        x, y = await self.page.evaluate(_PLACE_OF_ANY, self.random.random())
        mouse, r = self.page.mouse, LASSO_PX
        await mouse.move(x - r, y - r)
        await mouse.down()
        for across, down in ((r, -r), (r, r), (-r, r)):
            await mouse.move(x + across, y + down, steps=4)
        started = time.perf_counter()
        await mouse.up()
        await self._see_chosen("lasso to pictures", started)

    async def choose_query(self) -> None:
        queries = self.page.locator(".queries button")
        await queries.first.wait_for()  # another person's act may have drawn the page anew
        query = queries.nth(self.random.randrange(await queries.count()))
        url = await query.locator("img").get_attribute("src")
        started = time.perf_counter()
        await query.click()
        await self.page.wait_for_selector(f".pul-query[src='{url}']")
        self.notes.wait("query to ranked list", time.perf_counter() - started)

    async def _clear(self) -> None:
        await self.page.locator(".scatter canvas").scroll_into_view_if_needed()
        clear = self.page.locator(".scatter [data-clear]")
        if await clear.is_enabled():
            await clear.click()
        await self.page.wait_for_selector(_NOBODY_CHOSEN)

    async def _see_chosen(self, kind: str, started: float) -> None:
        await self.page.wait_for_selector(".pul-grid h6")  # the line over each chosen cluster
        self.notes.wait(kind, time.perf_counter() - started)


class Labelling(Person):
    """Labels one card after another by keys: not by the truth, each key has its turn."""

    async def arrive(self) -> None:
        await self.page.expose_function("tellAct", lambda said: self.notes.hear(self.name, said))
        await self.page.add_init_script(WATCH)
        await self.open("Label")
        await self.page.get_by_role("textbox", name="Your name").fill(self.name)
        await self.page.keyboard.press("Enter")
        await self.page.wait_for_function(
            "name => document.querySelector('.label').label.data.name === name", arg=self.name
        )
        await self.page.locator(".label-reason").click()  # out of the field, so that keys are ours

    async def act(self) -> None:
        await self.page.evaluate(_LISTEN)
        for wait in await self.page.evaluate("window.waits.splice(0)"):
            self.notes.wait("card to next card", wait["drawn"] / 1000)
            if "seen" in wait:
                self.notes.wait("card to its pictures", wait["seen"] / 1000)
        shown = await self.page.evaluate(CARD)
        if shown is None:  # every card is done, or the next one is on its way
            return
        if "pair" in shown:
            await self.page.keyboard.press(self.random.choice("yn?"))
            return
        if shown["candidates"] and self.random.random() < 0.5:
            await self.page.keyboard.press("1")
        await self._leave_card(shown["id"])

    async def leave(self) -> None:
        await self.page.wait_for_selector(".label[data-open='0']")

    async def _leave_card(self, card: str) -> None:
        keys = self.random.choices(("Enter", "a", "u", "x", "Space"), (70, 10, 5, 5, 10))[0]
        if keys == "a" and await self.page.evaluate(_N_PEOPLE):
            await self.page.keyboard.press("a")
            await self.page.wait_for_selector(".label-chooser input:focus")
            keys = "Enter"  # whoever looks most like this card
        await self.page.keyboard.press("Enter" if keys == "a" else keys)
        await self.page.wait_for_function(
            "card => document.querySelector('.label').dataset.card !== card", arg=card
        )
