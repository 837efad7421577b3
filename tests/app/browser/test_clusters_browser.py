"""The Clusters page in a browser: by mouse and by keys, its address, and what is stored."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from app import services
from pul.store.workspace import Workspace
from tests.app.browser.browsing import TIMEOUT_MS, drag, serve
from tests.app.fabricated import fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)

PAGE = "document.querySelector('.clusters').mounted"


@pytest.fixture
def studio(people: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The studio on a workspace that nobody has labelled."""
    location = tmp_path / "workspace"
    fabricate(location, people, n_iterations=2, status="stopped")
    with serve(str(location), log=tmp_path / "studio.log") as address:
        yield address, location


@pytest.fixture(scope="module")
def shared(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The same, for tests that store nothing."""
    folder = tmp_path_factory.mktemp("clusters")
    fabricate(folder / "workspace", people, n_iterations=2, status="stopped")
    with serve(str(folder / "workspace"), log=folder / "studio.log") as address:
        yield address, folder / "workspace"


def open_clusters(page: Page, address: str, query: str = "") -> None:
    """Open the page and wait until its clusters and their doubt are there."""
    page.goto(f"{address}/clusters{query}")
    page.wait_for_selector(".clusters[data-doubts=known]", timeout=TIMEOUT_MS)


def shown(page: Page, expression: str) -> Any:
    """Return something of the page's own state."""
    return page.evaluate(f"(() => {{ const page = {PAGE}; return {expression}; }})()")


def arrays_of(location: Path) -> dict[str, np.ndarray]:
    with Workspace.open(location) as workspace:
        table = workspace.run_images(1, "train")
        named = {"camids": table.camids, "images": table.image_ids, "pids": table.pids}
        return {**workspace.arrays(1, 2), **named}


def order(page: Page) -> list[int]:
    return [int(cluster) for cluster in shown(page, "[...page.items]")]


def cluster_at(page: Page, place: int) -> Any:
    return page.locator(f".clusters-item[data-place='{place}']")


def wait_until_saved(page: Page) -> None:
    page.wait_for_selector(".clusters[data-open='0']", timeout=TIMEOUT_MS)


def address_has(page: Page, text: str) -> None:
    page.wait_for_function("text => location.search.includes(text)", arg=text, timeout=TIMEOUT_MS)


# The grid

# Scrolls a long grid by two screens in every frame, each frame later than the time at which it
# comes to rest; answers how many pictures were asked for, those of the item with the focus aside.
FLING = """async () => {
    const { grid } = document.querySelector(".clusters").mounted;
    grid.show(Int32Array.from({ length: 4000 }, (_, place) => place % 8));
    const unfocused = ".clusters-item:not([data-place='0'])";
    const asked = () => grid.canvas.querySelectorAll(`${unfocused} img[src]`).length;
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const counts = [];
    for (let n = 0; n < 8; n += 1) {
        grid.scroller.scrollTop += 2 * grid.scroller.clientHeight;
        await frame(); // the grid has heard of it, and draws in this frame
        const until = performance.now() + 120;
        while (performance.now() < until);
        counts.push(asked());
    }
    return Math.max(...counts.slice(1));
}"""
IN_SIGHT = """() => {
    const { grid } = document.querySelector(".clusters").mounted;
    const { top, bottom } = grid.scroller.getBoundingClientRect();
    const seen = [...grid.canvas.querySelectorAll("img")].filter((picture) => {
        const box = picture.getBoundingClientRect();
        return box.bottom > top && box.top < bottom;
    });
    return seen.length > 0 && seen.every((picture) => picture.complete && picture.naturalWidth > 0);
}"""


def test_pictures__wait_while_a_fast_scroll_goes_on(page: Page, shared: tuple[str, Path]) -> None:
    open_clusters(page, shared[0])
    assert page.evaluate(FLING) == 0
    page.wait_for_function(IN_SIGHT, timeout=TIMEOUT_MS)


def test_pictures__come_where_a_fast_scroll_ends_slowly(
    page: Page, shared: tuple[str, Path]
) -> None:
    open_clusters(page, shared[0])
    page.evaluate(FLING)
    page.evaluate("document.querySelector('.clusters-scroller').scrollTop += 40")
    page.wait_for_function(IN_SIGHT, timeout=TIMEOUT_MS)


def test_clusters__every_cluster_with_its_faces(page: Page, shared: tuple[str, Path]) -> None:
    address, location = shared
    arrays = arrays_of(location)
    open_clusters(page, address, "?sort=size")
    sizes = np.bincount(arrays["clusters"], minlength=8)
    expect(page.locator(".clusters-item")).to_have_count(8)
    assert [sizes[cluster] for cluster in order(page)] == sorted(sizes, reverse=True)
    first = order(page)[0]
    cameras = len(set(arrays["camids"][arrays["clusters"] == first].tolist()))
    item = cluster_at(page, 0)
    expect(item).to_contain_text(f"{sizes[first]} images")
    expect(item).to_have_attribute("aria-label", re.compile(f"{sizes[first]} images.*not labelled"))
    assert cameras == 3
    expect(item).to_contain_text("cameras 1, 2, 3")
    faces = item.locator("img")
    expect(faces).to_have_count(min(6, int(sizes[first])))
    assert faces.first.get_attribute("data-image") == str(arrays["centers"][first])
    assert all("camera" in (face.get_attribute("alt") or "") for face in faces.all())
    page.wait_for_function(
        "[...document.querySelectorAll('.clusters-item img')].every((face) => face.naturalWidth)",
        timeout=TIMEOUT_MS,
    )


def test_clusters__sorted_by_doubt_and_cohesion(page: Page, shared: tuple[str, Path]) -> None:
    address, location = shared
    arrays = arrays_of(location)
    open_clusters(page, address)
    unit = arrays["features"] / np.linalg.norm(arrays["features"], axis=1, keepdims=True)
    cosines = unit @ unit[arrays["centers"]].T
    own = cosines[np.arange(48), arrays["clusters"]].copy()
    cosines[np.arange(48), arrays["clusters"]] = -2
    doubtful = cosines.max(axis=1) >= own
    members = [arrays["clusters"] == cluster for cluster in range(8)]
    shares = [doubtful[rows].mean() for rows in members]
    assert [shares[cluster] for cluster in order(page)] == sorted(shares, reverse=True)
    page.get_by_label("Sort", exact=True).select_option("cohesion")
    expect(page.locator(".clusters-count")).to_have_text("8 clusters, least cohesive first")
    beside = ~np.isin(np.arange(48), arrays["centers"])
    cohesion = [arrays["similarities"][rows & beside].mean() for rows in members]
    assert order(page) == np.argsort(cohesion, kind="stable").tolist()
    address_has(page, "sort=cohesion")


def test_clusters__lambda_fades_pictures_without_the_server(
    page: Page, shared: tuple[str, Path]
) -> None:
    address, location = shared
    arrays = arrays_of(location)
    open_clusters(page, address, "?sort=size")
    faces = page.locator(".clusters-item .clusters-faces img")
    indices = [int(face.get_attribute("data-image") or -1) for face in faces.all()]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", sent.append))
    reliable = {}
    for lambda_ in (0.5, 0.9, 0.97, 1.0):
        page.locator(".clusters-lambda input").evaluate(
            "(slider, value) => { slider.value = value; "
            "slider.dispatchEvent(new Event('input', { bubbles: true })); }",
            lambda_,
        )
        services_say = services.map.threshold(
            arrays["similarities"], arrays["centers"].astype(np.int64), lambda_=lambda_
        )
        is_far = faces.evaluate_all("all => all.map((face) => face.classList.contains('far'))")
        assert is_far == [not services_say[image] for image in indices]
        expect(page.locator(".clusters-summary")).to_contain_text(
            f"{100 * services_say.mean():.0f} % reliable"
        )
        reliable[lambda_] = int(services_say.sum())
    assert len(set(reliable.values())) > 2
    assert not [url for url in asked if "/similar/" in url or "/maps/" in url]
    assert not sent


def test_clusters__filters_by_camera_size_and_chips(page: Page, shared: tuple[str, Path]) -> None:
    address, location = shared
    arrays = arrays_of(location)
    open_clusters(page, address, "?sort=size")
    sizes = np.bincount(arrays["clusters"], minlength=8)
    most = int(np.sort(sizes)[3])
    page.get_by_label("Images of a cluster, at most").fill(str(most))
    page.keyboard.press("Enter")
    n = int((sizes <= most).sum())
    expect(page.locator(".clusters-count")).to_have_text(f"{n} of 8 clusters, largest first")
    page.get_by_role("button", name="Clear filters").first.click()
    expect(page.locator(".clusters-item")).to_have_count(8)
    page.get_by_label("Camera", exact=True).select_option("2")
    with_camera = len(set(arrays["clusters"][arrays["camids"] == 2].tolist()))
    expect(page.locator(".clusters-item")).to_have_count(with_camera)
    page.get_by_role("button", name="Images", exact=True).click()
    n_images = int((arrays["camids"] == 2).sum())
    expect(page.locator(".clusters-count")).to_contain_text(f"{n_images} of 48 images")
    page.get_by_role("button", name=re.compile("^labelled 0")).is_disabled()


# One cluster


def test_clusters__drop_strays_name_and_undo(page: Page, studio: tuple[str, Path]) -> None:
    address, location = studio
    arrays = arrays_of(location)
    open_clusters(page, address, "?sort=size")
    cluster_at(page, 0).click()
    cluster = order(page)[0]
    panel = page.locator(".clusters-opened")
    rows = np.flatnonzero(arrays["clusters"] == cluster)
    expect(panel.locator(".clusters-tile")).to_have_count(len(rows))
    expect(panel.locator(".clusters-similar-list li")).to_have_count(6)
    panel.locator(".clusters-tile").nth(len(rows) - 1).click()
    expect(panel.locator("[data-act=person]")).to_contain_text(f"{len(rows) - 1} images")
    page.get_by_role("button", name=re.compile("^Name")).click()
    page.get_by_label("Name of the person").fill("Ann")
    page.keyboard.press("Enter")
    toast = page.locator(".clusters-toast")
    expect(toast).to_contain_text(f"Ann made of {len(rows) - 1} images.")
    wait_until_saved(page)
    expect(cluster_at(page, 0)).to_contain_text("Ann")
    state = services.labels.read_annotations(str(location))
    (known,) = state.identities
    farthest = rows[np.argsort(-arrays["similarities"][rows], kind="stable")][-1]
    assert set(known.images) == set(arrays["images"][rows].tolist()) - {
        int(arrays["images"][farthest])
    }
    assert int(arrays["images"][farthest]) in state.refused_by(known.identity)
    toast.get_by_role("button", name="Undo").click()
    expect(toast).to_contain_text("Undone: Ann made of")
    expect(cluster_at(page, 0)).not_to_contain_text("Ann")
    assert not services.labels.read_annotations(str(location)).identities


def test_clusters__strays_are_marked_and_dropped_at_once(
    page: Page, studio: tuple[str, Path]
) -> None:
    open_clusters(page, studio[0])
    cluster_at(page, 0).click()
    strays = page.locator(".clusters-tile.stray")
    n = strays.count()
    assert n == shown(page, "page.strays.size") > 0
    page.keyboard.press("d")
    expect(page.locator(".clusters-tile.dropped")).to_have_count(n)
    expect(page.get_by_role("button", name=f"Take {n} back")).to_be_visible()


def test_clusters__split_and_both_halves_are_people(page: Page, studio: tuple[str, Path]) -> None:
    address, location = studio
    open_clusters(page, address, "?sort=size")
    cluster_at(page, 0).click()
    cluster_at(page, 1).click(modifiers=["Shift"])  # two clusters as one group
    both = shown(page, "page.opened.images.length")
    expect(page.locator(".clusters-title")).to_have_text(f"2 clusters, {both} images")
    page.get_by_role("button", name=re.compile("^Split")).click()
    expect(page.locator(".clusters-away")).to_contain_text("Split off")
    stay, away = (set(shown(page, f"page.opened.{name}")) for name in ("images", "away"))
    assert len(stay) + len(away) == both
    page.locator("[data-act=person]").click()
    expect(page.locator(".clusters-away")).to_be_hidden()
    assert set(shown(page, "page.opened.images")) == away
    page.locator("[data-act=person]").click()
    expect(page.locator(".clusters-toast")).to_contain_text("ID_002 made of")
    wait_until_saved(page)
    ids = arrays_of(location)["images"]
    people = services.labels.read_annotations(str(location)).identities
    assert [set(known.images) for known in people] == [
        {int(ids[image]) for image in part} for part in (stay, away)
    ]


def test_clusters__similar_ones_are_merged_into_one_person(
    page: Page, studio: tuple[str, Path]
) -> None:
    address, location = studio
    open_clusters(page, address, "?sort=size")
    cluster_at(page, 0).click()
    first = page.locator(".clusters-similar-list li").first
    expect(first.get_by_role("button", name=re.compile("^Add the cluster"))).to_be_visible()
    n = shown(page, "page.opened.images.length")
    first.get_by_role("button", name=re.compile("^Add the cluster")).click()
    expect(page.locator(".clusters-title")).to_contain_text("2 clusters")
    page.locator("[data-act=person]").click()
    wait_until_saved(page)
    (known,) = services.labels.read_annotations(str(location)).identities
    assert len(known.images) > n


def test_clusters__find_similar_lists_pictures_of_all_clusters(
    page: Page, shared: tuple[str, Path]
) -> None:
    address, location = shared
    arrays = arrays_of(location)
    open_clusters(page, address, "?sort=size")
    cluster_at(page, 0).click()
    image = shown(page, "page.panel.image")
    page.get_by_role("button", name=re.compile("^Find similar")).click()
    page.wait_for_selector(".clusters[data-view=images]", timeout=TIMEOUT_MS)
    unit = arrays["features"] / np.linalg.norm(arrays["features"], axis=1, keepdims=True)
    cosines = unit @ unit[image]
    found = order(page)
    assert found[0] == image
    np.testing.assert_allclose(cosines[found], np.sort(cosines)[::-1], atol=1e-6)
    address_has(page, f"like={arrays['images'][image]}")
    page.get_by_role("button", name=re.compile("like one picture")).click()
    page.wait_for_selector(".clusters[data-view=clusters]", timeout=TIMEOUT_MS)


# The map


def test_clusters__lasso_filters_the_grid_and_the_grid_shows_on_the_map(
    page: Page, shared: tuple[str, Path]
) -> None:
    address, location = shared
    arrays = arrays_of(location)
    open_clusters(page, address, "?sort=size")
    page.wait_for_function(f"{PAGE}.scatter?.layout", timeout=TIMEOUT_MS)
    x, y = shown(page, "page.scatter.screenOf(0)")
    drag(page, [(x - 9, y - 9), (x + 9, y - 9), (x + 9, y + 9), (x - 9, y + 9), (x - 9, y - 9)])
    caught = set(shown(page, "[...page.known.within]"))
    assert 0 in caught
    clusters = {int(arrays["clusters"][image]) for image in caught}
    expect(page.locator(".clusters-item")).to_have_count(len(clusters))
    assert set(order(page)) == clusters
    cluster_at(page, 0).click()
    opened = order(page)[0]
    expected = np.flatnonzero(arrays["clusters"] == opened).tolist()
    assert sorted(shown(page, "page.scatter.selected")) == expected
    page.get_by_role("button", name=re.compile("from the map")).click()
    expect(page.locator(".clusters-item")).to_have_count(8)


def test_clusters__a_click_on_the_map_opens_the_cluster(
    page: Page, shared: tuple[str, Path]
) -> None:
    address, location = shared
    arrays = arrays_of(location)
    open_clusters(page, address)
    page.wait_for_function(f"{PAGE}.scatter?.layout", timeout=TIMEOUT_MS)
    drag(page, [tuple(shown(page, "page.scatter.screenOf(5)"))])
    opened = shown(page, "page.opened.clusters[0]")
    points = arrays["points"]
    near = np.linalg.norm(points - points[5], axis=1) < 1e-2 * np.ptp(points)
    assert opened in arrays["clusters"][near]
    expect(page.locator(f".clusters-item[data-item='{opened}']")).to_have_attribute(
        "aria-selected", "true"
    )


# The address


def test_clusters__a_reload_shows_the_same(page: Page, shared: tuple[str, Path]) -> None:
    address, _ = shared
    open_clusters(page, address)
    page.get_by_label("Sort", exact=True).select_option("small")
    page.get_by_label("Camera", exact=True).select_option("3")
    slider = page.locator(".clusters-lambda input")
    slider.focus()
    for _step in range(3):
        page.keyboard.press("ArrowLeft")
    cluster_at(page, 1).click()
    title = page.locator(".clusters-title").inner_text()
    before = order(page), shown(page, "page.known.lambda"), shown(page, "page.opened.clusters[0]")
    assert before[1] == pytest.approx(0.82)
    for text in ("sort=small", "camera=3", "lambda=0.82", "open="):
        address_has(page, text)
    page.reload()
    page.wait_for_selector(".clusters[data-doubts=known]", timeout=TIMEOUT_MS)
    expect(page.locator(".clusters-title")).to_have_text(title)
    after = order(page), shown(page, "page.known.lambda"), shown(page, "page.opened.clusters[0]")
    assert after == before
    expect(page.get_by_label("Sort", exact=True)).to_have_value("small")


def test_clusters__another_iteration(page: Page, shared: tuple[str, Path]) -> None:
    open_clusters(page, shared[0])
    before = page.get_attribute(".clusters", "data-ready")
    page.get_by_label("Iteration", exact=True).select_option("1")
    page.wait_for_function(
        "before => document.querySelector('.clusters').dataset.ready !== before",
        arg=before, timeout=TIMEOUT_MS,
    )  # fmt: skip
    address_has(page, "iteration=1")
    page.reload()
    page.wait_for_selector(".clusters[data-doubts=known]", timeout=TIMEOUT_MS)
    expect(page.get_by_label("Iteration", exact=True)).to_have_value("1")


# Keys


def test_clusters__by_keys_alone(page: Page, studio: tuple[str, Path]) -> None:
    address, location = studio
    open_clusters(page, address, "?sort=size")
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.classList.contains('clusters-item')"):
            break
    assert page.evaluate("document.activeElement.matches(':focus-visible')")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    place = int(page.evaluate("document.activeElement.dataset.place"))
    assert place == 1 + shown(page, "page.grid.columns")
    page.keyboard.press("Enter")
    expect(page.locator(".clusters-opened")).to_be_visible()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.classList.contains('clusters-tile')"):
            break
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    expect(page.locator(".clusters-tile.dropped")).to_have_count(1)
    n = shown(page, "page.opened.images.length - 1")
    page.keyboard.press("n")
    page.keyboard.type("Bo")
    page.keyboard.press("Enter")
    expect(page.locator(".clusters-toast")).to_contain_text(f"Bo made of {n} images.")
    page.keyboard.press("Control+z")
    expect(page.locator(".clusters-toast")).to_contain_text("Undone")
    page.keyboard.press("Escape")
    expect(page.locator(".clusters-opened")).to_be_hidden()
    assert page.evaluate("document.activeElement.classList.contains('clusters-item')")
    assert not services.labels.read_annotations(str(location)).identities


# Sizes and themes


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_clusters__whole_at_1024(browser: Browser, shared: tuple[str, Path], theme: str) -> None:
    page = browser.new_page(
        viewport={"width": 1024, "height": 768},
        color_scheme="dark" if theme == "dark" else "light",
    )
    page.set_default_timeout(TIMEOUT_MS)
    open_clusters(page, shared[0])
    cluster_at(page, 0).click()
    expect(page.locator(".clusters-similar-list li")).to_have_count(6)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name in (".clusters-scroller", ".clusters-map", ".clusters-opened", ".clusters-lambda"):
        box = page.locator(name).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 1024
    assert shown(page, "page.grid.columns") >= 2
    page.close()
