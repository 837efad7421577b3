"""The index made in blocks and by neighbours, against all compared with all."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pul.arrays import l2_normalize
from pul.data import footage
from pul.data.footage import Footage, embed
from pul.labelling import annotations
from pul.labelling.annotations import Annotations, fold
from pul.labelling.suggestions import (
    SuggestionIndex,
    build_index,
    building,
    cards,
    cells,
    index,
    likeness,
    next_cards,
    pair_questions,
    pairs,
    suggest_more,
)
from pul.labelling.suggestions.cells import make_cells
from pul.labelling.suggestions.colours import describe_colours
from tests.support.people import People, make_people

SMALL = {
    (building, "_BLOCK_BYTES"): 4 * 32 * 5,  # five rows
    (likeness, "_BLOCK_BYTES"): 4 * 32 * 5,
    (footage, "_BLOCK_BYTES"): 4 * 32 * 5,
    (cells, "_BLOCK_BYTES"): 4 * 32 * 5,
    (building, "_BLOCK"): 7,
    (cards, "_BLOCK"): 3,
}
AS_OF_MANY = {(building, "_ALL"): 0, (index, "_NEAR"): 50}


@pytest.fixture
def mixed() -> People:
    """People of whom a quarter of the images lie in the cluster of somebody else."""
    people = make_people(40, n_cameras=4, n_images=3, noise=0.9, seed=3)
    random = np.random.default_rng(0)
    strayed = random.random(len(people.pids)) < 0.25
    people.clusters[strayed] = random.integers(0, 40, strayed.sum())
    return people


def build(people: People, sizes: dict[Any, int], patch: pytest.MonkeyPatch) -> SuggestionIndex:
    for (module, name), size in sizes.items():
        patch.setattr(module, name, size)
    similarities = np.random.default_rng(1).random(len(people.pids)).astype(np.float32)
    return build_index(
        people.features, people.clusters, similarities, people.image_ids, people.footage()
    )


def ranks(values: list[float]) -> list[float]:
    return [sum(other < value for other in values) / (len(values) - 1) for value in values]


@pytest.mark.parametrize("sizes", [{}, SMALL, SMALL | AS_OF_MANY])
def test_build_index__doubts_are_those_of_all_compared_with_all(
    mixed: People, sizes: dict[Any, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = build(mixed, sizes, monkeypatch)
    n_bundles = len(made.means)
    members = [np.flatnonzero(made.images.of == bundle) for bundle in range(n_bundles)]
    means = [l2_normalize(made.embedding[rows].sum(axis=0)) for rows in members]
    clusters = [int(made.cluster_of[made.tracklets.groups.of[rows[0]]]) for rows in members]
    of_images = made.cluster_of[made.tracklets.groups.of]
    outside = [
        max(float(one @ other) for place, other in enumerate(means) if clusters[place] != own)
        for one, own in zip(means, clusters, strict=True)
    ]
    inside = [
        -min(float(mean @ each) for each in made.embedding[of_images == own])
        for mean, own in zip(means, clusters, strict=True)
    ]
    np.testing.assert_allclose(made.means, means, atol=1e-5)
    for reason, expected in (("near another cluster", outside), ("farthest pair inside", inside)):
        np.testing.assert_allclose(made.doubts[reason], ranks(expected), atol=2 / n_bundles)


@pytest.mark.parametrize("n_pairs", [0, 1, 12])
def test_next_cards__are_those_of_all_bundles_valued_at_once(
    mixed: People, n_pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = build(mixed, SMALL, monkeypatch)
    state = label(made, n_pairs)
    free = state.owner_of(made.image_ids) == 0
    sizes = np.bincount(made.images.of, free, len(made.means))
    known = [l2_normalize(made.embedding[made.rows_of(np.array(known.images))].sum(axis=0))
             for known in state.identities]  # fmt: skip
    alike = [max([0.0, *(float(mean @ one) for one in known)]) for mean in made.means]
    values = made.cohesion + 0.5 * np.log(np.maximum(sizes, 1))
    values = values + 0.2 * np.minimum(made.n_cameras, 4) - 0.5 * np.array(alike)
    if n_pairs >= cards.N_TYPICAL:
        doubt = np.mean(list(made.doubts.values()), axis=0)
        values = values + 0.5 * doubt * np.log(np.maximum(sizes, 1))
    least = 6 if (sizes >= 6).any() else 2
    values[sizes < least] = -np.inf
    expected: list[int] = []
    while len(expected) < 5 and np.isfinite(values.max()):
        expected.append(int(values.argmax()))
        values[made.clusters_of_bundles() == made.clusters_of_bundles()[expected[-1]]] = -np.inf
        if n_pairs < cards.N_TYPICAL:
            values = values - 0.5 * np.maximum(made.means @ made.means[expected[-1]], 0)
    assert [card.key for card in next_cards(made, state, n=5)] == expected


def label(made: SuggestionIndex, n_identities: int) -> Annotations:
    """Return annotations with so many identities: the first images of clusters."""
    acts = [
        annotations.create(made.image_ids[np.flatnonzero(made.clusters == cluster)[:5]].tolist())
        for cluster in range(n_identities)
    ]
    return fold_all(acts)


def fold_all(acts: list[annotations.Act]) -> Annotations:
    events = [
        SimpleNamespace(
            event_id=number, created_at="", author="Ann", kind=act.kind, payload=act.payload
        )
        for number, act in enumerate(acts, start=1)
    ]
    return fold(events)


def test_suggest_more__the_likest_by_sketch_have_what_all_have(
    mixed: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = build(mixed, {}, monkeypatch)
    pid = 5
    person = mixed.image_ids[mixed.pids == pid][:3].tolist()
    expected = suggest_more(few, Annotations(), person, n=6)
    few_compared = {(index, "_NEAR"): 100, (building, "_N_SKETCHED"): 16}
    many = build(mixed, AS_OF_MANY | few_compared, monkeypatch)
    assert many.sketch.shape == (len(many.tracklets.means), 16)
    own = np.unique(many.tracklets.groups.of[many.rows_of(np.array(person))])
    near = many.tracklets_near(own, np.ones(len(own), dtype=np.int64))
    assert near is not None
    assert 100 <= len(near) <= 103 < len(many.tracklets.means)
    found = suggest_more(many, Annotations(), person, n=6)
    assert found[0].images.tolist() == expected[0].images.tolist()
    mine, theirs = (
        {image for each in row for image in each.images.tolist() if mixed.truth()[image] == pid}
        for row in (found, expected)
    )
    assert mine == theirs
    assert len(mine) >= 6


def test_cells__around_a_cell_are_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    angles = np.deg2rad(np.array([0, 5, 80, 84, 178, 182]))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    made = make_cells(vectors, vectors[[0, 2, 4]])
    assert made.of.tolist() == [0, 0, 1, 1, 2, 2]
    monkeypatch.setattr(cells, "_N_PROBED", 2)
    assert made.around(0).tolist() == [0, 1, 2, 3]
    assert made.around(2).tolist() == [2, 3, 4, 5]
    monkeypatch.setattr(cells, "_N_PROBED", 9)
    assert made.around(0).tolist() == [0, 1, 2, 3, 4, 5]


def test_answers__follow_each_act(mixed: People, monkeypatch: pytest.MonkeyPatch) -> None:
    made = build(mixed, {}, monkeypatch)
    ids = made.image_ids.tolist()
    acts: list[annotations.Act] = []
    for act in (
        annotations.create(ids[:4]),
        annotations.create(ids[10:12]),
        annotations.add(1, ids[4:6]),
        annotations.junk(ids[20:21]),
        annotations.remove(2, ids[10:11]),
        annotations.merge([1, 2]),
        annotations.undo(6),
        annotations.undo(1),
    ):
        acts.append(act)
        state = fold_all(acts)
        answers = made.answers(state)
        assert made.answers(state) is answers
        owners = state.owner_of(made.image_ids)
        assert answers.owners.tolist() == owners.tolist()
        assert answers.free.tolist() == (owners == 0).tolist()
        people = sorted({owner for owner in owners.tolist() if owner > 0})
        assert answers.identities.tolist() == people
        means = [l2_normalize(made.embedding[owners == one].mean(axis=0)) for one in people]
        np.testing.assert_allclose(answers.means, means, atol=1e-5)


def test_answers__of_images_that_the_run_does_not_have(
    mixed: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = build(mixed, {}, monkeypatch)
    state = fold_all([annotations.create([1, 2]), annotations.create([10**6])])
    assert made.answers(state).free.all()
    assert made.answers(state).means.shape == (0, made.embedding.shape[1])


@pytest.mark.parametrize("block_bytes", [1, 4 * 32 * 5, 32 << 20])
def test_embed__in_blocks_is_what_it_is_at_once(
    block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(footage, "_BLOCK_BYTES", block_bytes)
    people = make_people(12, noise=0.5)
    centred = l2_normalize(people.features).astype(np.float64)
    for camera in np.unique(people.camids):
        centred[people.camids == camera] -= centred[people.camids == camera].mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    variances, directions = np.linalg.eigh(centred.T @ centred / len(centred))
    expected = centred @ (directions / np.maximum(variances, 1e-6) ** 0.25)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    embedding = embed(people.features, people.camids)
    # An embedding has no orientation: cosines are all there is to it.
    np.testing.assert_allclose(embedding @ embedding.T, expected @ expected.T, atol=1e-4)


def test_embed__of_a_sample_is_near_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    people = make_people(100, noise=0.5)
    exact = embed(people.features, people.camids)
    monkeypatch.setattr(footage, "_N_SAMPLED", len(exact) // 2)
    near = embed(people.features, people.camids)
    assert np.abs(exact @ exact.T - near @ near.T).max() < 0.1


def test_bundle__a_cluster_of_very_many_is_cut_first(
    mixed: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed.clusters[:] = 0
    made = build(mixed, {(likeness, "_MOST_LINKED"): 16}, monkeypatch)
    pids = mixed.pids[np.argsort(mixed.image_ids)]
    shares = [
        np.bincount(pids[made.images.members(bundle)]).max() / size
        for bundle, size in enumerate(made.images.sizes().tolist())
    ]
    sizes = made.images.sizes()
    assert np.average(shares, weights=sizes) > 0.95
    assert len(sizes) < len(pids) / 2


def test_build_index__where_no_frame_is_known_each_image_is_a_tracklet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    people = make_people(5)
    unknown = Footage.of(people.camids)
    ones = np.ones(len(people.pids), np.float32)
    made = build_index(people.features, people.clusters, ones, people.image_ids, unknown)
    assert made.tracklets.means is made.embedding  # not held twice
    assert made.moments.sizes().tolist() == [1] * len(people.pids)


def test_describe_colours__many_at_once_are_each_as_by_itself() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (130, 16, 8, 3), dtype=np.uint8)
    at_once = describe_colours(pixels)
    for place in (0, 63, 64, 129):
        alone = describe_colours(pixels[place : place + 1])[0]
        np.testing.assert_array_equal(at_once[place], alone)


@pytest.mark.parametrize(("first", "block"), [(2, 3), (256, 64)])
@pytest.mark.parametrize("n_identities", [0, 1, 12])
def test_pair_questions__are_the_best_of_all_pairs(
    mixed: People, n_identities: int, first: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = build(mixed, {(pairs, "_FIRST_PAIRS"): first, (pairs, "_BLOCK"): block}, monkeypatch)
    state = label(made, n_identities)
    free = state.owner_of(made.image_ids) == 0
    sides = [(each.identity, each.images) for each in state.identities]
    bundles = [made.images.members(number) for number in range(len(made.means))]
    bare = [made.image_ids[rows[free[rows]]].tolist() for rows in bundles]
    bare = sorted((images for images in bare if len(images) > 1), key=lambda images: -len(images))
    sides += [(None, tuple(images)) for images in bare]
    means = [l2_normalize(made.embedding[made.rows_of(np.array(images))].mean(axis=0))
             for _, images in sides]  # fmt: skip
    worth = {}
    for left in range(len(sides)):
        for right in range(left + 1, len(sides)):
            size = min(len(sides[left][1]), len(sides[right][1]))
            apart = (float(means[left] @ means[right]) - 0.55) / 0.15
            if not state.was_asked(sides[left][1], sides[right][1]):
                worth[left, right] = np.exp(-(apart**2)) * np.sqrt(size)
    expected = sorted(worth.values(), reverse=True)[:40]
    found = pair_questions(made, state, n=40)
    numbers = {side: number for number, side in enumerate(sides)}
    values = []
    for question in found:
        places = [
            numbers[side.identity, state.identity(side.identity).images]
            if side.identity
            else numbers[None, side.images]
            for side in (question.left, question.right)
        ]
        values.append(worth[min(places), max(places)])
    np.testing.assert_allclose(values, expected, rtol=1e-4)
    assert len(values) == 40
