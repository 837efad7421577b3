"""Simulated users who look at pages without changing anything."""

import time

from benchmarks.crowd import IS_DONE, SHOWN, Person
from benchmarks.screen import MOVE_LAMBDA

LASSO_PX = 60
_NOBODY_CHOSEN = ".pul-grid:not(:has(h6))"
_RELEASE_SLIDER = """() => {
  document.querySelector(".scatter").scatter.slider.dispatchEvent(new Event("change"));
}"""
_PLACE_OF_ANY = """(share) => {
  const { scatter } = document.querySelector(".scatter");
  const { left, top } = scatter.canvas.getBoundingClientRect();
  const [x, y] = scatter.screenOf(Math.floor(share * scatter.layout.n));
  return [left + x, top + y];
}"""


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
        await self.page.wait_for_selector(IS_DONE)
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
