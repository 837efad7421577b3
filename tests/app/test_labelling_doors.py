"""The labelling door: acts that a browser sends, once or again, whole or nonsense."""

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from app import payloads, services
from app.payloads import Desk
from pul.labelling.annotations import fold
from pul.store import sqlite_files
from pul.store.workspace import Workspace
from tests.app.outbox import act, images_of, outbox


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
    outcome = services.acts.store(place, "ann", {"token": "x"} | commit)
    assert outcome.is_refused
    assert outcome.text.startswith("Not stored: ")
    assert len(outcome.text) + len(outcome.kind) < 600
    assert services.labels.read_annotations(place).events == ()


@pytest.mark.parametrize("name", ["n" * 3_000_000, "a\0b", "a\ud800", 7, None, ["x"]])
def test_store__a_name_that_cannot_be_written_down_is_refused(place: str, name: object) -> None:
    services.acts.store(place, "ann", act(1, "create", images=[1]))
    outcome = services.acts.store(place, "ann", act(2, "rename", identity=1, name=name))
    assert outcome.is_refused
    assert len(outcome.text) < 600
    assert [e.kind for e in services.labels.read_annotations(place).events] == ["create"]


def test_store__what_was_dropped_is_refused(place: str) -> None:
    images, others = images_of(place, 1), images_of(place, 2)
    commit = act(
        1, "create", images=images, dropped=others[:1], rejected=[others[1:3], others[3:4]]
    )
    services.acts.store(place, "ann", commit)
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
        services.acts.store(place, "ann", act(number, "create", images=[number]))
    question = {"left": left, "right": right}
    outcome = services.acts.store(place, "ann", act(3, "pair", question=question, answer=answer))
    assert not outcome.is_refused, outcome.text
    assert services.labels.read_annotations(place).events[-1].kind == kind


def test_undo__takes_back_ones_own_last_act_only(place: str) -> None:
    services.acts.store(place, "ann", act(1, "create", images=[1, 2]))
    services.acts.store(place, "bob", act(2, "create", images=[3]))
    undone = services.acts.store(place, "ann", act(3, "undo"))
    assert undone.text == "Undone: ID_001 made of 2 images."
    assert [known.images for known in services.labels.read_annotations(place).identities] == [(3,)]
    again = services.acts.store(place, "ann", act(4, "redo"))
    assert again.text == "Redone: ID_001 made of 2 images."
    assert services.acts.store(place, "cy", act(5, "undo")).is_refused


def test_report__merge_says_how_many(place: str) -> None:
    for number in (1, 2, 3):
        services.acts.store(place, "ann", act(number, "create", images=[number]))
    outcome = services.acts.store(place, "ann", act(4, "merge", identities=[1, 2, 3]))
    assert outcome.text == "3 identities merged into ID_001 (with ID_002, ID_003), now 3 images."


def test_history__says_who_did_what_and_what_was_taken_back(place: str) -> None:
    desk = Desk()
    desk.receive(place, outbox(act(1, "create", images=images_of(place, 1))), "Ann Lee")
    desk.receive(place, outbox(act(2, "undo")), "Ann Lee")
    desk.receive(place, outbox(act(3, "junk", images=images_of(place, 2))), "bob")
    rows = services.history.history(place)
    assert [(row["who"], row["what"], row[""]) for row in rows] == [
        ("bob", "8 images marked as junk", ""),
        ("Ann Lee", "undo: ID_001 made of 8 images", ""),
        ("Ann Lee", "ID_001 made of 8 images", "undone"),
    ]
    assert all(len(row["when"]) == 19 for row in rows)


def test_pace__ignores_what_was_undone(place: str) -> None:
    seconds = (10.0, 6.0, 500.0)
    for number, duration in enumerate(seconds, 1):
        commit = act(number, "create", images=[number], seconds=duration)
        services.acts.store(place, "ann", commit)
    services.acts.store(place, "ann", act(4, "unsure", images=[9], seconds=2.0))
    pace = services.labels.pace(services.labels.read_annotations(place), n_clusters=12)
    assert (pace.n_identities, pace.n_images, pace.next_number, pace.goal) == (3, 3, 4, 10)
    assert pace.seconds == pytest.approx((10 + 6 + 60 + 2) / 3)  # a pause counts as a minute


# Two at once


def test_store__two_undos_at_once_take_two_acts_back(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one author in two windows: what an act comes to is settled while nobody else stores."""
    for number, pid in enumerate((1, 2, 3), start=1):
        services.acts.store(place, "ann", act(number, "create", images=images_of(place, pid)))
    both = threading.Barrier(2)

    def check_and_meet(*_args: object) -> None:
        both.wait(10)  # both have seen the same last act by now

    monkeypatch.setattr(services.acts, "_check_images", check_and_meet)
    outcomes = []
    threads = [
        threading.Thread(
            target=lambda n=n: outcomes.append(services.acts.store(place, "ann", act(n, "undo")))
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
    report = services.history.report

    def store_another_first(before, after, what, number):
        monkeypatch.setattr(services.acts, "report", report)
        with Workspace.open(place) as other:
            content = {"images": images_of(place, 4), "name": "", "role": "training"}
            other.append_annotation_event("create", content, "ben")
            events = other.annotation_events()
        return report(before, fold(events), what, number)

    monkeypatch.setattr(services.acts, "report", store_another_first)
    stored = services.acts.store(place, "ann", act(1, "create", images=images_of(place, 1)))
    assert stored.text.startswith("ID_001 made of")


def test_log_name__two_servers_that_see_none_agree(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workspace, "get_setting", lambda *_: None)
    assert services.labels.log_name(place) == services.labels.log_name(place)
