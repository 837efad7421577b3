"""Cards and identities as they are sent to the browser, without one."""

import json
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app import payloads, services
from app.payloads import Desk
from app.services.cards import Board, Card
from app.services.identities import identity_rows, outliers
from pul.store.workspace import Workspace
from tests.app.outbox import PLACE, act, images_of, outbox


def next_cards(board: Board, *, n: int, skipped: Sequence[str] = ()) -> list[Card]:
    cards = services.cards.next_cards(board, n=n, skipped=skipped)
    return [services.cards.lay_out(board, card) for card in cards.values()]


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
    board = services.cards.board(place, *PLACE)
    (part,) = services.picked.split(board, [*chosen, *chosen])
    assert card.card_id == part.name
    commit = act(1, "create", images=chosen, card=card.card_id)
    assert desk.finish_picks(desk.receive(place, outbox(commit), "ann"))
    assert not desk.finish_picks({card.card_id})
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
        services.acts.store(place, "ann", commit)
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
    payload = payloads.card_payload(place, Desk(), cards, pairs, rows, (1, 2, 3), n_clusters=10)
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
    services.acts.store(place, "ann", act(1, "create", images=mixed))
    services.acts.store(place, "bob", act(2, "create", images=images_of(place, 2)))
    first, second = identity_rows(place, *PLACE)
    assert (len(first.members), len(second.members)) == (8, 8)  # the last opinion counts
    assert [flag.kind for flag in first.flags][:1] == ["contradiction"]
    assert first.nearest == second.identity
    assert first.n_cameras == 3
    assert 0 < first.compactness <= 1


def test_outliers__one_far_from_many() -> None:
    cosines = np.array([0.90, 0.91, 0.89, 0.90, 0.92, 0.40], dtype=np.float32)
    assert outliers(cosines).tolist() == [False] * 5 + [True]
    assert not outliers(cosines[-3:]).any()  # three are too few to tell


# The oracle


def test_oracle__labels_and_is_taken_back_but_not_people(place: str) -> None:
    services.acts.store(place, "ann", act(1, "create", images=images_of(place, 1)))
    assert services.oracle.has_truth(place, 1)
    report = services.oracle.label_by_oracle(place, *PLACE, 4)
    assert len(services.labels.read_annotations(place).identities) >= 3
    assert report.precision == 1.0
    assert services.oracle.undo_all(place) > 0
    assert services.oracle.n_acts(place) == 0
    assert len(services.labels.read_annotations(place).identities) == 1
