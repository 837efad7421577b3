"""Simulated users of the studio, a page and a coroutine each: some browse, some label."""

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
from benchmarks.tally import ReportedAct

TIMEOUT_MS = 60_000
LASSO_PX = 60
MIN_ACTS = 5  # of each person, also of those who arrive late on a slow machine
# A page is loaded when its selector matches; each is on one page only.
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
# Reports every act when it is put into the outbox, and when the server acknowledges it.
_LISTEN = """() => {
  const { label } = document.querySelector(".label");
  if (label.isReported) return;
  label.isReported = true;
  const { outbox } = label;
  const [put, acknowledge] = [outbox.put.bind(outbox), outbox.acknowledge.bind(outbox)];
  const hear = label.hear.bind(label);
  const started = new Map();
  const refusals = new Map();
  outbox.put = (act) => {
    const now = performance.now();
    const token = put(act);
    started.set(token, now);
    window.reportAct({ token, kind: act.kind, images: act.images ?? [] });
    return token;
  };
  outbox.acknowledge = (tokens) => {
    acknowledge(tokens);
    const open = new Set(outbox.commits.map(({ token }) => token));
    for (const [token, at] of [...started].filter(([known]) => !open.has(known))) {
      started.delete(token);
      window.reportAct({ token, seconds: (performance.now() - at) / 1000 });
    }
  };
  label.hear = (heard) => {
    hear(heard);
    for (const { token, text, is_refused: isRefused } of heard) {
      // "Not stored yet": the act will be sent again.
      const refusal = isRefused && !text.startsWith("Not stored yet") ? text : "";
      if ((refusals.get(token) ?? "") === refusal) continue;
      refusals.set(token, refusal);
      window.reportAct({ token, refusal });
    }
  };
}"""


@dataclass
class Notes:
    """What all people observed.

    Attributes:
        since: Monotonic second from which on waits count: the end of the warm-up.
        waits: Seconds by kind of action.
        reported: Acts as pages reported them, by token.
        troubles: Errors that pages showed, and how often.
        n_acts: Acts of all kinds by all people.
    """

    since: float
    waits: dict[str, list[float]] = field(default_factory=dict)
    reported: dict[str, ReportedAct] = field(default_factory=dict)
    troubles: Counter[str] = field(default_factory=Counter)
    n_acts: int = 0

    def wait(self, kind: str, seconds: float) -> None:
        if time.monotonic() >= self.since:
            self.waits.setdefault(kind, []).append(seconds)

    def record_act(self, author: str, report: dict[str, Any]) -> None:
        """Record what the outbox of a page reports about one act."""
        token = report["token"]
        if "kind" in report:
            self.reported[token] = ReportedAct(report["kind"], author, tuple(report["images"]))
        elif token in self.reported and "seconds" in report:
            self.reported[token].is_acknowledged = True
            self.wait("commit to acknowledgement", report["seconds"])
        elif token in self.reported:
            self.reported[token].refusal = report["refusal"]


class Person(ABC):
    """A simulated user who acts with pauses on a page of their own.

    Attributes:
        name: Their name.
        page: Their page.
        address: Address with a place for the name of a page, such as `http://…/{}?run=1`.
        notes: Where observations are recorded.
        random: Source of random choices.
        think_s: Shortest and longest pause.
        has_account: Whether they log in first, at the provider under their name.
    """

    def __init__(
        self, name: str, page: Page, address: str, notes: Notes, seed: int,
        think_s: tuple[float, float], *, has_account: bool = False,
    ) -> None:  # fmt: skip
        self.name, self.page, self.address, self.notes = name, page, address, notes
        self.random, self.think_s = Random(seed), think_s
        self.has_account = has_account
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", lambda error: self.complain(f"JavaScript: {error}"))
        page.on("crash", lambda _: self.complain("the page crashed"))

    async def live(self, begin: float, until: float) -> None:
        """Arrive at one monotonic second, and act until another, at least `MIN_ACTS` times."""
        await asyncio.sleep(max(0.0, begin - time.monotonic()))
        try:
            if self.has_account:
                await self.log_in()
            await self.arrive()
            n_done = 0
            while n_done < MIN_ACTS or time.monotonic() < until:
                await asyncio.sleep(self.random.uniform(*self.think_s))
                await self._try()
                n_done += 1
            await self.leave()
        except Error as error:
            self.complain(f"{self.name} gave up: {_first_line(error)}")

    async def log_in(self) -> None:
        """Log in with the account at the provider."""
        started = time.perf_counter()
        await self.page.goto(self.address.format("label"))
        await self.page.get_by_role("button", name="Log in").click()
        await self.page.locator(f"button[name=sub][value='{self.name}']").click()
        await self.page.get_by_text("Logged in as").wait_for()
        self.notes.wait("log-in", time.perf_counter() - started)

    @abstractmethod
    async def arrive(self) -> None:
        """Open the first page."""

    @abstractmethod
    async def act(self) -> None:
        """Do one thing and wait for its result."""

    async def leave(self) -> None:
        """Wait for pending work."""
        await self.page.wait_for_selector(_IS_DONE)

    def complain(self, what: str) -> None:
        self.notes.troubles[what.strip()] += 1

    async def open(self, page: str) -> None:
        """Open a page, and reload it if it does not appear, as people do."""
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
            self.complain(f"no answer in {TIMEOUT_MS // 1000} s: {_first_line(error)}")
        for text in await self.page.evaluate(_TROUBLE):
            self.complain(text)


def _first_line(error: Error) -> str:
    return str(error).strip().partition("\n")[0]


class Browsing(Person):
    """Goes from page to page without changing anything."""

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
        await queries.first.wait_for()  # another person's act may have caused a rerun
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
        await self.page.wait_for_selector(".pul-grid h6")  # the heading of each selected cluster
        self.notes.wait(kind, time.perf_counter() - started)


class Labelling(Person):
    """Labels one card after another with random keys, without ground truth."""

    async def arrive(self) -> None:
        await self.page.expose_function(
            "reportAct", lambda report: self.notes.record_act(self.name, report)
        )
        await self.page.add_init_script(WATCH)
        await self.open("Label")
        if not self.has_account:
            await self.page.get_by_role("textbox", name="Your name").fill(self.name)
            await self.page.keyboard.press("Enter")
            await self.page.wait_for_function(
                "name => document.querySelector('.label').label.data.name === name", arg=self.name
            )
        await self.page.locator(
            ".label-reason"
        ).click()  # leave the text field, so that the card gets the keys

    async def act(self) -> None:
        await self.page.evaluate(_LISTEN)
        for wait in await self.page.evaluate("window.waits.splice(0)"):
            self.notes.wait("card to next card", wait["drawn"] / 1000)
            if "seen" in wait:
                self.notes.wait("card to its pictures", wait["seen"] / 1000)
        shown = await self.page.evaluate(CARD)
        if shown is None:  # every card is done, or the next one is loading
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
            keys = "Enter"  # the most similar identity
        await self.page.keyboard.press("Enter" if keys == "a" else keys)
        await self.page.wait_for_function(
            "card => document.querySelector('.label').dataset.card !== card", arg=card
        )
