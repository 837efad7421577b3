"""The labelling door and what is sent to the browser, without one."""

import json
import sqlite3
import threading
from base64 import b64decode
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from app import payloads, services
from app.payloads import Desk
from app.services.cards import Board, Card
from app.services.identities import identity_rows, outliers
from pul.errors import ConfigError
from pul.labelling.annotations import find_contradictions, fold
from pul.store import sqlite_files
from pul.store.workspace import Workspace
from tests.app.fabricated import draw_people, fabricate

PLACE = (1, 2)  # run and iteration


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_people(tmp_path_factory.mktemp("labelling") / "people", n_pids=10, n_images=8)


@pytest.fixture
def place(dataset: Path, tmp_path: Path) -> str:
    fabricate(tmp_path / "workspace", dataset, n_iterations=2, status="finished", n_planned=2)
    return str(tmp_path / "workspace")


def images_of(place: str, pid: int) -> list[int]:
    with Workspace.open(place) as workspace:
        table = workspace.run_images(1, "train")
        found: list[int] = table.image_ids[table.pids == pid].tolist()
    return found


def outbox(*commits: object) -> dict[str, object]:
    return {"commits": list(commits)}


def act(number: int, kind: str, **over: object) -> dict[str, object]:
    return {"token": f"ann-{number}", "kind": kind, **over}


def next_cards(board: Board, *, n: int, skipped: Sequence[str] = ()) -> list[Card]:
    cards = services.cards.next_cards(board, n=n, skipped=skipped)
    return [services.cards.lay_out(board, card) for card in cards.values()]


# Acts


def test_receive__stores_once_whatever_comes_again(place: str) -> None:
    first, second = (act(n, "create", images=images_of(place, n)) for n in (1, 2))
    desk = Desk()
    desk.receive(place, outbox(first), "ann")
    desk.receive(place, outbox(first, second), "ann")
    Desk().receive(place, outbox(first, second), "ann")  # a page that was reopened
    assert desk.stored == ["ann-1", "ann-2"]
    assert [event.kind for event in services.labels.read_annotations(place).events] == [
        "create",
        "create",
    ]


def test_receive__a_refused_act_does_not_hold_up_the_next(place: str) -> None:
    desk = Desk()
    wrong = act(1, "add", identity=99, images=images_of(place, 1))
    desk.receive(place, outbox(wrong, act(2, "create", images=images_of(place, 2))), "ann")
    assert [outcome.is_refused for outcome in desk.outcomes] == [True, False]
    assert "There is no identity 99" in desk.outcomes[0].text
    assert desk.stored == ["ann-1", "ann-2"]
    assert len(services.labels.read_annotations(place).identities) == 1


def test_receive__a_refusal_is_told_however_many_acts_come_with_it(place: str) -> None:
    desk = Desk()
    wrong = act(1, "add", identity=99, images=images_of(place, 1))
    others = [act(n, "create", images=images_of(place, n)) for n in range(2, 10)]
    desk.receive(place, outbox(wrong, *others), "ann")
    assert [outcome.token for outcome in desk.outcomes if outcome.is_refused] == ["ann-1"]
    desk.receive(place, outbox(*others), "ann")  # the browser knows by now
    assert not [outcome for outcome in desk.outcomes if outcome.is_refused]


def test_add__to_a_person_whose_images_another_has_claimed_meanwhile(place: str) -> None:
    images, more = images_of(place, 1), images_of(place, 2)
    Desk().receive(place, outbox(act(1, "create", images=images)), "ann")
    Desk().receive(place, outbox(act(2, "create", images=images)), "bob")
    first, second = (event.event_id for event in services.labels.read_annotations(place).events)
    desk = Desk()
    desk.receive(place, outbox(act(3, "add", identity=first, images=more)), "ann")
    assert not desk.outcomes[0].is_refused
    owners = services.labels.read_annotations(place).owners
    assert [{owners[image] for image in own} for own in (images, more)] == [{second}, {first}]


def test_add__to_a_person_who_was_taken_back_is_refused(place: str) -> None:
    desk = Desk()
    desk.receive(place, outbox(act(1, "create", images=images_of(place, 1)), act(2, "undo")), "ann")
    made = services.labels.read_annotations(place).events[0].event_id
    desk.receive(place, outbox(act(3, "add", identity=made, images=images_of(place, 2))), "ann")
    assert "it was taken back" in desk.outcomes[-1].text


def test_receive__a_locked_store_leaves_the_act_to_come_again(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_files, "LOCK_WAIT_S", 0.01)
    first, second = (act(n, "create", images=images_of(place, n)) for n in (1, 2))
    desk = Desk()
    with closing(sqlite3.connect(Path(place) / "pul.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        desk.receive(place, outbox(first, second), "ann")
    assert desk.stored == []
    assert desk.outcomes[0].text.startswith("Not stored yet, but kept in this browser")
    desk.receive(place, outbox(first, second), "ann")
    assert desk.stored == ["ann-1", "ann-2"]
    assert [event.kind for event in services.labels.read_annotations(place).events] == [
        "create",
        "create",
    ]


def test_receive__an_undo_that_comes_again_is_not_refused(place: str) -> None:
    acts = [act(1, "create", images=images_of(place, 1)), act(2, "undo")]
    Desk().receive(place, outbox(*acts), "ann")
    reloaded = Desk()
    reloaded.receive(place, outbox(*acts), "ann")
    assert [outcome.is_refused for outcome in reloaded.outcomes] == [False, False]
    assert len(services.labels.read_annotations(place).events) == 2


@pytest.mark.parametrize("commits", [None, 7, "abc", {}])
def test_receive__what_is_no_list_of_acts_is_ignored(place: str, commits: object) -> None:
    desk = Desk()
    desk.receive(place, {"commits": commits}, "ann")
    assert (desk.stored, desk.outcomes) == ([], [])


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {"token": 1, "kind": "create"},
        {"token": "x", "kind": None},
        {"token": "t" * 2_000_000, "kind": "junk", "images": [1]},
        {"token": "a\0b", "kind": "junk", "images": [1]},
        {"token": "a\ud800", "kind": "junk", "images": [1]},
        {"token": "", "kind": "junk", "images": [1]},
    ],
)
def test_receive__what_is_no_act_is_refused_once_and_the_queue_goes_on(
    place: str, wrong: object
) -> None:
    desk = Desk()
    for _ in range(2):
        desk.receive(place, outbox(wrong, act(1, "create", images=images_of(place, 1))), "ann")
    assert desk.stored == ["ann-1"]
    (told,) = [outcome for outcome in desk.outcomes if outcome.is_refused]
    assert told.text.startswith("Not stored: ")
    assert len(json.dumps(payloads.desk_payload(place, desk))) < 2000
    assert [e.kind for e in services.labels.read_annotations(place).events] == ["create"]


@pytest.mark.parametrize(
    "commit",
    [
        {"kind": "create", "images": []},
        {"kind": "create"},
        {"kind": "role", "identity": 1, "role": "king"},
        {"kind": "pair", "question": {"left": {}, "right": {}}, "answer": "same"},
        {"kind": "drop tables"},
        {"kind": "add", "identity": "a token that nobody sent", "images": [1]},
        {"kind": "k" * 3_000_000},
        {"kind": "create", "images": [1, 999_999]},
        {"kind": "create", "images": [0]},
        {"kind": "create", "images": [10**30]},
        {"kind": "create", "images": [1], "dropped": [999_999]},
        {"kind": "create", "images": [1], "rejected": [[2], [999_999]]},
        {"kind": "create", "images": [1], "rejected": 7},
        {"kind": "create", "images": "123"},
        {"kind": "create", "images": {"1": 2}},
        {"kind": "create", "images": [1.5]},
        {"kind": "create", "images": ["1"]},
        {"kind": "create", "images": [1], "card": "a\0b"},
        {"kind": "create", "images": [1], "card": "\ud800"},
        {"kind": "junk", "images": [-1, 1]},
        {"kind": "rename", "identity": 1, "name": "x"},
        {"kind": "split", "identity": 1, "images": [1]},
        {"kind": "remove", "identity": 1, "images": [1]},
        {"kind": "merge", "identities": [1, 2]},
        {"kind": "merge", "identities": 7},
        {"kind": "pair", "question": [], "answer": "same"},
        {"kind": "pair", "question": {"left": [], "right": []}, "answer": "same"},
        {
            "kind": "pair",
            "question": {"left": {"images": [1]}, "right": {"images": [999_999]}},
            "answer": "different",
        },
        {
            "kind": "pair",
            "question": {"left": {"images": [1]}, "right": {"identity": 8}},
            "answer": "unsure",
        },
    ],
)
def test_store__nonsense_is_refused_in_words(place: str, commit: dict[str, object]) -> None:
    outcome = services.labels.store(place, "ann", {"token": "x"} | commit)
    assert outcome.is_refused
    assert outcome.text.startswith("Not stored: ")
    assert len(outcome.text) + len(outcome.kind) < 600
    assert services.labels.read_annotations(place).events == ()


@pytest.mark.parametrize("name", ["n" * 3_000_000, "a\0b", "a\ud800", 7, None, ["x"]])
def test_store__a_name_that_cannot_be_written_down_is_refused(place: str, name: object) -> None:
    services.labels.store(place, "ann", act(1, "create", images=[1]))
    outcome = services.labels.store(place, "ann", act(2, "rename", identity=1, name=name))
    assert outcome.is_refused
    assert len(outcome.text) < 600
    assert [e.kind for e in services.labels.read_annotations(place).events] == ["create"]


def test_store__what_was_dropped_is_refused(place: str) -> None:
    images, others = images_of(place, 1), images_of(place, 2)
    commit = act(
        1, "create", images=images, dropped=others[:1], rejected=[others[1:3], others[3:4]]
    )
    services.labels.store(place, "ann", commit)
    state = services.labels.read_annotations(place)
    assert state.refused_by(state.identities[0].identity) == set(others[:4])


def test_store__adds_to_an_identity_that_was_on_its_way(place: str) -> None:
    first, second = images_of(place, 1), images_of(place, 2)
    Desk().receive(
        place,
        outbox(act(1, "create", images=first), act(2, "add", identity="ann-1", images=second)),
        "ann",
    )
    assert services.labels.read_annotations(place).identities[0].images == tuple(
        sorted(first + second)
    )


@pytest.mark.parametrize(
    ("left", "right", "answer", "kind"),
    [
        ({"identity": 1}, {"identity": 2}, "same", "merge"),
        ({"identity": 1}, {"images": [9]}, "same", "add"),
        ({"images": [9]}, {"identity": 1}, "same", "add"),
        ({"images": [9]}, {"images": [10]}, "same", "same"),
        ({"identity": 1}, {"identity": 2}, "different", "not_same"),
        ({"identity": 1}, {"images": [9]}, "unsure", "undecided"),
    ],
)
def test_store__answers_of_pairs(
    place: str, left: object, right: object, answer: str, kind: str
) -> None:
    for number in (1, 2):
        services.labels.store(place, "ann", act(number, "create", images=[number]))
    question = {"left": left, "right": right}
    outcome = services.labels.store(place, "ann", act(3, "pair", question=question, answer=answer))
    assert not outcome.is_refused, outcome.text
    assert services.labels.read_annotations(place).events[-1].kind == kind


def test_undo__takes_back_ones_own_last_act_only(place: str) -> None:
    services.labels.store(place, "ann", act(1, "create", images=[1, 2]))
    services.labels.store(place, "bob", act(2, "create", images=[3]))
    undone = services.labels.store(place, "ann", act(3, "undo"))
    assert undone.text == "Undone: ID_001 made of 2 images."
    assert [known.images for known in services.labels.read_annotations(place).identities] == [(3,)]
    again = services.labels.store(place, "ann", act(4, "redo"))
    assert again.text == "Redone: ID_001 made of 2 images."
    assert services.labels.store(place, "cy", act(5, "undo")).is_refused


def test_report__merge_says_how_many(place: str) -> None:
    for number in (1, 2, 3):
        services.labels.store(place, "ann", act(number, "create", images=[number]))
    outcome = services.labels.store(place, "ann", act(4, "merge", identities=[1, 2, 3]))
    assert outcome.text == "3 identities merged into ID_001, 3 images."


def test_history__says_who_did_what_and_what_was_taken_back(place: str) -> None:
    desk = Desk()
    desk.receive(place, outbox(act(1, "create", images=images_of(place, 1))), "Ann Lee")
    desk.receive(place, outbox(act(2, "undo")), "Ann Lee")
    desk.receive(place, outbox(act(3, "junk", images=images_of(place, 2))), "bob")
    rows = services.labels.history(place)
    assert [(row["who"], row["what"], row[""]) for row in rows] == [
        ("bob", "8 images marked as junk", ""),
        ("Ann Lee", "undo: ID_001 made of 8 images", ""),
        ("Ann Lee", "ID_001 made of 8 images", "undone"),
    ]
    assert all(len(row["when"]) == 19 for row in rows)


def test_history__shows_names_not_ids_and_tells_namesakes_apart(place: str) -> None:
    authors = [services.authors.of_browser(key) for key in ("one", "two", "three")]
    claims = {"iss": "https://a.org", "sub": "7", "name": "Ann Lee", "email": "ann@a.org"}
    logged_in = services.authors.of_login(claims)
    services.authors.give_name(place, authors[1], " Ann Lee ")
    services.authors.give_name(place, logged_in, services.authors.name_of_login(claims))
    for number, author in enumerate(["Ann Lee", *authors, logged_in, "Guest 3"], 1):
        services.labels.store(place, author, act(number, "junk", images=[number]))
    shown = [row["who"] for row in reversed(services.labels.history(place))]
    assert shown == ["Ann Lee", "Guest 1", "Ann Lee (2)", "Guest 3", "Ann Lee (3)", "Guest 3 (2)"]


def test_undo__namesakes_undo_their_own(place: str) -> None:
    first, second = (services.authors.of_browser(key) for key in ("one", "two"))
    for number, author in enumerate((first, second), 1):
        services.authors.give_name(place, author, "Ann")
        services.labels.store(place, author, act(number, "create", images=[number]))
    services.labels.store(place, first, act(3, "undo"))
    assert services.labels.store(place, first, act(4, "undo")).is_refused
    assert [known.images for known in services.labels.read_annotations(place).identities] == [(2,)]


def test_identities__what_two_browsers_say_of_one_image_is_a_contradiction(place: str) -> None:
    for number, key in enumerate(("one", "two"), 1):
        author = services.authors.of_browser(key)
        services.labels.store(place, author, act(number, "create", images=[1, number + 1]))
    (found,) = find_contradictions(services.labels.read_annotations(place))
    assert (found.kind, found.images) == ("two_identities", (1,))


@pytest.mark.parametrize("name", ["n" * 61, "a\0b", "a\ud800"])
def test_give_name__that_cannot_be_shown_is_refused(place: str, name: str) -> None:
    author = services.authors.of_browser("one")
    with pytest.raises(ConfigError, match="name"):
        services.authors.give_name(place, author, name)
    assert services.authors.given_name(place, author) == ""


def test_of_login__is_the_account_whatever_its_name() -> None:
    claims = {"iss": "https://a.org", "sub": "7", "name": "Ann", "email": "ann@a.org"}
    ann = services.authors.of_login(claims)
    assert ann == services.authors.of_login(claims | {"name": "Ann Lee", "email": "lee@a.org"})
    others = [{"sub": "8"}, {"iss": "https://b.org"}, {"iss": "https://a.org7", "sub": ""}]
    for other in others[:2]:
        assert services.authors.of_login(claims | other) != ann
    for missing in ({"sub": None}, {"iss": None}, others[2]):
        with pytest.raises(ConfigError, match="issuer and subject"):
            services.authors.of_login(claims | missing)


def test_of_browser__does_not_reveal_the_browsers_secret() -> None:
    assert "secret" not in services.authors.of_browser("secret")
    assert services.authors.of_browser("a") != services.authors.of_browser("b")


def test_pace__ignores_what_was_undone(place: str) -> None:
    seconds = (10.0, 6.0, 500.0)
    for number, duration in enumerate(seconds, 1):
        commit = act(number, "create", images=[number], seconds=duration)
        services.labels.store(place, "ann", commit)
    services.labels.store(place, "ann", act(4, "unsure", images=[9], seconds=2.0))
    pace = services.labels.pace(services.labels.read_annotations(place))
    assert (pace.n_identities, pace.n_images, pace.next_number, pace.goal) == (3, 3, 4, 50)
    assert pace.seconds == pytest.approx((10 + 6 + 60 + 2) / 3)  # a pause counts as a minute


def test_log_name__is_kept_and_is_the_workspaces_own(place: str, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    Workspace.create(other).close()
    assert services.labels.log_name(place) == services.labels.log_name(place)
    assert services.labels.log_name(place) != services.labels.log_name(other)


# Cards


def test_next_cards__leave_out_what_is_labelled_or_skipped(place: str) -> None:
    board = services.cards.board(place, *PLACE)
    first, second = next_cards(board, n=2)
    images = [tile.image for tile in first.tiles]
    desk = Desk()
    desk.receive(
        place, outbox(act(1, "create", images=images), act(2, "skip", card=second.card_id)), "ann"
    )
    cards = next_cards(services.cards.board(place, *PLACE), n=4, skipped=desk.skipped)
    assert not {tile.image for card in cards for tile in card.tiles} & set(images)
    assert second.card_id not in [card.card_id for card in cards]
    desk.receive(place, outbox(act(3, "unskip", card=second.card_id)), "ann")
    assert desk.skipped == []


def test_next_cards__of_another_iteration_are_not_skipped(place: str) -> None:
    board = services.cards.board(place, *PLACE)
    card = next_cards(board, n=1)[0]
    key = card.card_id.partition(":")[2]
    again = next_cards(board, n=1, skipped=[f"1:{key}", "2:x", "nonsense"])
    assert again[0].card_id == card.card_id


def test_next_cards__two_who_label_at_once_get_different_people(place: str) -> None:
    board = services.cards.board(place, *PLACE)
    ann, bob, everybody = Desk(desk_id="ann"), Desk(desk_id="bob"), Desk(desk_id="cat")
    names = [{card.card_id for card in desk.next_cards(board, 2)} for desk in (ann, bob)]
    assert [len(each) for each in names] == [2, 2]
    assert not names[0] & names[1]
    n_all = len(next_cards(board, n=99))
    rest = [card.card_id for card in everybody.next_cards(board, n_all)]
    theirs = [name in names[0] | names[1] for name in rest]
    assert theirs == sorted(theirs)  # what lies before others comes last
    assert not theirs[0]
    assert theirs[-1]
    late = Desk(desk_id="dan").next_cards(board, 2)  # nothing else is left
    assert [card.card_id for card in late] == [card.card_id for card in next_cards(board, n=2)]
    reloaded = Desk(desk_id="ann, reloaded").next_cards(board, 2, is_here=lambda who: who != "ann")
    assert {card.card_id for card in reloaded} & names[0]


def test_next_cards__chosen_images_come_first_until_they_are_answered(place: str) -> None:
    chosen, desk = images_of(place, 3)[:5], Desk()
    card = desk.next_cards(services.cards.board(place, *PLACE), 2, chosen)[0]
    assert sorted(tile.image for tile in card.tiles) == sorted(chosen)
    assert card.card_id == services.cards.name_of_images([*chosen, *chosen])
    commit = act(1, "create", images=chosen, card=card.card_id)
    assert card.card_id in desk.receive(place, outbox(commit), "ann")
    cards = desk.next_cards(services.cards.board(place, *PLACE), 2, chosen)
    assert card.card_id not in [each.card_id for each in cards]


def test_card__likeness_is_that_of_tracklets(place: str) -> None:
    board = services.cards.board(place, *PLACE)
    card = next_cards(board, n=1)[0]
    own = {tile.tracklet for each in (card, *card.candidates) for tile in each.tiles}
    tracklets = np.array(card.likeness.tracklets)
    assert tracklets.tolist() == sorted(own)
    steps = np.frombuffer(card.likeness.steps, dtype=np.int8).reshape(len(own), len(own))
    affinities = board.index.tracklets.affinities(tracklets, tracklets)
    assert np.abs(steps / services.cards.LIKENESS_STEPS - affinities).max() <= 0.5 / 84 + 1e-6


def test_more__leaves_out_what_was_refused(place: str) -> None:
    board = services.cards.board(place, *PLACE)
    card = next_cards(board, n=1)[0]
    images = [tile.image for tile in card.tiles if tile.is_chosen]
    refused = [tile.image for tile in card.candidates[0].tiles]
    more = services.cards.more(board, card.card_id, images, refused)
    offered = {tile.image for candidate in more.candidates for tile in candidate.tiles}
    assert offered
    assert not offered & {*images, *refused}


def test_card__nearest_identity_is_the_person_on_it(place: str) -> None:
    for number, pid in enumerate(range(1, 11)):
        commit = act(number, "create", images=images_of(place, pid)[:1])
        services.labels.store(place, "ann", commit)
    board = services.cards.board(place, *PLACE)
    state, right = board.state, 0
    cards = next_cards(board, n=4)
    assert cards
    for card in cards:
        own = {tile.image for tile in card.tiles if tile.is_chosen}
        pids = {pid for pid in range(1, 11) if own & set(images_of(place, pid))}
        nearest = set(state.identity(card.nearest[0]).images)
        right += any(nearest <= set(images_of(place, pid)) for pid in pids)
    assert right == len(cards)


def test_payload__fits_a_message_and_names_no_file(place: str) -> None:
    board = services.cards.board(place, *PLACE)
    rows = identity_rows(place, *PLACE)
    cards, pairs = next_cards(board, n=4), services.pairs.next_pairs(board, n=2)
    payload = payloads.card_payload(place, Desk(), cards, pairs, rows, (1, 2, 3))
    text = json.dumps(payload)
    with Workspace.open(place) as workspace:
        names = [Path(path).stem for path in workspace.run_images(1, "train").paths]
    assert not [name for name in names if name in text]
    assert "pid" not in text
    for card in payload["cards"]:
        likeness = card["likeness"]
        assert len(b64decode(likeness["steps"])) == len(likeness["tracklets"]) ** 2


# Identities


def test_identity_rows__counts_and_flags(place: str) -> None:
    mixed = [*images_of(place, 1), images_of(place, 2)[0]]
    services.labels.store(place, "ann", act(1, "create", images=mixed))
    services.labels.store(place, "bob", act(2, "create", images=images_of(place, 2)))
    first, second = identity_rows(place, *PLACE)
    assert (len(first.members), len(second.members)) == (8, 8)  # the last opinion counts
    assert [flag.kind for flag in first.flags][:1] == ["contradiction"]
    assert first.nearest == second.name
    assert first.n_cameras == 3
    assert 0 < first.compactness <= 1


def test_outliers__one_far_from_many() -> None:
    cosines = np.array([0.90, 0.91, 0.89, 0.90, 0.92, 0.40], dtype=np.float32)
    assert outliers(cosines).tolist() == [False] * 5 + [True]
    assert not outliers(cosines[-3:]).any()  # three are too few to tell


# The oracle


def test_oracle__labels_and_is_taken_back_but_not_people(place: str) -> None:
    services.labels.store(place, "ann", act(1, "create", images=images_of(place, 1)))
    assert services.oracle.has_truth(place, 1)
    report = services.oracle.label_by_oracle(place, *PLACE, 4)
    assert len(services.labels.read_annotations(place).identities) >= 3
    assert report.precision == 1.0
    assert services.oracle.undo_all(place) > 0
    assert services.oracle.n_acts(place) == 0
    assert len(services.labels.read_annotations(place).identities) == 1


# Two at once


def test_store__two_undos_at_once_take_two_acts_back(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one author in two windows: what an act comes to is settled while nobody else stores."""
    for number, pid in enumerate((1, 2, 3), start=1):
        services.labels.store(place, "ann", act(number, "create", images=images_of(place, pid)))
    both = threading.Barrier(2)

    def check_and_meet(*_args: object) -> None:
        both.wait(10)  # both have seen the same last act by now

    monkeypatch.setattr(services.labels, "_check_images", check_and_meet)
    outcomes = []
    threads = [
        threading.Thread(
            target=lambda n=n: outcomes.append(services.labels.store(place, "ann", act(n, "undo")))
        )
        for n in (4, 5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.text[:24] for outcome in outcomes) == [
        "Undone: ID_002 made of 8",
        "Undone: ID_003 made of 8",
    ]
    state = services.labels.read_annotations(place)
    assert [identity.name for identity in state.identities] == ["ID_001"]


def test_store__describes_the_act_and_not_a_later_one(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = services.labels._report

    def store_another_first(before, after, what, number):
        monkeypatch.setattr(services.labels, "_report", report)
        with Workspace.open(place) as other:
            content = {"images": images_of(place, 4), "name": "", "role": "training"}
            other.append_annotation_event("create", content, "ben")
            events = other.annotation_events()
        return report(before, fold(events), what, number)

    monkeypatch.setattr(services.labels, "_report", store_another_first)
    stored = services.labels.store(place, "ann", act(1, "create", images=images_of(place, 1)))
    assert stored.text.startswith("ID_001 made of")


def test_log_name__two_servers_that_see_none_agree(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workspace, "get_setting", lambda *_: None)
    assert services.labels.log_name(place) == services.labels.log_name(place)
