"""Left and right flanks: never compared by a card, a candidate or a pair where the user says so.

Of each animal both flanks were seen by three cameras. The left flank of animal n and the right
flank of animal n + 1 look the same: whoever compares sides takes them for one animal.
"""

import numpy as np

from pul.arrays import FloatArray
from pul.data.footage import Footage, find_tracklets
from pul.labelling.annotations import Annotations, Side, create
from pul.labelling.suggestions import (
    SuggestionIndex,
    build_index,
    next_cards,
    pair_questions,
    suggest_more,
)
from pul.labelling.suggestions.groups import group
from pul.labelling.suggestions.sides import bar_other_sides, shown_sides, sides_of
from tests.support.events import said

N_ANIMALS, N_CAMERAS, N_IMAGES = 6, 3, 4
SIDES = ("left", "right")


def animals() -> tuple[FloatArray, list[int], list[str], list[int]]:
    """Return features (N, 32), and the animal, side and camera of each image."""
    random = np.random.default_rng(0)
    looks = random.normal(size=(N_ANIMALS, 32))
    rows = [
        (looks[(animal + number) % N_ANIMALS] + random.normal(size=32) * 0.25, animal, side, camera)
        for animal in range(N_ANIMALS)
        for number, side in enumerate(SIDES)
        for camera in range(1, N_CAMERAS + 1)
        for _ in range(N_IMAGES)
    ]
    features, pids, sides, cameras = (list(column) for column in zip(*rows, strict=True))
    return np.array(features, dtype=np.float32), pids, sides, cameras


def index_of(sides: list[str] | None, tracklets: list[str] | None = None) -> SuggestionIndex:
    """Return the index of one cluster for each look: two flanks of two animals in each."""
    features, pids, shown, cameras = animals()
    looks = [(p + SIDES.index(s)) % N_ANIMALS for p, s in zip(pids, shown, strict=True)]
    footage = Footage.of(np.array(cameras), sides=sides, tracklets=tracklets)
    n_images = len(features)
    return build_index(
        features,
        np.array(looks, dtype=np.int64),
        np.full(n_images, 0.9, dtype=np.float32),
        np.arange(n_images),
        footage,
    )


def sides_on(images: np.ndarray) -> set[str]:
    return {animals()[2][image] for image in images.tolist()}


def test_next_cards__hold_one_side() -> None:
    cards = next_cards(index_of(animals()[2]), Annotations(), n=2 * N_ANIMALS)
    assert {len(sides_on(card.images)) for card in cards} == {1}
    pids = np.array(animals()[1])
    assert {len(set(pids[card.images].tolist())) for card in cards} == {1}
    mixed = next_cards(index_of(None), Annotations(), n=N_ANIMALS)
    assert {len(sides_on(card.images)) for card in mixed} == {2}  # what sides keep apart


def test_next_cards__an_image_of_no_known_side_is_compared_with_all() -> None:
    sides = list(animals()[2])
    sides[0] = ""
    (card,) = (c for c in next_cards(index_of(sides), Annotations(), n=12) if 0 in c.images)
    others = {sides[image] for image in card.images.tolist()} - {""}
    assert len(others) == 1


def test_suggest_more__candidates_show_a_side_of_the_person() -> None:
    _, pids, sides, cameras = animals()
    index = index_of(sides)
    one = [n for n in range(len(pids)) if pids[n] == 2 and cameras[n] == 1]
    left = [n for n in one if sides[n] == "left"]
    found = np.concatenate([c.images for c in suggest_more(index, Annotations(), left)])
    assert sides_on(found) == {"left"}
    assert pids[found[0]] == 2
    both = np.concatenate([c.images for c in suggest_more(index, Annotations(), one)])
    best = both[: 4 * N_IMAGES]  # two cameras, two flanks
    assert {pids[image] for image in best.tolist()} == {2}
    assert sides_on(best) == set(SIDES)


def test_pair_questions__ask_about_one_side() -> None:
    _, pids, sides, _ = animals()
    index = index_of(sides)
    right = [n for n in range(len(pids)) if pids[n] == 3 and sides[n] == "right"]
    state = said(create(right))
    questions = pair_questions(index, state, n=200)
    assert questions
    for question in questions:
        assert sides_on(np.array(question.left_images)) == sides_on(np.array(question.right_images))
    assert any(
        question.left == Side(identity=state.identities[0].identity) for question in questions
    )


def test_sides_of__by_hand() -> None:
    """Groups: a left image; left and right; right; one that is not known; left and not known."""
    shown = shown_sides(np.array([0, 0, 1, 1, -1, 0, -1]))
    sides = sides_of(shown, group(np.array([0, 1, 1, 2, 3, 4, 4])))
    left, right, both = [True, False], [False, True], [True, True]
    assert sides.tolist() == [left, both, right, both, left]
    cosines = bar_other_sides(np.zeros((5, 5), dtype=np.float32), sides, sides)
    barred = np.isneginf(cosines)
    assert np.argwhere(barred).tolist() == [[0, 2], [2, 0], [2, 4], [4, 2]]
    alike = shown_sides(np.array([0, 0, -1]))  # one side alone: all are compared
    assert alike.tolist() == [[True]] * 3


def test_find_tracklets__of_two_sides_only_where_the_data_names_them() -> None:
    embedding = np.array([[1, 0], [1, 0], [1, 0]], dtype=np.float32)
    frames, cameras = np.array([10, 12, 14]), np.ones(3, dtype=np.int64)
    sides = ["left", "right", ""]
    apart = Footage.of(cameras[:2], frames=frames[:2], sides=sides[:2])
    assert find_tracklets(embedding[:2], apart).tolist() == [0, 1]
    named = Footage.of(cameras[:2], frames=frames[:2], sides=sides[:2], tracklets=["a", "a"])
    assert find_tracklets(embedding[:2], named).tolist() == [0, 0]
    assert find_tracklets(embedding, Footage.of(cameras, frames=frames)).tolist() == [0, 0, 0]


def test_next_cards__a_named_tracklet_shows_both_of_its_sides() -> None:
    """An animal that turns while it is tracked is one animal, as the data says."""
    _, pids, sides, cameras = animals()
    names = [f"{p}-{c}" if p == 0 else "" for p, c in zip(pids, cameras, strict=True)]
    index = index_of(sides, names)
    card = next(c for c in next_cards(index, Annotations(), n=12) if 0 in c.images)
    turned = [n for n in range(len(pids)) if pids[n] == 0]
    assert set(turned) <= set(card.images[card.chosen].tolist())
