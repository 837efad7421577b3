"""The studio as a process, and a browser that looks at it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, Route, expect

ROOT = Path(__file__).parents[3]
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
TIMEOUT_MS = 45_000  # a shared machine may be slow; no test waits this long by design


@contextmanager
def serve(
    *arguments: str, log: Path, port: int = 0, base: str = "", **environment: str
) -> Iterator[str]:
    """Run `python -m app` on a port, a free one where 0, and yield its address without the base."""
    command = [sys.executable, "-m", "app", *arguments]
    everything = os.environ | environment
    with serve_command(command, ROOT, everything, log=log, port=port, base=base) as address:
        yield address


@contextmanager
def serve_command(
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    *,
    log: Path,
    port: int = 0,
    base: str = "",
) -> Iterator[str]:
    """Run a command that serves the studio in a folder, and yield its address."""
    port = port or free_port()
    with log.open("ab") as output:
        server = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=folder, env=environment, stdout=output, stderr=output,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_healthy(address, server, log, at=f"{base}/_stcore/health".lstrip("/"))
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(
    address: str, server: subprocess.Popen[bytes], log: Path, at: str = "_stcore/health"
) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{address}/{at}", timeout=5)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        else:
            return


def open_map(page: Page, address: str, query: str = "") -> None:
    """Open the map and wait until it is drawn and its pictures are there."""
    page.goto(f"{address}/map{query}")
    page.wait_for_selector(".scatter[data-ready]", timeout=TIMEOUT_MS)
    expect(page.locator(".pul-grid img").first).to_be_visible(timeout=TIMEOUT_MS)
    wait_for_pictures(page)


def wait_for_pictures(page: Page) -> None:
    """Wait until the pictures of the grid that are in sight have loaded."""
    page.wait_for_function(
        """() => {
            const box = document.querySelector(".pul-grid").getBoundingClientRect();
            const images = [...document.querySelectorAll(".pul-grid img")].filter(
                (image) => image.getBoundingClientRect().top < box.bottom);
            const isThere = (image) => image.complete && image.naturalWidth > 0;
            return images.length > 0 && images.every(isThere);
        }""",
        timeout=TIMEOUT_MS,
    )


def frames_of(page: Page) -> list[object]:
    """Return the list that all messages of the server will be in; for a page not yet open."""
    frames: list[object] = []
    page.on(
        "websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(frame))
    )
    return frames


def poll(page: Page, n: int) -> None:
    """Wait until the header has polled the status `n` times."""
    for _ in range(n):
        with page.expect_response(lambda answer: "/status/" in answer.url, timeout=TIMEOUT_MS):
            pass


def draw_anew(page: Page, frames: list[object]) -> None:
    """Let the line over the page hear that something moved, and wait until the page is drawn."""

    n = len(frames)

    def say_so(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | {"moved": f"test {n}"})

    until = time.monotonic() + TIMEOUT_MS / 1000
    page.route("**/status/*", say_so, times=1)
    while len(frames) < n + 3:  # start, what is drawn, and end
        assert time.monotonic() < until
        page.wait_for_timeout(20)


def drag(page: Page, points: list[tuple[float, float]]) -> None:
    """Press at the first of the map's points, move over the others, release at the last."""
    box = page.locator(".scatter canvas").bounding_box()
    assert box is not None
    places = [(box["x"] + x, box["y"] + y) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()


def hover(page: Page, point: Locator) -> None:
    """Move the pointer over a point until plotly shows its tooltip; the page may still grow."""
    for _ in range(TIMEOUT_MS // 200):
        box = point.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(200)
        if page.locator(".js-plotly-plot .hoverlayer > *").count():
            return
    raise AssertionError("There is no tooltip.")


def screen_of(page: Page, image: int) -> tuple[float, float]:
    """Return where on the map an image is, in pixels from its corner."""
    x, y = page.evaluate(f"document.querySelector('.scatter').scatter.screenOf({image})")
    return float(x), float(y)
