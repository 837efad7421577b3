"""Second opinions: given blind, compared by hand and with scikit-learn, and never silent."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from pul.labelling.agreement import (
    agreement,
    agreement_by_annotator,
    blind_card,
    comparisons,
    wanted_opinions,
)
from pul.labelling.annotations import Act, create, fold, merge, remove, rename, second, settle, undo
from tests.support.events import Stored, log, members, said
from tests.support.people import make_people


def test_second__changes_no_identity_until_somebody_decides() -> None:
    acts = [("ann", create([1, 2, 3], refused=[4])), ("bob", second(1, [1, 2, 4], refused=[3]))]
    assert members(said(*acts)) == {1: (1, 2, 3)}
    for act, expected in (
        (settle(2, is_taken=False), (1, 2, 3)),
        (settle(2, is_taken=True), (1, 2, 4)),
    ):
        state = said(*acts, ("cat", act))
        assert members(state) == {1: expected}
        assert [each.is_settled for each in comparisons(state)] == [True]
    state = said(*acts, ("cat", settle(2, is_taken=True)), ("cat", undo(3)))
    assert members(state) == {1: (1, 2, 3)}
    assert [each.is_settled for each in comparisons(state)] == [False]


def test_comparisons__by_hand() -> None:
    state = said(
        ("ann", create([1, 2, 3], refused=[4])), ("bob", second(1, [1, 2, 4, 5], refused=[3]))
    )
    (compared,) = comparisons(state)
    assert (compared.first, compared.second, compared.shown) == ("ann", "bob", (1, 2, 3, 4, 5))
    assert compared.in_conflict == {3, 4, 5}
    found = agreement([compared])
    # Together: 3 pairs of ann's, 6 of bob's, of which 1 is both's: 7 are in conflict.
    assert (found.n_cards, found.n_pairs, found.n_conflicts) == (1, 10, 7)
    assert found.adjusted_rand == pytest.approx(
        adjusted_rand_score([0, 0, 0, 1, 2], [0, 0, 1, 0, 0])
    )


def test_agreement__of_the_same_answers_and_of_none() -> None:
    same = said(("ann", create([1, 2, 3], refused=[4])), ("bob", second(1, [1, 2, 3], refused=[4])))
    assert agreement(comparisons(same)).adjusted_rand == 1
    assert agreement(comparisons(same)).n_conflicts == 0
    assert np.isnan(agreement([]).adjusted_rand)


def test_agreement_by_annotator__counts_the_cards_that_each_shares() -> None:
    state = said(
        ("ann", create([1, 2])),
        ("ann", create([3, 4])),
        ("bob", second(1, [1, 2])),
        ("cat", second(2, [3], refused=[4])),
    )
    found = agreement_by_annotator(comparisons(state))
    assert {name: (each.n_cards, each.n_conflicts) for name, each in found.items()} == {
        "ann": (2, 1),
        "bob": (1, 0),
        "cat": (1, 1),
    }


def test_comparisons__follow_a_merge_and_leave_out_who_is_gone() -> None:
    acts = [("ann", create([1, 2])), ("ann", create([3, 4])), ("bob", second(2, [3, 4]))]
    assert [each.identity for each in comparisons(said(*acts, merge([1, 2])))] == [1]
    assert comparisons(said(*acts, ("ann", undo(2)))) == []


def test_wanted_opinions__of_a_share_never_ones_own_nor_twice() -> None:
    acts = [("ann", create([n, 1000 + n])) for n in range(1, 201)]
    state = said(*acts)
    assert wanted_opinions(state, "bob", 0.0) == []
    assert wanted_opinions(state, "ann", 1.0) == []
    assert len(wanted_opinions(state, "bob", 1.0)) == 200
    tenth, half = (wanted_opinions(state, "bob", share) for share in (0.1, 0.5))
    assert 8 <= len(tenth) <= 36
    assert set(tenth) < set(half)
    answered = said(*acts, ("cat", second(half[0], [half[0]])))
    assert wanted_opinions(answered, "bob", 0.5) == half[1:]


@pytest.mark.parametrize(
    "after",
    [[], [rename(1, "x")], [remove(1, [100])], [rename(1, "x"), undo(2)]],
    ids=["made", "renamed", "taken out of", "undone"],
)
def test_blind_card__is_as_if_nobody_had_answered_it(after: list[Act]) -> None:
    people = make_people(noise=0.3)
    index = people.index()
    own = people.image_ids[people.pids == 4].tolist()
    other = people.image_ids[people.pids == 5].tolist()
    acts = [create(own), *after]
    found = blind_card(index, said(*acts, create(other)), 1)
    assert found is not None
    card, before = found
    fresh = said(create(other))
    assert sorted(card.images[card.chosen].tolist()) == sorted(own)
    assert before.identities[0].images == fresh.identities[0].images
    assert len(before.identities) == 1
    assert not set(own) & before.owners.keys()


def test_blind_card__of_images_that_the_iteration_does_not_have() -> None:
    state = fold([Stored(1, "ann", "create", create([1, 2]).payload)])
    assert blind_card(make_people(2).index(), state, 1) is None


def test_fold__second_opinions_bit_by_bit_as_at_once() -> None:
    events = log(create([1, 2]), ("bob", second(1, [1])), settle(2, is_taken=True))
    state = fold(events[:1])
    for event in events[1:]:
        state = fold([event], state)
    assert state == fold(events)
