"""The studio in a real browser: what is drawn, what a hand does, what comes back."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from pul import jobs
from pul.algorithm.selection import threshold
from pul.data.datasets import read_dataset
from pul.models.network import save_network
from pul.store.workspace import Workspace
from tests.app.browser.browsing import (
    TIMEOUT_MS,
    drag,
    draw_anew,
    frames_of,
    open_map,
    poll,
    screen_of,
    serve,
    wait_for_pictures,
)
from tests.app.conftest import wait_until
from tests.app.fabricated import fabricate
from tests.support.networks import tiny_network

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)


@pytest.fixture(scope="module")
def filled(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    location = tmp_path_factory.mktemp("filled") / "workspace"
    fabricate(location, people, n_iterations=3, status="finished", n_planned=3)
    return location


@pytest.fixture(scope="module")
def studio(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(str(filled), log=tmp_path_factory.mktemp("log") / "studio.log") as address:
        yield address


def summary(page: Page) -> Locator:
    """Return the line over the grid."""
    main = page.get_by_test_id("stMain")
    return main.locator("[data-testid=stMarkdown]").filter(has_text=re.compile("image|center"))


# The map


def test_map__is_drawn(page: Page, studio: str) -> None:
    open_map(page, studio)
    n_painted = page.evaluate(
        """() => {
            const { scatter } = document.querySelector(".scatter");
            const { gl, canvas } = scatter.points;
            scatter.paint();
            const pixels = new Uint8Array(4 * canvas.width * canvas.height);
            gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
            return pixels.filter((value, at) => at % 4 === 3 && value > 0).length;
        }"""
    )
    # 48 points of 9 pixels, 8 of them centers of 17, if none covers another.
    most = 40 * np.pi * 5**2 + 8 * np.pi * 9**2
    assert 0.3 * most < n_painted <= most


def test_map__a_box_shows_the_people_in_it(page: Page, studio: str, filled: Path) -> None:
    open_map(page, studio)
    page.get_by_role("button", name="Box").click()
    places = np.array([screen_of(page, image) for image in range(48)])
    low, high = np.percentile(places, 25, axis=0) + 0.5, np.percentile(places, 75, axis=0) + 0.5
    inside = int(((places > low) & (places < high)).all(axis=1).sum())
    assert inside > 0
    drag(page, [tuple(low), tuple((low + high) / 2), tuple(high)])
    expect(summary(page)).to_contain_text(re.compile(rf"^{inside} images? ·"))
    expect(page.locator(".pul-grid img")).to_have_count(inside)
    wait_for_pictures(page)


def test_map__a_lasso_around_everyone(page: Page, studio: str) -> None:
    open_map(page, studio)
    box = page.locator(".scatter canvas").bounding_box()
    assert box is not None
    angles = np.linspace(0, 2 * np.pi, 24)
    middle = np.array([box["width"], box["height"]]) / 2
    circle = middle + np.column_stack([np.cos(angles), np.sin(angles)]) * (middle - 3)
    places = np.array([screen_of(page, image) for image in range(48)])
    inside = int((np.hypot(*((places - middle) / (middle - 3)).T) < 0.98).sum())
    drag(page, [tuple(place) for place in circle])
    expect(summary(page)).to_contain_text("8 clusters")
    shown = int(re.search(r"(\d+) images", summary(page).inner_text()).group(1))  # type: ignore[union-attr]
    assert inside <= shown <= 48
    wait_for_pictures(page)
    page.get_by_role("button", name="Clear selection").click()
    expect(summary(page)).to_contain_text("8 centers")


def test_map__a_click_shows_the_whole_cluster(page: Page, studio: str, filled: Path) -> None:
    with Workspace.open(filled) as workspace:
        arrays = workspace.arrays(1, 3, "clusters", "centers")
    cluster = 5
    n_members = int((arrays["clusters"] == cluster).sum())
    open_map(page, studio)
    place = screen_of(page, int(arrays["centers"][cluster]))
    drag(page, [place])
    expect(page.locator(".pul-grid h6")).to_have_text(re.compile(rf"Cluster 5 · {n_members} im"))
    assert page.locator(".pul-grid figure.center").count() == 1


def test_map__lambda_moves_counts_and_dots_at_once(page: Page, studio: str, filled: Path) -> None:
    with Workspace.open(filled) as workspace:
        arrays = workspace.arrays(1, 3, "similarities", "centers")
    open_map(page, studio)
    slider = page.get_by_label("λ", exact=True)
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".scatter output")).to_have_text("0.90")
    reliable = threshold(arrays["similarities"], arrays["centers"], lambda_=0.9)
    counts = page.locator(".scatter-counts")
    expect(counts).to_contain_text(f"{int(reliable.sum())} of 48 images")
    expect(counts).to_contain_text(f"{100 * reliable.mean():.1f} % reliable")
    expect(page.locator(".scatter-used")).to_have_text("run used λ 0.85")


def test_map__zoom_and_selection_stay_when_the_iteration_changes(page: Page, studio: str) -> None:
    open_map(page, studio)
    place = screen_of(page, 0)
    drag(page, [place])
    expect(summary(page)).to_contain_text("1 cluster ")
    chosen = summary(page).inner_text()
    page.locator(".scatter canvas").hover(position={"x": place[0], "y": place[1]})
    page.mouse.wheel(0, -400)
    view = "JSON.stringify(document.querySelector('.scatter').scatter.view)"
    zoomed = page.evaluate(view)
    before = page.get_attribute(".scatter", "data-ready")
    page.get_by_role("slider", name="Iteration").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "before => document.querySelector('.scatter').dataset.ready !== before", arg=before
    )
    assert page.evaluate(view) == zoomed
    n_images = chosen.split(" ")[0]
    expect(summary(page)).to_contain_text(f"{n_images} image")


def test_map__hovering_shows_the_person(page: Page, studio: str) -> None:
    open_map(page, studio)
    x, y = screen_of(page, 7)
    page.locator(".scatter canvas").hover(position={"x": x, "y": y})
    peek = page.locator(".scatter-peek")
    expect(peek).to_be_visible()
    expect(peek).to_contain_text("cosine")
    page.wait_for_function("document.querySelector('.scatter-peek img').naturalWidth > 0")


def test_map__no_name_of_a_file_reaches_the_browser(page: Page, studio: str, people: Path) -> None:
    received: list[str] = []
    page.on("response", lambda response: received.append(response.url))
    open_map(page, studio)
    assert any("/thumbs/" in url for url in received)
    leaks = (".jpg", "_c1s1_", people.name)
    assert not [url for url in received if any(leak in url for leak in leaks)]
    assert not any(leak in page.content() for leak in (".jpg", "_c1s1_"))


# The frame


def test_frame__asks_no_one_else(page: Page, studio: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in ("", "/map", "/rounds"):
        page.goto(studio + path)
        expect(page.locator(".pul-header")).to_contain_text("104 images")
        page.wait_for_load_state("networkidle")
    elsewhere = [url for url in asked if not url.startswith((studio, "data:", "blob:", "ws:"))]
    assert elsewhere == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_frame__both_themes(browser: Browser, studio: str, theme: str) -> None:
    page = browser.new_page(color_scheme="dark" if theme == "dark" else "light")
    open_map(page, studio)
    luminance = """(selector, name) => {
        const color = getComputedStyle(document.querySelector(selector))[name];
        const [r, g, b] = color.match(/[\\d.]+/g).map(Number);
        return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
    }"""
    ground = page.evaluate(f"({luminance})('.stApp', 'backgroundColor')")
    ink = page.evaluate(f"({luminance})('.scatter-counts', 'color')")
    ring = page.evaluate("document.querySelector('.scatter').scatter.points.uniforms.ink")
    assert abs(ink - ground) > 0.6
    assert (ground > 0.5) == (theme == "light")
    assert abs(float(np.mean(ring)) - ground) > 0.6
    page.close()


def test_frame__polling_leaves_focus_and_scroll_alone(page: Page, studio: str) -> None:
    frames = frames_of(page)
    page.set_viewport_size({"width": 1440, "height": 500})
    page.goto(studio + "/rounds")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    page.get_by_text("New run").click()
    name = page.get_by_label("Name", exact=True)
    name.press_sequentially("my ")
    poll(page, 2)
    draw_anew(page, frames)
    field = name.element_handle()
    assert field is not None
    places = """field => [field.getBoundingClientRect().y,
        document.querySelector('[data-testid=stMain]').scrollTop]"""
    box, scroll = field.evaluate(places)
    assert scroll > 0
    draw_anew(page, frames)
    poll(page, 2)
    draw_anew(page, frames)
    # If something above grew, the browser either keeps the field in place or the scroll.
    box_after, scroll_after = field.evaluate(places)
    assert box_after == box or scroll_after == scroll
    page.keyboard.type("run")  # into whatever has the focus
    expect(name).to_have_value("my run")
    assert field.evaluate("field => field === document.activeElement")


def test_rounds__a_new_run_keeps_what_was_typed_when_it_is_closed(page: Page, studio: str) -> None:
    page.goto(studio + "/rounds")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    page.get_by_text("New run").click()
    name = page.get_by_label("Name", exact=True)
    name.fill("my run")
    name.press("Tab")
    fill(page, "Iterations", 7)
    page.get_by_text("New run").click()
    expect(name).to_be_hidden()
    poll(page, 1)
    page.get_by_text("New run").click()
    expect(name).to_have_value("my run")
    field = page.get_by_test_id("stMain").get_by_label("Iterations", exact=True)
    expect(field).to_have_value("7")


# A run, for real


@pytest.fixture
def workshop(people: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with images, a tiny network, and no run yet; what runs at the end is stopped."""
    with Workspace.create(tmp_path / "workspace") as workspace:
        workspace.add_dataset(read_dataset(people))
        (workspace.path / "models").mkdir()
        save_network(tiny_network(), workspace.path / "models" / "tiny.safetensors")
        yield workspace
        for job in workspace.active_jobs():
            jobs.stop_job(workspace, job.job_id)
        wait_until(lambda: not workspace.active_jobs())


def fill(page: Page, label: str, value: int) -> None:
    """Put a number into the form of a new run."""
    field = page.get_by_test_id("stMain").get_by_label(label, exact=True)
    field.fill(str(value))
    field.press("Tab")


def test_rounds__start_pause_go_on_stop_resume(
    page: Page, workshop: Workspace, tmp_path: Path
) -> None:
    with serve(str(workshop.path), log=tmp_path / "studio.log") as address:
        page.goto(address + "/rounds")
        page.get_by_role("combobox", name=re.compile("Start model")).click()
        page.get_by_role("option", name="tiny").click()
        fill(page, "Iterations", 500)
        fill(page, "Epochs", 1)
        page.get_by_text("All settings").click()
        fill(page, "Convergence", 0)
        page.get_by_role("button", name="Start training").click()
        curve = page.locator(".js-plotly-plot").first.locator(".scatterlayer .point")
        expect(curve).not_to_have_count(0)
        drawn = curve.count()
        expect(curve.nth(drawn)).to_be_attached()
        chosen = page.get_by_role("combobox", name="Run", exact=True)
        expect(chosen).to_have_value("run 1 · running")
        page.get_by_role("button", name="Pause").click()
        page.get_by_role("button", name="Continue").wait_for(timeout=TIMEOUT_MS)
        assert workshop.jobs()[-1].status == "paused"
        expect(page.locator(".pul-header .paused")).to_be_visible()
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Pause").wait_for(timeout=TIMEOUT_MS)
        page.get_by_role("button", name="Stop").click()
        page.get_by_role("button", name="Resume").wait_for(timeout=TIMEOUT_MS)
        run = workshop.runs()[-1]
        assert (run.status, run.config["n_iterations"]) == ("stopped", 500)
        expect(chosen).to_have_value("run 1 · stopped")
        n_done = run.n_iterations_done
        page.get_by_role("button", name="Resume").click()
        page.get_by_role("button", name="Pause").wait_for(timeout=TIMEOUT_MS)
        page.wait_for_function(
            "n => Number(/iteration (\\d+)/.exec(document.querySelector('.pul-header').innerText)"
            "?.[1]) > n + 1",
            arg=n_done,
            timeout=TIMEOUT_MS,
        )
        page.get_by_role("button", name="Stop").click()
        page.get_by_role("button", name="Resume").wait_for(timeout=TIMEOUT_MS)
        assert workshop.runs()[-1].n_iterations_done > n_done


def test_demo__comes_by_itself(page: Page, tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    with serve(
        "--no-demo-run", log=tmp_path / "studio.log", PUL_DEMO=str(demo), PUL_WORKSPACE=""
    ) as address:
        page.goto(address)
        expect(page.get_by_text("The demo is being made")).to_be_visible()
        expect(page.locator(".pul-header")).to_contain_text("demo")
        expect(page.locator(".pul-strip img").first).to_be_visible()
        page.wait_for_function("document.querySelector('.pul-strip img').naturalWidth > 0")
        assert Workspace.exists(demo)
