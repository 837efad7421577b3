"""No press is lost where the server is busy: Streamlit itself, as the studio sets it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.app.browser.browsing import ROOT, TIMEOUT_MS, free_port
from tests.app.conftest import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGE = """
import time
from pathlib import Path
import streamlit as st
from app.views.waiting import wait_in_background

def note(act):
    with Path({notes!r}).open("a") as notes:
        notes.write(act + "\\n")

@st.fragment
def steering():
    st.button("Poll", on_click=note, args=("poll",))
    st.button("Stop", on_click=note, args=("stop",))
    if st.session_state.get("drawn"):
        time.sleep(4)
    st.session_state.drawn = True

steering()
if st.button("Wait"):
    wait_in_background(lambda: time.sleep(15), "Waiting")
    note("waited")
st.button("Draw all", on_click=note, args=("all",))
st.caption("drawn")
"""
SERVE = """
import sys, streamlit
from app.__main__ import server_config
streamlit.App(sys.argv[1]).run(config=server_config("127.0.0.1", int(sys.argv[2])))
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    script, port = tmp_path / "page.py", free_port()
    script.write_text(PAGE.format(notes=str(tmp_path / "notes")), encoding="utf-8")
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(script), str(port)], cwd=ROOT, stdout=log, stderr=log
        )
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(timeout=20)


@pytest.fixture
def page(page: Page, address: str, tmp_path: Path) -> Page:
    wait_until(lambda: b"URL" in (tmp_path / "log").read_bytes())
    page.goto(address)
    expect(page.get_by_text("drawn", exact=True)).to_be_visible(timeout=TIMEOUT_MS)
    return page


def outcomes(folder: Path) -> list[str]:
    """Return the presses that the server heard of, and what it did."""
    notes = folder / "notes"
    return notes.read_text(encoding="utf-8").split() if notes.exists() else []


def test_press__that_waits_is_heard_where_the_whole_page_is_drawn_next(
    page: Page, tmp_path: Path
) -> None:
    for name in ("Poll", "Stop", "Draw all"):  # the second and third while the first is drawn
        page.get_by_role("button", name=name).click()
    wait_until(lambda: sorted(outcomes(tmp_path)) == ["all", "poll", "stop"])


def test_press__is_heard_while_something_is_waited_for(page: Page, tmp_path: Path) -> None:
    page.get_by_role("button", name="Wait").click()
    expect(page.get_by_text("Waiting")).to_be_visible(timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Draw all").click()
    wait_until(lambda: outcomes(tmp_path) != [])
    assert outcomes(tmp_path) == ["all"]
