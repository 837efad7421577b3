"""Counts and words of the labelling, each against what the store holds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app import services
from app.services import drafts, picked
from app.services.labels import next_goal
from app.services.leases import Leases
from app.services.rewards import last_reward
from app.wording import validation_note
from pul.config import RunConfig
from pul.labelling import annotations
from pul.store.workspace import Workspace
from tests.app.fabricated import (
    draw_people,
    fabricate,
    iteration_arrays,
    iteration_record,
)
from tests.support.checkpoints import HOLLOW_MODEL

PLACE = (1, 1)  # run and iteration


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_people(tmp_path_factory.mktemp("numbers") / "people", n_pids=10, n_images=8)


@pytest.fixture
def place(dataset: Path, tmp_path: Path) -> str:
    fabricate(tmp_path / "workspace", dataset, n_iterations=1, status="finished", n_planned=1)
    return str(tmp_path / "workspace")


def say(place: str, act: annotations.Act, author: str = "ann") -> int:
    with Workspace.open(Path(place)) as workspace:
        return workspace.append_annotation_event(act.kind, act.payload, author)


@pytest.mark.parametrize(
    ("n_identities", "n_clusters", "goal"),
    [(0, 12, 10), (10, 12, 12), (12, 12, 0), (0, 8, 8), (0, 750, 10), (49, 750, 50), (692, 692, 0)],
)
def test_next_goal__fits_the_data(n_identities: int, n_clusters: int, goal: int) -> None:
    assert next_goal(n_identities, n_clusters) == goal


def test_history__tells_each_act_by_the_names_and_numbers_of_its_time(place: str) -> None:
    first, second = say(place, annotations.create([1, 2])), say(place, annotations.create([3]))
    say(place, annotations.rename(first, "Red"))
    say(place, annotations.rename(first, "Red coat"))
    say(place, annotations.merge([first, second]))
    say(place, annotations.remove(first, [1, 2]))  # one image is left by now
    texts = [row["what"] for row in reversed(services.history.history(place))]
    assert texts == [
        "ID_001 made of 2 images",
        "ID_002 made of 1 image",
        "ID_001 renamed to Red",
        "Red renamed to Red coat",
        "2 identities merged into Red coat (with ID_002), now 3 images",
        "2 images removed from Red coat",
    ]


def test_history__the_last_acts_alone_read_as_among_all(place: str) -> None:
    first = say(place, annotations.create([1, 2]))
    for name in ("a", "b", "c"):
        say(place, annotations.rename(first, name))
    say(place, annotations.undo(4))
    everything = services.history.history(place)
    assert services.history.history(place, 2) == everything[:2]
    assert everything[0]["what"] == "undo: b renamed to c"


def test_rename__to_somebody_elses_name_is_refused(place: str) -> None:
    first, second = say(place, annotations.create([1])), say(place, annotations.create([2]))
    say(place, annotations.rename(first, "Red coat"))
    for name in ("Red coat", "red COAT ", "ID_001"):
        commit = {"token": f"t{name[:3]}", "kind": "rename", "identity": second, "name": name}
        outcome = services.acts.store(place, "ann", commit)
        assert outcome.is_refused == (name != "ID_001")  # ID_001 is nobody's name by now
    again = {"token": "own", "kind": "rename", "identity": first, "name": "RED coat"}
    assert not services.acts.store(place, "ann", again).is_refused


def test_store__tells_whose_images_an_act_took(place: str) -> None:
    say(place, annotations.create([1, 2, 3], name="Red coat"), "bob")
    commit = {"token": "t", "kind": "create", "images": [2, 3, 4]}
    outcome = services.acts.store(place, "ann", commit)
    assert outcome.is_news
    assert outcome.text.endswith("2 of them in Red coat by bob.")
    own = {"token": "u", "kind": "add", "identity": 2, "images": [5]}
    assert not services.acts.store(place, "ann", own).is_news


# Cards


def test_split__a_pick_is_asked_cluster_by_cluster(place: str) -> None:
    board = services.cards.board(place, *PLACE)
    clusters = board.index.clusters
    images = board.index.image_ids
    big = images[clusters == clusters[0]]
    other = images[clusters == next(c for c in clusters if c != clusters[0])][:3]
    singles = [int(images[clusters == c][0]) for c in np.unique(clusters)[-3:]]
    singles = [i for i in singles if i not in big and i not in other]
    parts = picked.split(board, [*big.tolist(), *other.tolist(), *singles])
    assert [set(part.images) for part in parts] == [
        set(big.tolist()),
        set(other.tolist()),
        set(singles),
    ]
    assert [part.is_chosen for part in parts] == [True, True, False]
    card = picked.card_of(board, parts[-1])
    assert card is not None
    assert not any(tile.is_chosen for tile in card.tiles)


def test_split__more_than_a_card_holds_are_several_cards(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picked, "MOST_TILES", 3)
    board = services.cards.board(place, *PLACE)
    one = board.index.image_ids[board.index.clusters == board.index.clusters[0]]
    parts = picked.split(board, one.tolist())
    assert len(parts) == -(-len(one) // 3)
    assert sorted(i for part in parts for i in part.images) == sorted(one.tolist())
    assert parts[0].reason.endswith(f"card 1 of {len(parts)} for {len(one)} images of one cluster")


def test_reason__says_no_camera_where_none_is_known(tmp_path: Path, dataset: Path) -> None:
    known = tmp_path / "known"
    fabricate(known, dataset, n_iterations=1, status="finished", n_planned=1)
    board = services.cards.board(str(known), *PLACE)
    assert "camera" in next(iter(services.cards.next_cards(board, n=1).values())).reason
    unknown = replace(board.index.footage, camids=np.full(len(board.index.footage), -1))
    blind = replace(board, index=replace(board.index, footage=unknown))
    assert "camera" not in next(iter(services.cards.next_cards(blind, n=1).values())).reason


def test_reason__counts_the_judged_images_of_the_cluster(place: str) -> None:
    board = services.cards.board(place, *PLACE)
    laid = next(iter(services.cards.next_cards(board, n=1).values()))
    say(place, annotations.junk(laid.images[:2].tolist()))
    board = services.cards.board(place, *PLACE)
    again = next(
        card
        for card in services.cards.next_cards(board, n=20).values()
        if card.cluster == laid.cluster
    )
    assert f"cluster of {len(laid.images)} images (2 judged already)" in again.reason
    assert len(again.images) == len(laid.images) - 2


# Drafts


def test_restore__lays_a_draft_out_again(place: str) -> None:
    board = services.cards.board(place, *PLACE)
    own = board.index.image_ids[:6].tolist()
    plain = {
        "id": "1:7", "reason": "dense", "tiles": own[:4], "loose": [own[3]],
        "dropped": [own[0], own[3]], "accepted": [own[4:5]], "rejected": [own[5:6]],
    }  # fmt: skip
    ((draft,), told) = drafts.restore(board, [plain])
    assert [tile.image for tile in draft.card.tiles] == own[:4]
    assert [tile.is_chosen for tile in draft.card.tiles] == [True, True, True, False]
    assert (draft.card.card_id, draft.card.reason, draft.dropped) == (
        "1:7", "dense", (own[0], own[3]),
    )  # fmt: skip
    assert [[t.image for t in c.tiles] for c in draft.accepted] == [own[4:5]]
    offered = {t.image for c in draft.card.candidates for t in c.tiles}
    assert not offered & set(own)
    assert (draft.told, told) == ("", "")


def test_restore__leaves_out_what_others_judged_and_tells_it(place: str) -> None:
    one, two, three, four = services.cards.board(place, *PLACE).index.image_ids[:4].tolist()
    say(place, annotations.create([one, two]), "bob")
    board = services.cards.board(place, *PLACE)
    plain = {"id": "x", "tiles": [one, two, three], "accepted": [[four]]}
    ((draft,), _) = drafts.restore(board, [plain])
    assert [tile.image for tile in draft.card.tiles] == [three]
    assert draft.told == "2 images were labelled meanwhile: bob (2)."
    gone = [{"id": "x", "tiles": [one]}]
    assert drafts.restore(board, gone) == ([], "1 image was labelled meanwhile: bob (1).")


@pytest.mark.parametrize(
    "kept",
    [None, 3, "x", {}, [3], [{"tiles": "ab"}], [{"tiles": [True, -1, 2**70, 1.5, "1"]}],
     [{"tiles": [1], "accepted": 7, "rejected": [[[]]], "dropped": {}, "id": None}]],
)  # fmt: skip
def test_restore__takes_anything_a_browser_sends(place: str, kept: object) -> None:
    found, told = drafts.restore(services.cards.board(place, *PLACE), kept)
    assert len(found) <= 1
    assert told == ""


# Who is here, and what labels gave


def test_leases__say_who_else_is_on_how_many_cards() -> None:
    leases = Leases(now=lambda: 0.0)
    cards = {"a": 1, "b": 2, "c": 3}
    for who, author, n in (("one", "ann", 3), ("two", "bob", 1), ("three", "ann", 2)):
        chosen = dict(list(cards.items())[:n])
        leases.draw(who, lambda _, chosen=chosen: chosen, lambda _: True, author)  # type: ignore[misc]
    assert leases.others("two", lambda _: True) == {"ann": 5}
    assert leases.others("one", lambda who: who != "three") == {"bob": 1}
    leases.now = lambda: 301.0
    assert leases.others("two", lambda _: True) == {}


def test_validation_note__warns_where_people_are_few() -> None:
    assert validation_note(2) == "on your 2 validation identities, too few to judge by"
    assert validation_note(10) == "on your 10 validation identities"


def test_last_reward__is_that_of_the_newest_run_with_labels(place: str) -> None:
    assert last_reward(place) is None
    with Workspace.open(Path(place)) as workspace:
        pids = workspace.run_images(1, "train").pids
        config = RunConfig(**workspace.run(1).config)
        arrays = iteration_arrays(pids, 2, config.n_clusters)
        record = iteration_record(2, arrays, config, gain=0.02)
        labelled = replace(
            record, n_identities=3, n_annotated_images=24, annotations_hash="ab"
        )  # fmt: skip
        workspace.add_iteration(1, labelled, arrays, HOLLOW_MODEL)
    reward = last_reward(place)
    assert reward is not None
    assert (reward.run.run_id, reward.n_identities, reward.iteration) == (1, 3, 2)
    assert reward.words.headline == "+4.0 mAP over the start model"  # 22.4 % to 26.4 %
    assert reward.words.can_measure
