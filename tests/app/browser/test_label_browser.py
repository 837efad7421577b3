"""Page 2 in a real browser: real keys and clicks, and what the store holds afterwards."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pul.labelling.annotations import Annotations, fold
from pul.store.workspace import Workspace
from tests.app.browser.browsing import TIMEOUT_MS, draw_anew, frames_of, free_port, poll, serve
from tests.app.browser.carding import (
    CHOSEN,
    open_card,
    press_for_next,
    shown,
    wait_for_card,
    wait_until_saved,
)
from tests.app.fabricated import draw_people, fabricate

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=TIMEOUT_MS)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of 40 people to train on, 12 images each: the size of the demo."""
    return draw_people(tmp_path_factory.mktemp("crowd") / "people", n_pids=40, n_images=12)


def make_workspace(crowd: Path, folder: Path) -> Path:
    fabricate(folder / "workspace", crowd, n_iterations=2, status="finished", n_planned=2)
    return folder / "workspace"


@pytest.fixture(scope="module")
def workspace(crowd: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(crowd, tmp_path_factory.mktemp("labelled"))


@pytest.fixture(scope="module")
def studio(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(str(workspace), log=tmp_path_factory.mktemp("log") / "studio.log") as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    yield context.new_page()
    context.close()


def show_everybody(page: Page) -> None:
    """Show candidates who are unlikely too, as 0 does where nobody else is left: all are, here."""
    shown(page, "(label.work = label.work.with({ isThorough: true }), label.draw())")


def state_of(location: Path) -> Annotations:
    with Workspace.open(location) as workspace:
        return fold(workspace.annotation_events())


def test_card__fits_the_screen_and_its_pictures_load(page: Page, studio: str) -> None:
    open_card(page, studio)
    page.wait_for_function(
        """() => [...document.querySelectorAll(".label img")]
            .every((image) => image.complete && image.naturalWidth > 0)""",
        timeout=TIMEOUT_MS,
    )
    assert page.locator(".label-tiles img").count() >= 4
    page.wait_for_function(  # once the line over the card is there too
        """() => { const main = document.querySelector("[data-testid=stMain]");
            return main.scrollHeight <= main.clientHeight; }""",
        timeout=TIMEOUT_MS,
    )


def test_card__no_file_name_is_in_the_page(page: Page, studio: str, crowd: Path) -> None:
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda x: sent.append(str(x))))
    open_card(page, studio)
    names = [path.stem for path in (crowd / "bounding_box_train").glob("*.jpg")]
    text = page.content() + shown(page, "JSON.stringify(label.data)") + "".join(sent)
    assert len(sent) > 3
    assert not [name for name in names if name in text]


def test_enter__makes_an_identity_of_what_is_chosen(
    page: Page, studio: str, workspace: Path
) -> None:
    before = state_of(workspace)
    open_card(page, studio)
    images = shown(page, CHOSEN)
    press_for_next(page, "Enter")
    wait_until_saved(page)
    after = state_of(workspace)
    made = after.identities[-1]
    assert len(after.identities) == len(before.identities) + 1
    assert list(made.images) == sorted(images)
    expect(page.locator(".label-toast")).to_contain_text(f"{made.name}: {len(images)} images")
    expect(page.locator(".label-progress")).to_contain_text(f"{len(after.identities)} of ")


def test_enter__is_never_lost_when_keys_are_faster_than_the_server(
    page: Page, studio: str, workspace: Path
) -> None:
    before = len(state_of(workspace).events)
    open_card(page, studio)
    cards = []
    for _ in range(6):
        cards.append(sorted(shown(page, CHOSEN)))
        press_for_next(page, "Enter")
    wait_until_saved(page)
    made = [event.payload["images"] for event in state_of(workspace).events[before:]]
    assert made == cards


def test_enter__works_where_a_click_in_the_sidebar_led_here(
    page: Page, studio: str, workspace: Path
) -> None:
    page.goto(f"{studio}/identities")
    page.get_by_role("link", name="Label").click()
    wait_for_card(page)
    n_before = len(state_of(workspace).identities)
    press_for_next(page, "Enter")
    wait_until_saved(page)
    assert len(state_of(workspace).identities) == n_before + 1


def test_enter__works_after_a_click(page: Page, studio: str, workspace: Path) -> None:
    open_card(page, studio)
    show_everybody(page)
    images = shown(page, CHOSEN)
    page.locator(".label-tiles figure").first.click(position={"x": 8, "y": 90})
    page.keyboard.press("Control+z")
    page.locator(".label-candidates figure").first.click(position={"x": 20, "y": 90})
    joined = shown(page, "label.work.accepted[0].tiles.map((tile) => tile.image)")
    press_for_next(page, "Enter")
    wait_until_saved(page)
    assert list(state_of(workspace).identities[-1].images) == sorted(images + joined)


def test_edit__drop_and_join_and_undo_count(page: Page, studio: str, workspace: Path) -> None:
    open_card(page, studio)
    show_everybody(page)
    images = shown(page, CHOSEN)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("d")  # takes out the tracklet of the first tile
    kept = shown(page, CHOSEN)
    assert 0 < len(kept) < len(images)
    page.keyboard.press("Control+z")
    assert shown(page, CHOSEN) == images
    page.keyboard.press("Control+Shift+z")
    assert shown(page, CHOSEN) == kept
    joined = shown(page, "label.shown[0].tiles.map((tile) => tile.image)")
    page.keyboard.press("1")
    assert sorted(shown(page, CHOSEN)) == sorted(kept + joined)
    refused = shown(page, "label.shown[1].tiles.map((tile) => tile.image)")
    page.locator("[data-candidate='1']").hover()
    page.locator("[data-candidate='1'] [data-refuse]").click()
    press_for_next(page, "Enter")
    wait_until_saved(page)
    state = state_of(workspace)
    made = state.identities[-1]
    assert list(made.images) == sorted(kept + joined)
    assert state.refused_by(made.identity) >= {*refused, *(set(images) - set(kept))}


def test_candidates__stand_still_until_the_next_row(page: Page, studio: str) -> None:
    open_card(page, studio)
    show_everybody(page)
    row = "label.shown.map(({ tiles }) => tiles[0].image)"
    before = shown(page, row)
    assert len(before) == 12
    for key in "132":
        page.keyboard.press(key)
    page.keyboard.press("3")  # taken back
    assert shown(page, row) == before
    joined = shown(page, "label.work.accepted.map(({ tiles }) => tiles[0].image)")
    assert joined == [before[0], before[1]]
    page.keyboard.press("0")
    assert not set(before) & set(shown(page, row))
    page.keyboard.press("Control+z")
    assert shown(page, row) == before


def test_zero__shows_who_is_unlikely_where_nobody_else_is_left(page: Page, studio: str) -> None:
    open_card(page, studio)
    shown(page, "label.work.card.candidates.forEach((each) => { each.isUnlikely = true; })")
    shown(page, "label.draw()")
    expect(page.locator(".label-candidates")).to_contain_text("Nobody else is likely")
    assert shown(page, "label.shown.length") == 0
    page.keyboard.press("0")
    assert shown(page, "label.shown.length") == 12
    page.keyboard.press("Shift+Digit0")  # the whole row
    assert shown(page, "label.work.accepted.length") == 12


def test_joined_beforehand__is_shown_as_such_and_taken_out_by_its_number(
    page: Page, studio: str, workspace: Path
) -> None:
    open_card(page, studio)
    images = shown(page, CHOSEN)
    joined = shown(
        page,
        """(() => { const { card } = label.work, [first, second] = card.candidates;
          const joined = { ...card, joined: [first, second], candidates: card.candidates.slice(2) };
          label.work = new label.work.constructor(joined); label.draw();
          return [first, second].map(({ tiles }) => tiles.map((tile) => tile.image)); })()""",
    )
    assert shown(page, CHOSEN) == images + joined[0] + joined[1]
    expect(page.locator(".label-tiles")).to_contain_text("Joined beforehand, as it is likely")
    expect(page.locator(".label-candidates .joined")).to_have_count(2)
    page.keyboard.press("2")
    press_for_next(page, "Enter")
    wait_until_saved(page)
    state = state_of(workspace)
    made = state.identities[-1]
    assert list(made.images) == sorted(images + joined[0])
    assert state.refused_by(made.identity) >= set(joined[1])


def test_review__asks_about_a_wrong_join_and_no_takes_it_out(
    page: Page, studio: str, workspace: Path
) -> None:
    open_card(page, studio)
    stranger = shown(page, "label.work.card.candidates[0].tiles.map((tile) => tile.image)")
    show_everybody(page)
    page.keyboard.press("1")
    press_for_next(page, "Enter")
    wait_until_saved(page)
    made = state_of(workspace).identities[-1]
    assert set(stranger) <= set(made.images)
    if shown(page, "Boolean(label.pair)"):  # every tenth card
        page.keyboard.press("Escape")
    page.keyboard.press("v")
    page.wait_for_selector(".label[data-mode=pair]", timeout=TIMEOUT_MS)
    expect(page.locator(".label-reason")).to_contain_text("Look again")
    for _ in range(40):
        text = page.locator(".label-pair").inner_text()
        is_it = f"These are in {made.name}" in text
        page.keyboard.press("n" if is_it else "?")
        if is_it:
            break
    wait_until_saved(page)
    assert not set(stranger) & set(state_of(workspace).identity(made.identity).images)


def test_shift__joins_all_up_to_one_and_is_done_with_the_row(
    page: Page, studio: str, workspace: Path
) -> None:
    n_before = len(state_of(workspace).events)
    open_card(page, studio)
    show_everybody(page)
    shown(
        page, "label.want = () => {}"
    )  # rows come from the card alone, in whatever order tests run
    images = shown(page, CHOSEN)
    row = "label.shown.map(({ tiles }) => tiles.map((tile) => tile.image))"
    joined = "label.work.accepted.map(({ tiles }) => tiles.map((tile) => tile.image))"
    first = shown(page, row)
    page.locator("[data-candidate='1']").hover()
    page.locator("[data-candidate='1'] [data-refuse]").click()
    page.keyboard.press("6")
    page.keyboard.press("Shift+Digit3")  # whatever the keyboard writes; what is refused stays so
    assert shown(page, joined) == [first[5], first[0], first[2]]
    second = shown(page, row)
    assert not {image for other in first for image in other} & {
        i for other in second for i in other
    }
    page.locator("[data-candidate='1']").click(modifiers=["Shift"], position={"x": 20, "y": 90})
    assert shown(page, joined)[3:] == second[:2]
    page.keyboard.press("Control+z")
    assert (shown(page, row), shown(page, joined)) == (second, [first[5], first[0], first[2]])
    press_for_next(page, "Enter")
    wait_until_saved(page)
    state = state_of(workspace)
    assert len(state.events) == n_before + 1
    made = state.identities[-1]
    assert list(made.images) == sorted(images + first[5] + first[0] + first[2])
    assert state.refused_by(made.identity) >= {i for n in (1, 3, 4, 11) for i in first[n]}


def test_brush__a_drag_drops_what_it_passes(page: Page, studio: str) -> None:
    open_card(page, studio)
    tiles = page.locator(".label-tiles figure:not(.loose)")
    n_tiles = tiles.count()
    boxes = [tiles.nth(place).bounding_box() for place in range(n_tiles)]
    first = next(box for box in boxes if box)
    line = [box for box in boxes if box and abs(box["y"] - first["y"]) < 5]
    page.mouse.move(first["x"] + 10, first["y"] + 60)
    page.mouse.down()
    for box in line:
        page.mouse.move(box["x"] + 10, box["y"] + 60)
    page.mouse.up()
    passed = shown(page, f"label.tiles.order.slice(0, {len(line)}).map((tile) => tile.tracklet)")
    tracklets = shown(page, "label.work.tiles.map((tile) => [tile.image, tile.tracklet])")
    kept = [image for image, tracklet in tracklets if tracklet not in passed]  # a fan goes as one
    assert set(shown(page, CHOSEN)) <= set(kept)
    page.keyboard.press("Control+z")
    assert len(shown(page, CHOSEN)) == n_tiles


def test_undo__brings_the_card_back_and_redo_the_identity(
    page: Page, studio: str, workspace: Path
) -> None:
    before = len(state_of(workspace).identities)
    open_card(page, studio)
    card = shown(page, "label.work.card.id")
    press_for_next(page, "Enter")
    page.keyboard.press("Control+z")
    assert shown(page, "label.work.card.id") == card
    wait_until_saved(page)
    assert len(state_of(workspace).identities) == before
    page.keyboard.press("Control+Shift+z")
    wait_until_saved(page)
    assert len(state_of(workspace).identities) == before + 1
    assert shown(page, "label.work.card.id") != card


def test_undo__another_browser_is_another_author_and_names_itself_once(
    page: Page, browser: Browser, studio: str, workspace: Path
) -> None:
    for each in (page, (other := browser.new_context().new_page())):
        open_card(each, studio)
        press_for_next(each, "Enter")
        wait_until_saved(each)
    first, second = (event for event in state_of(workspace).events[-2:])
    assert first.author != second.author
    page.keyboard.press("Control+z")
    wait_until_saved(page)
    assert state_of(workspace).events[-1].payload["event"] == first.event_id
    field = page.get_by_role("textbox", name="What is your name?")
    field.fill("Ann Lee")
    field.press("Enter")
    expect(field).to_have_count(0)
    page.reload()
    expect(page.get_by_role("textbox", name="Your name")).to_have_value("Ann Lee")
    expect(other.get_by_placeholder("Guest").first).to_be_visible()
    other.context.close()


def test_undo__works_after_a_reload(page: Page, studio: str, workspace: Path) -> None:
    open_card(page, studio)
    press_for_next(page, "Enter")
    wait_until_saved(page)
    made = state_of(workspace).identities[-1]
    page.reload()
    page.wait_for_selector(".label[data-mode=card]", timeout=TIMEOUT_MS)
    page.keyboard.press("Control+z")
    expect(page.locator(".label-toast")).to_contain_text(f"Undone: {made.name}")
    assert made.identity not in [known.identity for known in state_of(workspace).identities]


def test_add__types_ahead_and_keeps_its_focus_while_the_header_polls(
    page: Page, studio: str, workspace: Path
) -> None:
    frames = frames_of(page)
    open_card(page, studio)
    press_for_next(page, "Enter")
    wait_until_saved(page)
    made = state_of(workspace).identities[-1]
    images = shown(page, CHOSEN)
    page.keyboard.press("a")
    page.keyboard.type(made.name[-3:])
    poll(page, 2)
    draw_anew(page, frames)
    assert page.evaluate("document.activeElement.value") == made.name[-3:]
    page.keyboard.press("Enter")
    wait_until_saved(page)
    assert set(images) < set(state_of(workspace).identity(made.identity).images)


def test_split__the_other_half_is_the_next_card(page: Page, studio: str, workspace: Path) -> None:
    open_card(page, studio)
    while shown(page, "new Set(label.work.chosen.map((tile) => tile.tracklet)).size") < 2:
        press_for_next(page, "Space")
    images = shown(page, CHOSEN)
    page.keyboard.press("s")
    halves = [shown(page, CHOSEN)]
    press_for_next(page, "Enter")
    halves.append(shown(page, CHOSEN))
    press_for_next(page, "Enter")
    wait_until_saved(page)
    assert sorted(halves[0] + halves[1]) == sorted(images)
    made = [list(known.images) for known in state_of(workspace).identities[-2:]]
    assert made == [sorted(half) for half in halves]


@pytest.mark.parametrize(("key", "kind"), [("u", "unsure"), ("x", "junk")])
def test_aside__keeps_them_from_every_card(
    page: Page, studio: str, workspace: Path, key: str, kind: str
) -> None:
    open_card(page, studio)
    images = shown(page, CHOSEN)
    press_for_next(page, key)
    wait_until_saved(page)
    event = state_of(workspace).events[-1]
    assert (event.kind, event.payload["images"]) == (kind, sorted(images))


def test_pair__an_answer_is_kept_and_not_asked_again(
    page: Page, studio: str, workspace: Path
) -> None:
    open_card(page, studio)
    page.keyboard.press("p")
    expect(page.locator(".label-pair h3")).to_have_text("Are these the same person?")
    first = shown(page, "label.pair.id")
    page.keyboard.press("n")
    assert shown(page, "label.pair.id") != first
    page.keyboard.press("Escape")
    wait_until_saved(page)
    assert state_of(workspace).events[-1].kind == "not_same"
    page.reload()
    page.wait_for_selector(".label[data-mode=card]", timeout=TIMEOUT_MS)
    assert first not in shown(page, "label.pairs.map(({ id }) => id)")


def test_help__names_every_key(page: Page, studio: str) -> None:
    open_card(page, studio)
    page.keyboard.press("?")
    expect(page.locator(".label-help")).to_be_visible()
    keys = page.locator(".label-help kbd").all_inner_texts()
    assert {"Enter", "1", "9", "A", "S", "P", "U", "X", "Space", "Ctrl", "Z", "Y", "N"} <= {*keys}
    page.keyboard.press("Escape")
    expect(page.locator(".label-help")).to_be_hidden()


def test_hover__enlarges_a_tile(page: Page, studio: str) -> None:
    open_card(page, studio)
    page.locator(".label-tiles figure").first.hover(position={"x": 8, "y": 90})
    expect(page.locator(".label-zoom img")).to_be_visible()
    box = page.locator(".label-zoom img").bounding_box()
    assert box is not None
    assert box["height"] == 320


def test_restart__nothing_is_lost_and_nothing_doubled(
    page: Page, crowd: Path, tmp_path: Path
) -> None:
    location, port, log = make_workspace(crowd, tmp_path), free_port(), tmp_path / "studio.log"
    cards = []
    with serve(str(location), log=log, port=port) as address:
        open_card(page, address)
        cards.append(sorted(shown(page, CHOSEN)))
        press_for_next(page, "Enter")
        wait_until_saved(page)
    for _ in range(2):  # while no server is there: the next cards are in the browser
        cards.append(sorted(shown(page, CHOSEN)))
        press_for_next(page, "Enter")
    assert page.locator(".label").get_attribute("data-open") == "2"
    with serve(str(location), log=log, port=port) as address:
        open_card(page, address)  # a new page: it finds what the one before left
        wait_until_saved(page)
        expect(page.locator(".label-progress")).to_contain_text(re.compile("3 of 10 people.*saved"))
    assert [list(known.images) for known in state_of(location).identities] == cards


# A server that is slow: the page knows what it was told, and shows nothing twice


def test_slow__a_card_whose_person_was_just_joined_elsewhere_is_passed_over(
    page: Page, studio: str
) -> None:
    open_card(page, studio)
    assert shown(page, "label.queue.length") > 1
    over = shown(page, "label.queue[0].id")
    others = "label.queue[1].tiles.slice(0, 2).map((tile) => ({ ...tile, isChosen: false }))"
    shown(page, f"label.queue[0].tiles.push(...{others})")  # the rest of its cluster
    of_person = "label.queue[0].tiles.filter((tile) => tile.isChosen).map((tile) => tile.image)"
    shown(page, f"label.pending.set('late', {{ kind: 'add', images: {of_person} }})")
    press_for_next(page, "Space")
    assert shown(page, "label.work.card.id") != over
    wait_until_saved(page)


def test_slow__a_candidate_is_not_offered_again_when_its_act_is_stored(
    page: Page, studio: str
) -> None:
    open_card(page, studio)
    own = shown(page, "label.shown[0].tiles.map((tile) => tile.image)")
    offered = "label.shown.flatMap(({ tiles }) => tiles.map((tile) => tile.image))"
    assert set(own) <= set(shown(page, offered))
    shown(page, f"label.pending.set('late', {{ kind: 'add', images: {own} }})")
    # The act is stored; the card on the screen is still that of before.
    answer = "{ ...label.data, cards: [], stored: ['late'] }"
    shown(page, f"label.past.push({{ work: label.work }}) && label.update({answer}, () => {{}})")
    assert shown(page, "label.pending.size") == 0
    assert not set(own) & set(shown(page, offered))


def test_slow__a_page_drawn_anew_does_not_ask_again_what_is_on_its_way(
    page: Page, studio: str
) -> None:
    open_card(page, studio)
    card, images = shown(page, "label.work.card.id"), shown(page, CHOSEN)
    act = f"{{ kind: 'create', card: '{card}', images: {images} }}"
    kept = f"label.outbox.deliver = () => {{}}, label.outbox.put({act})"
    shown(page, kept)  # the server is not reached
    again = "new label.constructor(label.root, label.data.workspace, label.data.author)"
    asked = shown(
        page,
        f"(() => {{ label.dispose(); const again = {again}; again.update(label.data, () => {{}});"
        " return again.work?.card.id; })()",
    )
    assert asked != card
