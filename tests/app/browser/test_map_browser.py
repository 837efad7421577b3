"""The Map page in a real browser: λ and K live, gliding points, the way to the Label page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pul.evaluation.lambda_curves import trace_selection
from pul.jobs.preview import compare_cluster_counts
from pul.store.workspace import Workspace
from tests.app.browser.browsing import TIMEOUT_MS, drag, hover, open_map, screen_of, serve
from tests.app.fabricated import fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)


@pytest.fixture(scope="module")
def filled(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    location = tmp_path_factory.mktemp("filled") / "workspace"
    fabricate(location, people, n_iterations=3, status="stopped")
    return location


@pytest.fixture(scope="module")
def studio(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(str(filled), log=tmp_path_factory.mktemp("log") / "studio.log") as address:
        yield address


def to_previous_iteration(page: Page) -> None:
    """Go back by one iteration and wait until its map is there, gliding or not."""
    before = page.get_attribute(".scatter", "data-ready")
    page.get_by_role("slider", name="Iteration").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "before => document.querySelector('.scatter').dataset.ready !== before",
        arg=before, timeout=TIMEOUT_MS,
    )  # fmt: skip


def test_map__lambda_moves_purity_recall_and_kept_clusters(
    page: Page, studio: str, filled: Path
) -> None:
    with Workspace.open(filled) as workspace:
        arrays = workspace.arrays(1, 3, "similarities", "clusters", "centers")
        people = workspace.run_images(1, "train").pids
    curves = trace_selection(*arrays.values(), people=people)
    open_map(page, studio)
    page.get_by_label("λ", exact=True).focus()
    counts = page.locator(".scatter-counts")
    for step in (86, 87, 88, 89, 90):
        page.keyboard.press("ArrowRight")
        expect(counts).to_contain_text(f"{100 * curves.purities[step]:.1f} % purity")
        expect(counts).to_contain_text(f"{100 * curves.recalls[step]:.1f} % recall")
        expect(counts).to_contain_text(f"{100 * curves.reliable_shares[step]:.1f} % reliable")
        expect(counts).to_contain_text(f"{curves.n_kept_clusters[step]} of 8 clusters kept")
    page.keyboard.press("Home")  # λ 0: all images
    expect(counts).to_contain_text("48 of 48 images")
    expect(page.locator(".scatter-note")).to_contain_text("ground truth")


def test_map__preview_k_keeps_zoom_and_lambda(page: Page, studio: str, filled: Path) -> None:
    open_map(page, studio)
    page.locator(".scatter canvas").hover()
    page.mouse.wheel(0, -300)
    view = "JSON.stringify(document.querySelector('.scatter').scatter.view)"
    zoomed = page.evaluate(view)
    page.get_by_label("λ", exact=True).focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Use λ 0.86")).to_be_visible()
    k = page.get_by_role("spinbutton", name="Clusters K")
    k.fill("5")
    k.press("Enter")
    expect(page.get_by_role("button", name="Use K 5")).to_be_visible()
    page.get_by_role("button", name="Preview K").click()
    expect(page.get_by_text("The map shows a preview with K 5")).to_be_visible()
    expect(page.locator(".scatter-counts")).to_contain_text("of 5 clusters kept")
    expect(page.locator(".scatter output")).to_have_text("0.86")
    assert page.evaluate(view) == zoomed
    page.get_by_role("button", name="Use K 5").click()
    expect(page.get_by_text("Waiting for iteration 4")).to_contain_text("K 5")
    page.get_by_role("button", name="Back to the run").click()
    expect(page.locator(".scatter-counts")).to_contain_text("of 8 clusters kept")


def watch_steps(page: Page) -> None:
    """Note how far between two layouts each picture is drawn."""
    page.evaluate(
        """() => {
            const { scatter } = document.querySelector(".scatter");
            window.steps = [];
            const { points } = scatter;
            const draw = points.draw.bind(points);
            points.draw = (view) => { window.steps.push(points.uniforms.step_); draw(view); };
        }"""
    )


def test_map__points_glide_to_another_iteration(page: Page, studio: str) -> None:
    open_map(page, studio)
    watch_steps(page)
    to_previous_iteration(page)
    page.wait_for_function("window.steps.at(-1) === 1", timeout=TIMEOUT_MS)
    between = page.evaluate("window.steps.filter((step) => step > 0 && step < 1)")
    assert between == sorted(between)
    assert between


def test_map__points_jump_for_who_wants_no_motion(page: Page, studio: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_map(page, studio)
    watch_steps(page)
    to_previous_iteration(page)
    page.wait_for_function("window.steps.length > 0", timeout=TIMEOUT_MS)
    assert set(page.evaluate("window.steps")) == {1}


def test_map__layers_are_fetched_when_they_are_shown(page: Page, studio: str) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    open_map(page, studio)
    assert len([url for url in fetched if "/maps/" in url]) == 1
    page.get_by_text("Doubt", exact=True).click()
    expect(page.locator(".scatter-legend")).to_contain_text("nearest other center")
    page.get_by_text("Camera", exact=True).click()
    expect(page.locator(".scatter-legend")).to_contain_text("camera 3")
    page.get_by_text("Doubt", exact=True).click()
    expect(page.locator(".scatter-legend")).to_contain_text("nearest other center")
    assert len([url for url in fetched if "/maps/" in url]) == 2


def test_map__what_a_click_caught_is_labelled_on_a_card(page: Page, studio: str) -> None:
    open_map(page, studio)
    drag(page, [screen_of(page, 0)])
    summary = page.locator("[data-testid=stMarkdown]").filter(has_text=re.compile("1 cluster "))
    expect(summary).to_be_visible()
    n_images = int(summary.inner_text().split(" ")[0])
    page.get_by_role("button", name="Label these").click()
    page.wait_for_selector(".label[data-card^=chosen-]", timeout=TIMEOUT_MS)
    expect(page.locator(".label-tiles img")).to_have_count(n_images)
    expect(page.locator(".label")).to_contain_text("picked by you")


def test_map__a_click_on_a_compared_k_puts_it_into_the_field(
    page: Page, studio: str, filled: Path
) -> None:
    with Workspace.open(filled) as workspace:
        compare_cluster_counts(workspace, 1, 3)
    open_map(page, studio)
    field = page.get_by_label("Clusters K", exact=True)
    expect(field).to_have_value("8")
    point = page.locator(".js-plotly-plot .xy .scatterlayer .point").nth(3)
    expect(point).to_be_attached()
    page.locator(".js-plotly-plot").first.scroll_into_view_if_needed()
    hover(page, point)
    page.mouse.down()
    page.mouse.up()
    expect(field).to_have_value("10")
