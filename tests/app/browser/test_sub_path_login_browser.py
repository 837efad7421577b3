"""OIDC login below a path of another server: a real provider, nginx and browser."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.app.browser.browsing import (
    ROOT,
    TIMEOUT_MS,
    free_port,
    serve_command,
    wait_until_healthy,
)
from tests.app.browser.carding import open_card, press_for_next, wait_until_saved
from tests.app.browser.test_sub_path_browser import NAME, proxy, wait_for_all_pictures
from tests.app.fabricated import fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)

PATH = "/lab/pul"
SECRETS = """
[auth]
redirect_uri = "{address}/oauth2callback"
cookie_secret = "a long random text of a test, 0123456789"
client_id = "studio"
client_secret = "secret"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A provider that knows Ann, whose address it confirms, and Bo, who may not come in."""
    port = free_port()
    claims = [
        {"sub": "ann", "email": "ann@lab.example", "email_verified": True, "name": "Ann"},
        {"sub": "bo", "email": "bo@elsewhere.example", "email_verified": True},
    ]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    for each in claims:
        command += ["--user-claims", json.dumps(each)]
    log = tmp_path_factory.mktemp("provider") / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_healthy(address, server, log, at=".well-known/openid-configuration")
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture(scope="module")
def address(
    nginx: str, provider: str, people: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("studio")
    fabricate(folder / "w", people, n_iterations=2, status="finished", n_planned=2)
    (folder / ".streamlit").mkdir()
    command = [sys.executable, "-m", "app", str(folder / "w"), "--allow-host", NAME]
    command += ["--base-path", PATH, "--login"]
    environment = {"PYTHONPATH": str(ROOT), "PUL_STUDIO_USERS": "@lab.example"}
    # nginx is there first, as the redirect must name its port.
    port = free_port()
    with proxy(nginx, f"http://127.0.0.1:{port}", PATH, folder / "nginx", is_kept=True) as address:
        secrets = SECRETS.format(address=address, provider=provider)
        (folder / ".streamlit" / "secrets.toml").write_text(secrets)
        with serve_command(
            command, folder, os.environ | environment, log=folder / "log", port=port, base=PATH
        ):
            yield address


def log_in(page: Page, address: str, who: str) -> None:
    page.goto(f"{address}/label")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name=who, exact=True).click()


def test_login__leads_back_below_the_path_and_opens_pictures(page: Page, address: str) -> None:
    log_in(page, address, "ann")
    page.wait_for_url(re.compile(rf"^{re.escape(address)}/"))
    open_card(page, address)
    assert wait_for_all_pictures(page) >= 4
    press_for_next(page, "Enter")
    wait_until_saved(page)
    cookies = {c["name"]: c for c in page.context.cookies() if c["domain"] == NAME}
    signed = [c for name, c in cookies.items() if name.startswith("_streamlit_user")]
    assert signed
    assert {cookie["path"] for cookie in signed} == {PATH}
    picture = page.locator("img[src*=thumbs]").first.evaluate("image => image.src")
    page.context.clear_cookies()
    status = page.evaluate("url => fetch(url, {cache: 'no-store'}).then(a => a.status)", picture)
    assert status == 401  # the address alone shows nobody


def test_login__somebody_who_is_not_on_the_list_is_told(page: Page, address: str) -> None:
    log_in(page, address, "bo")
    expect(page.get_by_text("not on the list of users with access")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="End session").click()  # the provider asks, too
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert page.url.startswith(f"{address}/")
