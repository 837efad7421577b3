"""Labelling in a real browser while all that can die dies: worker, page and server."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from pul import jobs
from pul.labelling.annotations import fold
from pul.store.workspace import Workspace
from tests.app.browser.browsing import TIMEOUT_MS, free_port, serve
from tests.app.browser.carding import CHOSEN, open_card, press_for_next, shown, wait_until_saved
from tests.app.conftest import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)


@pytest.fixture
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that remembers from one page to the next."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    yield context
    context.close()


def test_killed__no_committed_act_is_lost_and_the_next_iteration_learns_from_all(
    profile: BrowserContext, workshop: Workspace, tmp_path: Path
) -> None:
    wait_until(lambda: bool(workshop.iterations(1)))
    port, log = free_port(), tmp_path / "studio.log"
    committed = []

    def commit() -> None:
        committed.append(sorted(shown(page, CHOSEN)))
        press_for_next(page, "Enter")

    with serve(str(workshop.path), log=log, port=port) as address:
        page = profile.new_page()
        open_card(page, address)
        commit()
        os.kill(jobs.WorkerProcess.parse(workshop.job(1).worker).pid, signal.SIGKILL)
        commit()
        page.close()  # maybe before the server has answered
        page = profile.new_page()
        open_card(page, address)
        commit()
        wait_until_saved(page)
        wait_until(lambda: workshop.job(1).status == "failed")  # the studio noticed
    commit()  # no server is there
    page.close()
    with serve(str(workshop.path), log=log, port=port) as address:
        page = profile.new_page()
        open_card(page, address)
        wait_until_saved(page)
    made = [list(known.images) for known in fold(workshop.annotation_events()).identities]
    assert made == committed
    n_whole = len(workshop.iterations(1))
    assert not jobs.reap_lost_jobs(workshop)
    jobs.resume_run(workshop, 1)
    wait_until(lambda: len(workshop.iterations(1)) > n_whole)
    learnt = workshop.iterations(1)[n_whole]
    assert learnt.iteration == n_whole
    assert learnt.n_identities == len(committed) == 4
    assert learnt.n_annotated_images == sum(map(len, committed))
