"""Each number on the screen, followed back to what the store holds."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.components.charts.panels import panels
from app.wording import repeats_the_baseline
from pul.labelling import annotations
from pul.labelling.annotations import fold
from pul.store.workspace import Workspace
from tests.app.conftest import Open, component_data, header_of, text_of
from tests.app.fabricated import fabricate


def label_people(location: Path) -> None:
    """Name the first three people of a workspace, and hold the second and third out."""
    with Workspace.open(location) as workspace:
        table = workspace.run_images(1, "train")
        for pid in (1, 2, 3):
            images = table.image_ids[table.pids == pid].tolist()
            act = annotations.create(images, role="training" if pid == 1 else "validation")
            workspace.append_annotation_event(act.kind, act.payload, "ann")


def test_header__is_what_the_store_holds(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people, n_iterations=2, status="finished")
    label_people(location)
    with Workspace.open(location) as workspace:
        n_images = len(workspace.images())
        arrays = workspace.arrays(1, 2, "reliable", "clusters")
        first, *_, last = workspace.iterations(1)
        n_people = len(fold(workspace.annotation_events()).identities)
    for page in ("identities", "label"):
        header = header_of(open_studio(page))
        words = re.sub(r"<[^>]+>", " ", header)
        assert f"{n_images} images" in words
        assert f"reliable  {100 * np.mean(arrays['reliable']):.1f} %" in words
        assert last.metrics is not None
        assert first.metrics is not None
        gained = 100 * (last.metrics.mean_ap - first.metrics.mean_ap)
        assert f"mAP  {100 * last.metrics.mean_ap:.1f}  ({gained:+.1f})" in words
        n_clusters = len(np.unique(arrays["clusters"]))
        assert f"{n_people} of {min(10, n_clusters)} people" in header


def test_label_and_identities__count_alike(location: Path, people: Path, open_studio: Open) -> None:
    fabricate(location, people, n_iterations=2, status="finished")
    label_people(location)
    with Workspace.open(location) as workspace:
        known = fold(workspace.annotation_events()).identities
    progress = component_data(open_studio("label"), "pul_card")["progress"]
    assert (progress["identities"], progress["images"], progress["goal"]) == (
        len(known), sum(len(each.images) for each in known), 8,
    )  # fmt: skip
    rows = component_data(open_studio("identities"), "pul_identity_rows")["rows"]
    assert [(row["name"], row["n_images"], row["role"]) for row in rows] == [
        (each.name, len(each.images), each.role) for each in known
    ]


def test_card__its_line_counts_what_it_shows(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, n_iterations=2, status="finished")
    data = component_data(open_studio("label"), "pul_card")
    with Workspace.open(location) as workspace:
        clusters = workspace.arrays(1, 2, "clusters")["clusters"]
        table = workspace.run_images(1, "train")
    cluster_of = dict(zip(table.image_ids.tolist(), clusters.tolist(), strict=True))
    camera_of = dict(zip(table.image_ids.tolist(), table.camids.tolist(), strict=True))
    for card in data["cards"]:
        chosen = [tile[0] for tile in card["tiles"] if tile[4]]
        cameras = {camera_of[image] for image in chosen}
        told = f"{len(cameras)} cameras" if len(cameras) > 1 else "one camera"
        assert told in card["reason"]
        n_shown = len(card["tiles"]) + card["nMore"]
        assert f"cluster of {n_shown} image" in card["reason"]
        assert chosen
        assert len({cluster_of[image] for image in chosen}) >= 1


def test_curves__say_why_the_first_iteration_repeats_the_baseline(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, n_iterations=2, status="finished")
    with Workspace.open(location) as workspace:
        baseline, first, second = workspace.iterations(1)
    assert not repeats_the_baseline([baseline])
    alike = replace(
        first, n_reliable=baseline.n_reliable, n_kept_clusters=baseline.n_kept_clusters
    )  # fmt: skip
    assert repeats_the_baseline([baseline, alike, second])
    assert not repeats_the_baseline([baseline, replace(alike, n_reliable=1), second])
    said = "their shares and clusters are the same" in text_of(open_studio("train"))
    assert said == repeats_the_baseline([baseline, first, second])


def test_curves__warn_where_few_people_are_held_out(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, n_iterations=1, status="finished")
    with Workspace.open(location) as workspace:
        records = [
            replace(record, validation_metrics=record.metrics, n_validation_identities=n)
            for record, n in zip(workspace.iterations(1), (2, 2), strict=True)
        ]
    titles = [panel.title for panel in panels(records)]
    assert "mAP on your 2 validation identities, too few to judge by, %" in titles
    plenty = [replace(record, n_validation_identities=10) for record in records]
    assert "mAP on your 10 validation identities, %" in [p.title for p in panels(plenty)]
