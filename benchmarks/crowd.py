"""Simulated users of the studio, a page and a coroutine each, and what they observe."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from playwright.async_api import Error, Page
from playwright.async_api import TimeoutError as Late

from benchmarks.tally import ReportedAct

TIMEOUT_MS = 60_000
MIN_ACTS = 5  # of each person, also of those who arrive late on a slow machine
# A page is loaded when its selector matches; each is on one page only.
SHOWN = {
    "Label": ".label[data-card]",
    "Map": ".scatter[data-ready]",
    "Identities": ".people-counts:not(:empty)",
    "Train": ".js-plotly-plot",
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
IS_DONE = "[data-testid=stApp][data-test-script-state=notRunning]"


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
        await self._insist("the log-in", self._log_in)

    async def _log_in(self) -> None:
        await self.page.goto(self.address.format("label"))
        await self.page.get_by_role("button", name="Log in").click()
        await self.page.locator(f"button[name=sub][value='{self.name}']").click()
        await self.page.get_by_text("Logged in as").wait_for()

    @abstractmethod
    async def arrive(self) -> None:
        """Open the first page."""

    @abstractmethod
    async def act(self) -> None:
        """Do one thing and wait for its result."""

    async def leave(self) -> None:
        """Wait for pending work."""
        await self.page.wait_for_selector(IS_DONE)

    def complain(self, what: str) -> None:
        self.notes.troubles[what.strip()] += 1

    async def open(self, page: str) -> None:
        """Open a page."""

        async def go() -> None:
            await self.page.goto(self.address.format(page.lower()))
            await self.page.wait_for_selector(SHOWN[page])

        await self._insist(page, go)

    async def _insist(self, what: str, go: Callable[[], Awaitable[None]]) -> None:
        """Go somewhere, and begin again if it does not appear, as people do."""
        for is_last in (False, False, True):
            try:
                await go()
            except Late as error:
                self.complain(f"{what} did not open: {_first_line(error)}")
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
