"""The studio as a separate process, for benchmarks in a browser."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, async_playwright
from playwright.sync_api import Page, sync_playwright

from benchmarks.provider import free_port, set_up

ROOT = Path(__file__).resolve().parents[1]
FLAGS = (
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)  # fmt: skip
CROWD_FLAGS = (*FLAGS, "--disable-gpu-compositing")  # without a GPU this halves the cost
VIEWPORT = {"width": 1440, "height": 900}


@dataclass(frozen=True)
class Studio:
    """A running studio.

    Attributes:
        address: Its address.
        pid: Its process id.
    """

    address: str
    pid: int


@contextmanager
def serve(
    workspace: str,
    *,
    provider: str = "",
    options: Sequence[str] = (),
    has_demo_run: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Studio]:
    """Run the studio on a free port.

    Args:
        workspace: What it shows; "" for what it shows by itself.
        provider: The OIDC provider that people must log in with; "" for none.
        options: More options of `python -m app`.
        has_demo_run: Whether the run of the demo is started.
        environment: More variables of its environment.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "app", *filter(None, [workspace]), "--port", str(port)]
    command += [*options, *([] if has_demo_run else ["--no-demo-run"])]
    with tempfile.TemporaryDirectory(prefix="studio-") as folder:
        variables = set_up(Path(folder), address, provider) if provider else dict(os.environ)
        variables["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        variables |= environment or {}
        server = subprocess.Popen(
            [*command, "--login"] if provider else command,
            cwd=folder,
            env=variables,
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait_for(address)
            yield Studio(address, server.pid)
        finally:
            server.terminate()
            server.wait()


@contextmanager
def open_page(chromium: str | None = None) -> Iterator[Page]:
    """Open an empty page in headless Chromium; by default the system's."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_path(chromium), args=list(FLAGS))
        try:
            yield browser.new_page(viewport=VIEWPORT)
        finally:
            browser.close()


@asynccontextmanager
async def open_browser(chromium: str | None = None) -> AsyncIterator[Browser]:
    """Start headless Chromium for many pages at once, with the cheapest rendering.

    Args:
        chromium: The browser; by default the system's headless shell, or else its Chromium.
    """
    async with async_playwright() as playwright:
        path = chromium or shutil.which("chromium-headless-shell") or _path(None)
        browser = await playwright.chromium.launch(executable_path=path, args=list(CROWD_FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


def _path(chromium: str | None) -> str | None:
    return chromium or shutil.which("chromium")


def _wait_for(address: str) -> None:
    for _ in range(3000):
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=5)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"The studio at {address} does not answer.")
