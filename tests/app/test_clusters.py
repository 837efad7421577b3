"""The Clusters page: what needs features or people, its route, and the page without a browser."""

import json
from pathlib import Path

import numpy as np
import pytest
from starlette.requests import Request
from starlette.responses import Response

from app import services
from app.routes import maps, similar
from app.routes.maps import serve_map
from app.routes.similar import serve_similar
from app.services.desk import Desk
from pul.errors import ConfigError
from pul.store.workspace import Workspace
from tests.app.conftest import Open, component_data, text_of
from tests.app.fabricated import fabricate
from tests.app.test_map import label
from tests.app.test_routes import read

PLACE = (1, 2)


@pytest.fixture
def filled(location: Path, people: Path) -> str:
    fabricate(location, people, n_iterations=2, status="stopped")
    return str(location)


def stored(filled: str) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Return an iteration's arrays, its normalised features, and the people of its images."""
    with Workspace.open(filled) as workspace:
        arrays = workspace.arrays(*PLACE)
        pids = workspace.run_images(1, "train").pids
    features = arrays["features"]
    return arrays, features / np.linalg.norm(features, axis=1, keepdims=True), pids


# Purity and owners


def shares_by_loop(clusters: np.ndarray, people: np.ndarray, n_clusters: int) -> list[float]:
    shares = []
    for cluster in range(n_clusters):
        known = [p for c, p in zip(clusters, people, strict=True) if c == cluster and p > 0]
        most = max((known.count(person) for person in known), default=0)
        shares.append(most / len(known) if known else float("nan"))
    return shares


def test_purities__of_ground_truth_where_nobody_labelled(filled: str) -> None:
    arrays, _, pids = stored(filled)
    found = services.clusters.purities(filled, *PLACE)
    assert (found.source, found.n_people) == ("truth", 8)
    expected = shares_by_loop(arrays["clusters"], pids, 8)
    np.testing.assert_allclose(found.shares, expected, rtol=1e-6)
    counts = np.bincount(arrays["clusters"], minlength=8)
    assert found.overall == pytest.approx(float((expected * counts).sum() / 48))


def test_purities__of_labels_as_soon_as_there_are_some(filled: str) -> None:
    label(filled, [2, 3])
    arrays, _, pids = stored(filled)
    found = services.clusters.purities(filled, *PLACE)
    assert (found.source, found.n_people) == ("annotations", 2)
    people = np.where(np.isin(pids, [2, 3]), pids, 0)
    np.testing.assert_allclose(found.shares, shares_by_loop(arrays["clusters"], people, 8))


def test_purities__nobody_is_known(filled: str) -> None:
    with Workspace.open(filled) as workspace, workspace._database.write() as connection:
        connection.exec_driver_sql("UPDATE images SET pid = NULL")
    found = services.clusters.purities(filled, *PLACE)
    assert (found.source, found.n_people) == ("", 0)
    assert np.isnan(found.shares).all()
    assert np.isnan(found.overall)


def test_people_layer__holds_labels_and_no_truth(filled: str) -> None:
    before = maps.url(filled, *PLACE, "people", version=0)
    assert not layer(before)["owners"].any()
    made = label(filled, [5])
    owners = layer(maps.url(filled, *PLACE, "people", version=1))["owners"]
    pids = stored(filled)[2]
    assert owners.tolist() == [next(iter(made)) if pid == 5 else 0 for pid in pids]


def layer(address: str) -> dict[str, np.ndarray]:
    return read(bytes(serve_map(request(address.removeprefix(maps.PREFIX))).body))


def request(token: str, query: str = "") -> Request:
    return Request(
        {
            "type": "http",
            "method": "GET",
            "headers": [],
            "query_string": query.encode(),
            "path_params": {"token": token},
        }
    )


# What is similar


def test_similar_clusters__by_hand(filled: str) -> None:
    arrays, unit, _ = stored(filled)
    centers = arrays["centers"]
    found = services.clusters.similar_clusters(filled, *PLACE, [int(centers[3])])
    cosines = unit[centers] @ unit[centers[3]]
    order = [int(c) for c in np.argsort(-cosines, kind="stable") if c != 3][:6]
    assert [cluster for cluster, _ in found] == order
    np.testing.assert_allclose([cosine for _, cosine in found], cosines[order], atol=1e-6)


def test_nearest_identities__by_hand(filled: str) -> None:
    made = label(filled, [2, 6, 7])
    arrays, unit, pids = stored(filled)
    center = int(arrays["centers"][1])
    means = {each: unit[pids == pid].mean(axis=0) for each, pid in made.items()}
    cosines = {each: mean @ unit[center] / np.linalg.norm(mean) for each, mean in means.items()}
    found = services.clusters.nearest_identities(filled, *PLACE, [center])
    assert [each for each, _ in found] == sorted(cosines, key=lambda each: -cosines[each])
    np.testing.assert_allclose(dict(found)[found[0][0]], max(cosines.values()), atol=1e-6)


def test_nearest_identities__nobody_is_labelled(filled: str) -> None:
    assert services.clusters.nearest_identities(filled, *PLACE, [0]) == []


def test_alike__itself_first(filled: str) -> None:
    _, unit, _ = stored(filled)
    found = services.clusters.alike(filled, *PLACE, 7)
    assert found[0] == (7, pytest.approx(1.0))
    assert len(found) == 48  # no more images than there are
    np.testing.assert_allclose(
        [cosine for _, cosine in found], sorted(unit @ unit[7], reverse=True), atol=1e-6
    )


def test_halves__two_people_taken_together_come_apart(filled: str) -> None:
    arrays, unit, _ = stored(filled)
    clusters = arrays["clusters"]
    away = set(services.clusters.halves(filled, *PLACE, [0, 1]))
    both = np.flatnonzero(np.isin(clusters, [0, 1]))
    assert away < set(both.tolist())
    stay = [row for row in both if row not in away]
    # each image is nearer to the mean of its own half
    means = [unit[rows].mean(axis=0) for rows in (stay, sorted(away))]
    assert all(unit[row] @ means[0] > unit[row] @ means[1] for row in stay)
    assert all(unit[row] @ means[1] > unit[row] @ means[0] for row in away)


@pytest.mark.parametrize("images", [[48], [-1], []])
def test_similar_clusters__no_image_of_the_run(filled: str, images: list[int]) -> None:
    with pytest.raises(ConfigError, match="0 to 47"):
        services.clusters.similar_clusters(filled, *PLACE, images)


def tell_sides_apart(filled: str, sides: list[str]) -> None:
    """Give the training images sides, and let the run tell them apart."""
    with Workspace.open(filled) as workspace:
        numbers = workspace.run_images(1, "train").image_ids.tolist()
        config = workspace.run(1).config
        config["evaluation"]["side_aware"] = True
        with workspace._database.write() as connection:
            for number, side in zip(numbers, sides, strict=True):
                change = "UPDATE images SET side = ? WHERE image_id = ?"
                connection.exec_driver_sql(change, (side or None, number))
            connection.exec_driver_sql("UPDATE runs SET config = ?", (json.dumps(config),))


def draw_sides(filled: str) -> list[str]:
    """Return a side for each image: people 1 to 4 left, 5 to 7 rear, 8 of none that is known."""
    _, _, pids = stored(filled)
    ranks = np.searchsorted(np.unique(pids), pids)
    return ["left" if rank < 4 else "rear" if rank < 7 else "" for rank in ranks.tolist()]


def test_alike__images_of_another_side_are_not_compared(filled: str) -> None:
    sides = draw_sides(filled)
    tell_sides_apart(filled, sides)
    row = sides.index("rear")
    found = services.clusters.alike(filled, *PLACE, row)
    allowed = {n for n, side in enumerate(sides) if side in ("rear", "")}
    assert (found[0][0], {n for n, _ in found}) == (row, allowed)
    unknown = sides.index("")
    assert len(services.clusters.alike(filled, *PLACE, unknown)) == 48


def test_similar_clusters__of_another_side_are_not_compared(filled: str) -> None:
    sides = draw_sides(filled)
    tell_sides_apart(filled, sides)
    arrays, _, _ = stored(filled)
    shown = [{sides[n] for n in np.flatnonzero(arrays["clusters"] == c)} - {""} for c in range(8)]
    row = sides.index("left")
    own = int(arrays["clusters"][row])
    allowed = {c for c in range(8) if c != own and (not shown[c] or "left" in shown[c])}
    assert 0 < len(allowed) < 7
    found = services.clusters.similar_clusters(filled, *PLACE, [row])
    assert {cluster for cluster, _ in found} == allowed


def test_nearest_identities__of_another_side_are_not_compared(filled: str) -> None:
    _, _, pids = stored(filled)
    people = np.unique(pids)
    made = label(filled, [int(people[n]) for n in (0, 5, 7)])
    tell_sides_apart(filled, draw_sides(filled))
    row = int(np.flatnonzero(pids == people[4])[0])  # rear
    found = {
        identity for identity, _ in services.clusters.nearest_identities(filled, *PLACE, [row])
    }
    assert found == {identity for identity, pid in made.items() if pid in people[[5, 7]]}


def test_find_like_image__of_another_side_is_not_compared(filled: str) -> None:
    sides = draw_sides(filled)
    tell_sides_apart(filled, sides)
    with Workspace.open(filled) as workspace:
        numbers = workspace.run_images(1, "train").image_ids.tolist()
    row = sides.index("left")
    found = services.retrieval.find_like_image(
        filled, services.retrieval.Place(*PLACE), numbers[row], n=48
    )
    rows = {numbers.index(each.image_id) for each in found}
    assert rows == {n for n, side in enumerate(sides) if side != "rear" and n != row}


# The route


def ask(filled: str, query: str) -> Response:
    return serve_similar(request(similar.url(filled, *PLACE).removeprefix(similar.PREFIX), query))


def test_serve_similar__answers(filled: str) -> None:
    alike = json.loads(bytes(ask(filled, "alike=7").body))
    assert alike["images"][0][0] == 7
    to = json.loads(bytes(ask(filled, "to=0,1").body))
    assert sorted(to) == ["clusters", "identities"]
    assert len(to["clusters"]) in (6, 7)
    assert json.loads(bytes(ask(filled, "split=0").body)).keys() == {"images"}


@pytest.mark.parametrize("query", ["", "alike=x", "alike=1&to=2", "alike="])
def test_serve_similar__a_question_that_makes_no_sense(filled: str, query: str) -> None:
    assert ask(filled, query).status_code == 400


def test_serve_similar__an_image_that_is_not_there(filled: str) -> None:
    answer = ask(filled, "alike=4800")
    assert (answer.status_code, b"iteration" in bytes(answer.body)) == (404, True)


def test_serve_similar__another_token_is_none(filled: str) -> None:
    token = maps.url(filled, *PLACE).removeprefix(maps.PREFIX)
    assert serve_similar(request(token, "alike=1")).status_code == 403


# The page


def test_clusters__says_what_is_missing(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people, n_iterations=-1, status="running")
    assert "grouped for the first time" in text_of(open_studio("clusters"))


def test_clusters__what_the_browser_is_given(filled: str, open_studio: Open) -> None:
    studio = open_studio("clusters", sort="size", show="doubt")
    data = component_data(studio, "pul_clusters")
    assert (data["iteration"], data["newest"], data["lambda_"]) == (2, 2, 0.85)
    assert data["cameras"] == [1, 2, 3]
    assert (data["query"]["sort"], data["query"]["show"]) == ("size", "doubt")
    assert data["purity"]["source"] == "truth"
    assert data["identities"] == []
    assert data["has_map"]


def test_clusters__the_address_names_the_iteration(filled: str, open_studio: Open) -> None:
    data = component_data(open_studio("clusters", iteration="1"), "pul_clusters")
    assert data["iteration"] == 1
    assert component_data(open_studio("clusters", iteration="9"), "pul_clusters")["iteration"] == 2


def test_receive__a_person_made_by_name(filled: str) -> None:
    with Workspace.open(filled) as workspace:
        images = workspace.images("train").image_ids[:3].tolist()
    acts = [{"token": "a-1", "kind": "create", "images": images, "name": "Ann"}]
    desk = Desk()
    desk.receive(filled, {"commits": acts}, "me")
    assert desk.outcomes[-1].text == "Ann made of 3 images."
    refused = {"token": "a-2", "kind": "create", "images": images, "name": 7}
    desk.receive(filled, {"commits": [refused]}, "me")
    assert desk.outcomes[-1].is_refused
