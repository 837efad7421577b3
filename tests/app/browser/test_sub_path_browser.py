"""The studio below a path of another server, through a real nginx and a real browser."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, expect

from tests.app.browser.browsing import (
    ROOT,
    TIMEOUT_MS,
    free_port,
    open_map,
    poll,
    serve,
    wait_until_healthy,
)
from tests.app.browser.carding import open_card, press_for_next, wait_until_saved
from tests.app.fabricated import fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)

NAME = "lab.localhost"  # Chromium takes every name below localhost for this machine
SETTINGS = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        absolute_redirect off;
        location = /health {{ return 200; }}
        location / {{ return 404; }}
{location}
    }}
}}
"""


def location_of_the_page(*, is_kept: bool) -> str:
    """Return what docs/proxy.md says for nginx: a path that is kept, or taken off."""
    text = (ROOT / "docs/proxy.md").read_text(encoding="utf-8")
    kept, stripped = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
    return kept if is_kept else stripped


@contextmanager
def proxy(nginx: str, studio: str, path: str, folder: Path, *, is_kept: bool) -> Iterator[str]:
    """Serve a studio below a path of another name, and yield its address there."""
    folder.mkdir()
    location = location_of_the_page(is_kept=is_kept).replace("/pul/", f"{path}/")
    location = location.replace("http://127.0.0.1:8501", studio)
    port = free_port()
    settings = folder / "nginx.conf"
    settings.write_text(SETTINGS.format(folder=folder, port=port, location=location))
    with (folder / "log").open("wb") as log:
        command = [nginx, "-p", str(folder), "-c", str(settings), "-e", str(folder / "early.log")]
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", server, folder / "log", at="health")
        yield f"http://{NAME}:{port}{path}"
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture(scope="module")
def filled(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    location = tmp_path_factory.mktemp("filled") / "workspace"
    fabricate(location, people, n_iterations=2, status="finished", n_planned=2)
    return location


WAYS = {
    "taken off, as JupyterHub does": ("/user/ann/proxy/8733", False, [], {}),
    "kept, by the option": ("/pul", True, ["--base-path", "/pul"], {}),
    "kept, by Streamlit's own name": (
        "/lab/pul", True, [], {"STREAMLIT_SERVER_BASE_URL_PATH": "lab/pul"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=WAYS.values(), ids=WAYS)
def address(
    request: pytest.FixtureRequest,
    nginx: str,
    filled: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    path, is_kept, options, environment = request.param
    folder = tmp_path_factory.mktemp("proxy")
    arguments = [str(filled), "--allow-host", NAME, *options]
    base = path if is_kept else ""
    with (
        serve(*arguments, log=folder / "studio.log", base=base, **environment) as studio,
        proxy(nginx, studio, path, folder / "nginx", is_kept=is_kept) as address,
    ):
        yield address


def answers_of(page: Page) -> list[Response]:
    """Return the list that all answers to a page will be in."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    return answers


def check_answers(answers: list[Response], address: str, folders: set[str]) -> None:
    """Check that every answer came from below the path, and was one.

    Streamlit finds the path by trying: it asks below the page's own address first.
    """
    missed = [answer.url for answer in answers if answer.status >= 400]
    assert [url for url in missed if not re.search(r"/(label|map)/_stcore/", url)] == []
    ours = [a.url for a in answers if a.url.startswith("http")]
    assert [url for url in ours if not url.startswith(f"{address}/")] == []
    found = {url.removeprefix(address).split("/")[1] for url in ours}
    assert folders <= found


def wait_for_all_pictures(page: Page) -> int:
    """Wait until every picture of the page that is asked for at once is there; return how many."""
    handle = page.wait_for_function(
        """() => {
            const images = [...document.querySelectorAll("img")].filter(
                (image) => image.src && image.loading !== "lazy");
            const isThere = (image) => image.complete && image.naturalWidth > 0;
            return images.length > 0 && images.every(isThere) && images.length;
        }""",
        timeout=TIMEOUT_MS,
    )
    return int(handle.json_value())


def test_label__all_pictures_and_acts(page: Page, address: str) -> None:
    answers = answers_of(page)
    open_card(page, address)
    assert wait_for_all_pictures(page) >= 4
    press_for_next(page, "Enter")
    wait_until_saved(page)
    poll(page, 2)
    wait_for_all_pictures(page)
    check_answers(answers, address, {"thumbs", "status", "_stcore", "static"})


def test_map__all_pictures_and_links(page: Page, address: str) -> None:
    answers = answers_of(page)
    open_map(page, address)
    page.locator("[data-testid=stSidebarNav] a", has_text="Images").click()
    expect(page.locator(".pul-strip img").first).to_be_visible()
    page.wait_for_function(
        """() => [...document.querySelectorAll(".pul-strip img")].every(
            (image) => image.complete && image.naturalWidth > 0)""",
        timeout=TIMEOUT_MS,
    )
    page.locator(".pul-way a", has_text="Clusters").click()
    page.wait_for_selector(".scatter[data-ready]", timeout=TIMEOUT_MS)
    assert page.url.split("?")[0] == f"{address}/clusters"
    check_answers(answers, address, {"thumbs", "maps", "status", "_stcore"})


def test_rounds__a_download(page: Page, address: str) -> None:
    page.goto(f"{address}/rounds")
    page.get_by_role("button", name="⋯").click()
    with page.expect_download(timeout=TIMEOUT_MS) as download:
        page.get_by_role("button", name=re.compile("report", re.IGNORECASE)).click()
    assert download.value.url.startswith(f"{address}/media/")
    assert "<html" in download.value.path().read_text(encoding="utf-8")


def test_page__another_name_is_refused(page: Page, address: str) -> None:
    """The proxy opens no way round the check of names: only those of --allow-host are let in."""
    other = address.replace(NAME, "other.localhost")
    answer = page.goto(f"{other}/label")
    assert answer is not None
    assert answer.status == 421  # the page itself, before any WebSocket
    assert page.locator(".label").count() == 0
