"""The Retrieval page in a real browser: a click and a picture."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pul import jobs
from pul.config import RunConfig, TrainConfig
from pul.data.datasets import read_dataset
from pul.jobs.worker import work
from pul.models.network import save_network
from pul.store.workspace import Workspace
from tests.app.browser.browsing import TIMEOUT_MS, serve
from tests.support.networks import tiny_network

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)

CONFIG = RunConfig(
    n_clusters=8, lambda_=0.5, n_iterations=1, projection=False, device="cpu", n_threads=1,
    finetune=TrainConfig(n_epochs=1, batch_size=8, learning_rate=0.01),
)  # fmt: skip


@pytest.fixture(scope="module")
def studio(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("retrieval")
    with Workspace.create(folder / "workspace") as workspace:
        workspace.add_dataset(read_dataset(people))
        save_network(tiny_network(), folder / "tiny.safetensors")
        job = jobs.create_run(workspace, CONFIG, folder / "tiny.safetensors")
        assert work(workspace, job.job_id).status == "finished"
    with serve(str(folder / "workspace"), log=folder / "studio.log") as address:
        yield address


@pytest.fixture
def page(browser: Browser, studio: str) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(f"{studio}/retrieval")
    expect(page.locator(".queries button").first).to_be_visible()
    yield page
    page.close()


def test_retrieval__a_click_and_a_key_choose_a_query(page: Page) -> None:
    asked = page.locator(".pul-query")
    first = asked.get_attribute("src")
    query = page.locator(".queries button").nth(3)
    query.click()
    expect(query).to_have_attribute("aria-pressed", "true")
    expect(asked).not_to_have_attribute("src", str(first))
    third = asked.get_attribute("src")
    assert third == query.locator("img").get_attribute("src")
    page.keyboard.press("ArrowRight")
    expect(asked).not_to_have_attribute("src", str(third))
    assert page.locator(".pul-ranked").count() == 2
    # The demo's colours are not what tells right from wrong: each has a sign.
    for kind, sign in (("match", "✓"), ("wrong", "✗")):
        signs = page.locator(f".pul-ranked .{kind} i").all_inner_texts()
        assert set(signs) == {sign}


def test_retrieval__a_dropped_picture_finds_itself(page: Page, people: Path) -> None:
    picture = sorted((people / "bounding_box_train").iterdir())[0]
    page.get_by_role("radio", name="A picture").or_(
        page.get_by_role("button", name="A picture")
    ).click()
    page.locator("input[type=file]").set_input_files(picture)
    expect(page.locator(".pul-query")).to_have_attribute("src", re.compile("^data:image/jpeg"))
    best = page.locator(".pul-ranked").first.locator("figcaption span").nth(1)
    expect(best).to_have_text("1.00")
    page.locator("input[type=file]").set_input_files(
        {"name": "no.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}
    )
    expect(
        page.get_by_text("The picture is damaged, or no image of a kind we read")
    ).to_be_visible()


def test_threshold__is_chosen_here_and_given_with_the_model_on_finish(
    page: Page, studio: str
) -> None:
    page.goto(f"{studio}/finish")
    expect(page.get_by_text("No threshold is chosen")).to_be_visible()
    page.get_by_role("link", name="Choose the threshold").click()
    page.get_by_text("Threshold: who is unknown?").click()
    said = page.get_by_text(re.compile(r"Above cosine -?\d\.\d+ two pictures are one person"))
    level = re.findall(r"-?\d\.\d+", said.inner_text())[0]
    page.get_by_role("button", name="Use this threshold").click()
    expect(page.get_by_text(re.compile(f"In use: {re.escape(level)}"))).to_be_visible()
    page.goto(f"{studio}/finish")
    expect(page.get_by_text(f"Threshold: cosine {level} and above")).to_be_visible()
    page.get_by_role("button", name="Export model").click()
    with page.expect_download() as given:
        page.get_by_role("button", name="Threshold", exact=True).click()
    kept = json.loads(given.value.path().read_text())
    assert f"{kept['threshold']:.3f}" == level
