"""The Retrieval page in every state, and the services behind it, without a browser."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import services
from app.services.retrieval import Place
from pul.errors import ImageError
from pul.store.workspace import Workspace
from tests.app.conftest import Open, component_data, text_of
from tests.app.fabricated import fabricate


@pytest.fixture
def filled(location: Path, people: Path) -> str:
    fabricate(location, people, n_iterations=2, status="finished", has_rankings=True)
    return str(location)


def strip_data(studio: AppTest) -> dict[str, object]:
    """Return what the strip of queries was given."""
    return component_data(studio, "pul_query_strip")


def ranked_html(studio: AppTest) -> dict[str, list[str]]:
    """Return the lists of a page by the first two words of their names."""
    lists: dict[str, list[str]] = {"Found by": [], "True matches": []}
    for each in studio.get("bidi_component"):
        if each.proto.component_name == "pul_ranked":
            data = json.loads(each.proto.json)
            lists[" ".join(data["name"].split()[:2])].append(data["html"])
    return lists


def choose(studio: AppTest, kind: str) -> AppTest:
    """Choose what to search with."""
    studio.segmented_control[0].set_value(kind)
    return studio.run()


# The page


def test_retrieval__nobody_yet(open_studio: Open) -> None:
    assert "There is nothing to search yet." in text_of(open_studio("retrieval"))


def test_retrieval__the_first_features_are_being_extracted(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, n_iterations=-1)
    assert "The first features are being extracted." in text_of(open_studio("retrieval"))


def test_retrieval__the_newest_beside_the_baseline(filled: str, open_studio: Open) -> None:
    studio = open_studio("retrieval")
    assert not studio.exception
    text = text_of(studio)
    lists = ranked_html(studio)
    assert re.search(
        r"\*\*run 1, iteration 2\*\* · AP \d+\.\d · first true match at rank \d+", text
    )
    assert "**run 1, baseline** · AP" in text
    assert len(strip_data(studio)["tiles"]) == 8  # type: ignore[arg-type]
    assert [html.count('<figure class="') for html in lists["Found by"]] == [22, 22]
    assert "✓" in "".join(lists["Found by"])
    assert "✗" in "".join(lists["Found by"])
    chart = studio.get("plotly_chart")[0]  # of the CMC; the other is the threshold
    assert [t["name"] for t in json.loads(chart.proto.spec)["data"]] == [
        "run 1, iteration 2", "run 1, baseline",
    ]  # fmt: skip
    assert ".jpg" not in text + json.dumps(strip_data(studio))


def test_retrieval__one_alone(filled: str, open_studio: Open) -> None:
    studio = open_studio("retrieval")
    studio.toggle[0].set_value(False).run()
    assert "**run 1, baseline**" not in text_of(studio)


def test_retrieval__a_training_image_tells_nobody_who_it_is(filled: str, open_studio: Open) -> None:
    studio = choose(open_studio("retrieval"), "Training images")
    text = text_of(studio)
    assert not studio.exception
    lists = "".join(ranked_html(studio)["Found by"])
    assert lists.count('<figure class="plain"') == lists.count('<figure class="') == 2 * 22
    assert "page 1 of 5, 48 images" in text


def test_retrieval__a_picture_is_asked_for(filled: str, open_studio: Open) -> None:
    studio = choose(open_studio("retrieval"), "A picture")
    assert "not stored" in text_of(studio)


def test_retrieval__a_run_without_lists_says_so(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, status="finished")
    studio = open_studio("retrieval")
    assert "run 1, iteration 3 has no ranked lists" in studio.info[0].value
    assert not studio.exception


# What is found


def test_find__marks_as_the_figures_count(filled: str) -> None:
    place = Place(1, 2)
    table = services.retrieval.queries(filled, 1)
    with Workspace.open(filled) as workspace:
        everyone = workspace.images()
    people = zip(everyone.pids, everyone.camids, strict=True)
    who = dict(zip(everyone.image_ids, people, strict=True))
    for image_id in table.image_ids.tolist():
        pid, camid = who[image_id]
        found = services.retrieval.find(filled, place, image_id, n=48)
        assert len(found) == 48
        expected = [
            "wrong" if who[f.image_id][0] != pid
            else "same camera" if who[f.image_id][1] == camid
            else "match"
            for f in found
        ]  # fmt: skip
        assert [f.mark for f in found] == expected
        similarities = [f.similarity for f in found]
        assert similarities == sorted(similarities, reverse=True)


def test_order_queries__worst_best_and_most_gained(filled: str) -> None:
    places = [Place(1, 2), Place(1, 0)]
    later, baseline = (services.retrieval.rankings(filled, place) for place in places)
    assert later is not None and baseline is not None  # noqa: PT018
    level = later.average_precisions
    worst = services.retrieval.order_queries(filled, places, "worst first")
    assert (np.diff(level[worst]) >= 0).all()
    best = services.retrieval.order_queries(filled, places, "best first")
    assert (np.diff(level[best]) <= 0).all()
    gained = services.retrieval.order_queries(filled, places, "most gained")
    assert (np.diff((level - baseline.average_precisions)[gained]) <= 0).all()
    assert services.retrieval.order_queries(filled, places, "in order") == list(range(8))


def test_find__a_query_that_a_run_does_not_have(filled: str) -> None:
    assert services.retrieval.find(filled, Place(1, 0), 10_000, n=3) == []
    assert services.retrieval.average_precision(filled, Place(1, 0), 10_000) is None
    assert services.retrieval.find_like_image(filled, Place(1, 0), 10_000, n=3) == []


def test_find_like_image__nearest_by_cosine_without_itself(filled: str) -> None:
    with Workspace.open(filled) as workspace:
        features = np.asarray(workspace.arrays(1, 2, "features")["features"], dtype=np.float64)
        image_ids = workspace.run_images(1, "train").image_ids
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    cosines = unit @ unit[5]
    cosines[5] = -2
    nearest = np.argsort(-cosines)[:4]
    found = services.retrieval.find_like_image(filled, Place(1, 2), int(image_ids[5]), n=4)
    assert [f.image_id for f in found] == image_ids[nearest].tolist()
    np.testing.assert_allclose([f.similarity for f in found], cosines[nearest], atol=1e-6)
    assert {f.mark for f in found} == {None}


def test_read_picture__too_large(filled: str) -> None:
    content = b"x" * (services.retrieval.MAX_PICTURE_BYTES + 1)
    with pytest.raises(ImageError, match=r"10\.0 MiB, but at most 10 MiB are allowed"):
        services.retrieval.read_picture(filled, Place(1, 0), content)


# True matches, and similar to any picture


def test_true_matches__are_all_of_the_person_seen_by_other_cameras(filled: str) -> None:
    place = Place(1, 2)
    with Workspace.open(filled) as workspace:
        query, gallery = workspace.test_images(1)
    for row in range(len(query)):
        image_id = int(query.image_ids[row])
        matches = services.retrieval.true_matches(filled, place, image_id)
        other = (gallery.pids == query.pids[row]) & (gallery.camids != query.camids[row])
        assert {m.image_id for m in matches} == set(gallery.image_ids[other].tolist())
        ranked = [
            found.image_id
            for found in services.retrieval.find(filled, place, image_id, n=100)
            if found.mark in ("match", "wrong")
        ]
        for match in matches:
            assert match.rank is None or ranked[match.rank - 1] == match.image_id


def test_retrieval__says_where_the_true_matches_are(filled: str, open_studio: Open) -> None:
    text = text_of(open_studio("retrieval"))
    assert re.search(r"\d+ true matche?s?: at rank \d+", text)


def test_find_like__of_a_training_image_is_without_itself(filled: str) -> None:
    place, table = Place(1, 2), services.retrieval.train_images(filled, 1)
    image_id = int(table.image_ids[3])
    assert services.retrieval.is_train_image(filled, 1, image_id)
    found = services.retrieval.find_like(filled, place, image_id, n=5)
    assert found == services.retrieval.find_like_image(filled, place, image_id, n=5)
    query = int(services.retrieval.queries(filled, 1).image_ids[0])
    assert not services.retrieval.is_train_image(filled, 1, query)


def test_retrieval__similar_to_a_picked_picture(filled: str, open_studio: Open) -> None:
    studio = open_studio("retrieval")
    image_id = int(services.retrieval.train_images(filled, 1).image_ids[3])
    studio.session_state["like"] = image_id
    studio.run()
    assert not studio.exception
    assert "most similar to the picture that you picked" in text_of(studio)
    found = services.retrieval.find_like(filled, Place(1, 2), image_id, n=22)
    first = re.findall(r'data-image="(\d+)"', ranked_html(studio)["Found by"][0])
    assert [int(number) for number in first] == [each.image_id for each in found]
    back = next(b for b in studio.button if b.label == "Back to the queries")
    back.click()
    assert "first true match" in text_of(studio.run())


# The threshold


def test_threshold__is_measured_on_ground_truth_kept_and_tells_who_is_unknown(
    filled: str, open_studio: Open
) -> None:
    place, table = Place(1, 2), services.retrieval.train_images(filled, 1)
    measured = services.thresholds.measure(filled, place)
    assert measured is not None
    with Workspace.open(filled) as workspace:
        features = np.asarray(workspace.arrays(1, 2, "features")["features"])
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    different = [
        float(unit[a] @ unit[b])
        for a in range(len(table))
        for b in range(a)
        if table.pids[a] != table.pids[b]
    ]
    level = measured.pairs.threshold(0.1)
    n_above = sum(cosine > level + 1e-6 for cosine in different)
    assert n_above == int(0.1 * len(different))
    studio = open_studio("retrieval")
    assert f"of {len(different):,} pairs of different people" in text_of(studio)
    next(b for b in studio.button if b.label == "Use this threshold").click()
    studio.run()
    kept = services.thresholds.kept(filled, place)
    assert kept is not None
    assert kept.threshold == measured.pairs.threshold(0.01)
    assert f"In use: {kept.threshold:.3f}" in text_of(studio)
    assert services.thresholds.kept(filled, Place(1, 1)) is None


def test_threshold__nobody_above_it_is_unknown(filled: str, open_studio: Open) -> None:
    place = Place(1, 2)
    measured = services.thresholds.measure(filled, place)
    assert measured is not None
    services.thresholds.keep(filled, place, measured, 0.0)
    with Workspace.open(filled) as workspace:
        name = "threshold of run 1, iteration 2"
        workspace.set_setting(name, workspace.get_setting(name) | {"threshold": 0.9999})
    studio = open_studio("retrieval")
    assert "Unknown: nobody is above the threshold 1.000" in studio.info[0].value
