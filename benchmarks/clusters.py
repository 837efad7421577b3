"""The Clusters page in a scripted headless Chromium: open, sort, filter, λ, scroll.

Seconds are what a person waits, from the input to the drawn result; of the scroll it is the longest
time between two frames. `main thread` is the processor time that the page's own thread took, all
frames of a scroll together; `elements` is how many items of the grid are in the page. The workspace
is synthetic.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
from playwright.sync_api import Page

from benchmarks.market_size import make_workspace
from benchmarks.measure import Case, Contender, Figures
from benchmarks.studio import Studio, open_page, serve

SIZES = {
    "small": (600, 64, 40),
    "paper": (12_936, 1280, 750),
    "large": (50_000, 128, 5000),
}
TIMEOUT_MS = 180_000
N_FRAMES = 60
_READY = """() => {
    const root = document.querySelector(".clusters[data-ready]:not([data-ready=''])");
    const clusters = root?.mounted;
    const picture = document.querySelector(".clusters-item img");
    return clusters?.items?.length && picture?.complete && picture.naturalWidth > 0;
}"""
_DOUBTS = "document.querySelector('.clusters')?.dataset.doubts"
# Each answers the seconds until the second frame after an input: what it changed is drawn then.
_DRAWN = """
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return (performance.now() - started) / 1000;
"""
_CHOOSE = f"""async ([field, value]) => {{
    const box = document.querySelector(`.clusters [data-field="${{field}}"]`);
    const started = performance.now();
    box.value = value;
    box.dispatchEvent(new Event("change", {{ bubbles: true }}));
    {_DRAWN}
}}"""
_PRESS = f"""async (selector) => {{
    const button = document.querySelector(selector);
    const started = performance.now();
    button.click();
    {_DRAWN}
}}"""
_MOVE_LAMBDA = f"""async (value) => {{
    const slider = document.querySelector(".clusters-lambda input");
    const started = performance.now();
    slider.value = value;
    slider.dispatchEvent(new Event("input", {{ bubbles: true }}));
    {_DRAWN}
}}"""
# What the cases before have left: a scrolled grid, and an open cluster.
_PUT_BACK = """async () => {
    document.querySelector(".clusters-opened [data-act=close]")?.click();
    document.querySelector(".clusters-scroller").scrollTop = 0;
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
}"""
_SCROLL = """async ([step, n]) => {
    const scroller = document.querySelector(".clusters-scroller");
    scroller.scrollTop = 0;
    await new Promise(requestAnimationFrame);
    let longest = 0;
    let last = performance.now();
    for (let frame = 0; frame < n; frame += 1) {
        scroller.scrollTop += step;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
    }
    return longest / 1000;
}"""


def cases(size: str) -> Iterator[Case]:
    """Yield the cases while the studio and a browser run; both end with the last one."""
    n_images, n_dims, n_clusters = SIZES[size]
    of = f"{n_clusters:,} clusters of {n_images:,} images"
    with tempfile.TemporaryDirectory() as folder:
        workspace = str(make_workspace(Path(folder) / "made", n_images, n_dims, n_clusters))
        with serve(workspace) as studio, open_page() as page:
            grid = _Grid(page, studio)
            grid.open(0)  # so that the server and the browser are warm
            page.wait_for_function(f"{_DOUBTS} === 'known'", timeout=TIMEOUT_MS)
            yield grid.case(f"open, warm, {of}", grid.open, "<= 1 s")
            yield grid.case(f"sort, {of}", grid.sort, "<= 0.3 s")
            yield grid.case(f"filter by camera, {of}", grid.filter, "<= 0.3 s")
            yield grid.case(f"λ slider to faces and map, {of}", grid.move_lambda, "<= 0.3 s")
            yield grid.case(f"longest frame of a slow scroll, {of}", grid.scroll, "<= 0.1 s")
            yield grid.case(f"longest frame of a fast scroll, {of}", grid.fling, "<= 0.1 s")
            yield grid.case(f"open a cluster, {of}", grid.open_cluster, "<= 0.3 s")
            yield grid.case(f"all {n_images:,} images as a list", grid.images, "<= 0.3 s")


class _Grid:
    """Actions on the Clusters page, each timed in the browser."""

    def __init__(self, page: Page, studio: Studio) -> None:
        self.page, self.studio = page, studio
        self.tools = page.context.new_cdp_session(page)
        self.tools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def case(self, title: str, act: Callable[[int], float], goal: str) -> Case:
        return Case(title, [Contender("ours", partial(self._timed, act), self._judge)], goal)

    def _timed(self, act: Callable[[int], float], repeat: int) -> tuple[float, float, float]:
        """Return the seconds that a person waited, and what studio and page computed."""
        process = psutil.Process(self.studio.pid)
        self.put_back()
        before, page_before = process.cpu_times(), self._page_seconds()
        seconds = act(repeat)
        after, page_after = process.cpu_times(), self._page_seconds()
        used = round(after.user + after.system - before.user - before.system, 3)
        return seconds, used, max(0.0, page_after - page_before)

    def _page_seconds(self) -> float:
        metrics = self.tools.send("Performance.getMetrics")["metrics"]
        return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")

    def put_back(self) -> None:
        """Undo what the repeat before has left, unless the page is not there yet."""
        if self.page.locator(".clusters-scroller").count():
            self.page.evaluate(_PUT_BACK)

    def open(self, _repeat: int) -> float:
        self.page.goto("about:blank")
        started = time.perf_counter()
        self.page.goto(f"{self.studio.address}/clusters")
        self.page.wait_for_function(_READY, timeout=TIMEOUT_MS)
        return time.perf_counter() - started

    def sort(self, repeat: int) -> float:
        value = ("size", "cohesion", "cameras", "doubt")[repeat % 4]
        return float(self.page.evaluate(_CHOOSE, ["sort", value]))

    def filter(self, repeat: int) -> float:
        seconds = float(self.page.evaluate(_CHOOSE, ["camera", str(1 + repeat % 6)]))
        self.page.evaluate(_CHOOSE, ["camera", ""])
        return seconds

    def move_lambda(self, repeat: int) -> float:
        return float(self.page.evaluate(_MOVE_LAMBDA, 0.5 + 0.07 * (repeat % 5)))

    def scroll(self, _repeat: int) -> float:
        return float(self.page.evaluate(_SCROLL, [60, N_FRAMES]))

    def fling(self, _repeat: int) -> float:
        return float(self.page.evaluate(_SCROLL, [900, N_FRAMES]))

    def open_cluster(self, repeat: int) -> float:
        return float(self.page.evaluate(_PRESS, f".clusters-item[data-place='{repeat % 3}']"))

    def images(self, _repeat: int) -> float:
        seconds = float(self.page.evaluate(_PRESS, "[data-kind=images]"))
        self.page.evaluate(_PRESS, "[data-kind=clusters]")
        return seconds

    def _judge(self, waited: tuple[float, float, float]) -> Figures:
        process = psutil.Process(self.studio.pid)
        n_elements = self.page.locator(".clusters-item").count()
        memory = process.memory_info().rss
        return {
            "seconds": waited[0],
            "cpu_seconds": waited[1],
            "peak_bytes": memory,
            "main thread": waited[2],
            "elements": float(n_elements),
        }
