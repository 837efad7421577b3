"""The Map page's λ, K and colours, without a browser."""

import json
from pathlib import Path

import numpy as np
import pytest
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from app import services
from app.routes import maps
from app.routes.maps import serve_map
from pul.errors import JobError
from pul.evaluation.lambda_curves import trace_selection
from pul.jobs.preview import compare_cluster_counts, make_preview, preview_seed
from pul.labelling.annotations import create, set_role
from pul.records import JobRecord, JobStatus
from pul.store.workspace import Workspace
from tests.app.conftest import Open, labels, text_of
from tests.app.fabricated import LAMBDA, fabricate
from tests.app.test_pages import map_data
from tests.app.test_routes import read


@pytest.fixture
def filled(location: Path, people: Path) -> str:
    fabricate(location, people, n_iterations=2, status="stopped")
    return str(location)


def label(location: str, pids: list[int], *, held_out: int = 0) -> dict[int, int]:
    """Label all images of people; the first few are held out. Return pid by identity."""
    with Workspace.open(location) as workspace:
        table = workspace.run_images(1, "train")
        made = {}
        for number, pid in enumerate(pids):
            act = create(table.image_ids[table.pids == pid].tolist())
            event = workspace.append_annotation_event(act.kind, act.payload, "someone")
            made[event] = pid
            if number < held_out:
                role = set_role(event, "validation")
                workspace.append_annotation_event(role.kind, role.payload, "someone")
        return made


def press(studio: AppTest, name: str) -> AppTest:
    return next(button for button in studio.button if button.label == name).click().run()


def quality_shown(studio: AppTest) -> dict[str, object]:
    return dict(map_data(studio)["quality"])  # type: ignore[call-overload]


# Purity and recall


def test_quality__of_ground_truth_where_nobody_labelled(filled: str) -> None:
    arrays = services.map.map_arrays(filled, 1, 2)
    known = services.map.quality(filled, 1, 2, arrays)
    assert (known.source, known.n_people, known.is_optimistic) == ("truth", 8, False)
    with Workspace.open(filled) as workspace:
        record = workspace.iterations(1)[2]
        pids = workspace.run_images(1, "train").pids
    assert known.curves.n_known == 48
    at = round(LAMBDA * 100)
    assert known.curves.reliable_shares[at] == pytest.approx(record.reliable_share)
    assert known.curves.n_kept_clusters[at] == record.n_kept_clusters
    expected = trace_selection(arrays.similarities, arrays.clusters, arrays.centers, people=pids)
    np.testing.assert_array_equal(known.curves.purities, expected.purities)


def test_quality__of_annotated_identities_held_out_ones_too(filled: str) -> None:
    label(filled, [2, 3, 5], held_out=1)
    known = services.map.quality(filled, 1, 2, services.map.map_arrays(filled, 1, 2))
    assert (known.source, known.n_people, known.curves.n_known) == ("annotations", 3, 18)


def test_map__says_where_purity_and_recall_are_from(filled: str, open_studio: Open) -> None:
    truth = quality_shown(open_studio("map"))
    assert "from ground truth, used for these two lines only" in str(truth["note"])
    label(filled, [2, 3])
    labelled = quality_shown(open_studio("map"))
    assert labelled["note"] == "Purity, recall: 12 images of 2 people, as labelled."
    assert len(labelled["purities"]) == len(labelled["recalls"]) == 101  # type: ignore[arg-type]
    assert labelled["recalls"] != truth["recalls"]


def test_map__nobody_is_known(filled: str, open_studio: Open) -> None:
    with Workspace.open(filled) as workspace, workspace._database.write() as connection:
        connection.exec_driver_sql("UPDATE images SET pid = NULL")
    shown = quality_shown(open_studio("map"))
    assert (shown["purities"], shown["recalls"]) == (None, None)
    assert shown["note"] == "Label some people to see purity and recall here."


# Layers


def layer(address: str) -> dict[str, np.ndarray]:
    token = address.removeprefix(maps.PREFIX)
    scope = {"type": "http", "method": "GET", "headers": [], "path_params": {"token": token}}
    return read(bytes(serve_map(Request(scope)).body))


def test_urls__only_what_is_shown(filled: str) -> None:
    base = maps.urls(filled, 1, 2, 0, "cluster")
    assert [len(maps.urls(filled, 1, 2, 0, by)) for by in ("camera", "identity", "doubt")] == [
        1, 2, 2,
    ]  # fmt: skip
    assert base == maps.urls(filled, 1, 2, 5, "camera")  # no preview with K 5 was made
    assert list(layer(base[0])) == [
        "points", "clusters", "centers", "similarities", "cameras", "images", "tokens",
    ]  # fmt: skip


def test_urls__identities_in_the_colours_of_the_label_page(filled: str) -> None:
    label(filled, [4, 2])
    address = maps.urls(filled, 1, 2, 0, "identity")[1]
    with Workspace.open(filled) as workspace:
        pids = workspace.run_images(1, "train").pids
    expected = np.select([pids == 4, pids == 2], [0, 1], -1)
    assert layer(address)["identities"].tolist() == expected.tolist()
    label(filled, [7])
    assert maps.urls(filled, 1, 2, 0, "identity")[1] != address


def test_urls__doubt_is_how_near_the_next_center_is(filled: str) -> None:
    doubts = layer(maps.urls(filled, 1, 2, 0, "doubt")[1])["doubts"]
    with Workspace.open(filled) as workspace:
        stored = workspace.arrays(1, 2)
    unit = stored["features"] / np.linalg.norm(stored["features"], axis=1, keepdims=True)
    cosines = unit @ unit[stored["centers"]].T
    own = cosines[np.arange(48), stored["clusters"]]
    cosines[np.arange(48), stored["clusters"]] = -1
    np.testing.assert_allclose(doubts, cosines.max(axis=1) - own, atol=1e-6)


def test_urls__a_preview_replaces_the_clusters(filled: str) -> None:
    with Workspace.open(filled) as workspace:
        made = make_preview(workspace, 1, 2, 5)
    addresses = maps.urls(filled, 1, 2, 5, "cluster")
    got = layer(addresses[1])
    assert (len(addresses), sorted(got)) == (2, ["centers", "clusters", "similarities"])
    assert np.array_equal(got["clusters"], made.clusters)
    shown = services.map.shown_arrays(filled, 1, 2, 5)
    assert np.array_equal(shown.centers, made.centers)
    assert np.array_equal(shown.points, services.map.map_arrays(filled, 1, 2).points)


# K


def finish_previews(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make previews in this process, as soon as they are asked for."""

    def start_job(workspace: Workspace, job_id: int) -> JobRecord:
        params = workspace.claim_job(job_id, "test:1:1").params
        place = (params["run_id"], params["iteration"])
        if params["n_clusters"] is None:
            compare_cluster_counts(workspace, *place)
        else:
            make_preview(workspace, *place, params["n_clusters"])
        return workspace.finish_job(job_id, "finished")

    monkeypatch.setattr("pul.jobs.start.start_job", start_job)


def test_map__preview_k_and_back(
    filled: str, open_studio: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish_previews(monkeypatch)
    studio = open_studio("map")
    assert "The map shows the run's own 8 clusters." in text_of(studio)
    studio.number_input[0].set_value(5).run()
    press(studio, "Preview K")
    assert "The map shows a preview with K 5; the run used 8." in text_of(studio)
    assert "**5 centers**" in text_of(studio)
    assert len(map_data(studio)["layout_urls"]) == 2  # type: ignore[arg-type]
    press(studio, "Back to the run")
    assert "**8 centers**" in text_of(studio)
    with Workspace.open(filled) as workspace:
        assert workspace.preview(1, 2, 5, preview_seed(0, 2)) is not None


def test_map__compare_k(filled: str, open_studio: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    finish_previews(monkeypatch)
    studio = press(open_studio("map"), "Compare K")
    (chart,) = studio.get("plotly_chart")
    drawn = json.loads(chart.proto.spec)["data"]
    assert [trace["x"] for trace in drawn] == [[4, 6, 8, 10, 12]] * 2
    with Workspace.open(filled) as workspace:
        compared = workspace.cluster_counts(1, 2)
    assert compared is not None
    level, best = max((c.agreement, -c.n_clusters) for c in compared.counts)
    assert f"Best guess: K {-best}, where two seeds agree most ({level:.2f}" in text_of(studio)


def test_map__a_preview_is_being_made(filled: str, open_studio: Open) -> None:
    with Workspace.open(filled) as workspace:
        params = {"run_id": 1, "iteration": 2, "n_clusters": 5}
        job = workspace.create_job("preview", params=params)
    studio = open_studio("map")
    assert studio.main.get("progress")[0].proto.text == "Clustering with K 5 …"
    disabled = {button.label: button.disabled for button in studio.button}
    assert disabled["Preview K"]
    assert disabled["Compare K"]
    with pytest.raises(JobError, match=f"Job {job.job_id}"):
        services.previews.start_preview(filled, 1, 2, 6)


def test_map__a_preview_that_failed_says_why(filled: str, open_studio: Open) -> None:
    with Workspace.open(filled) as workspace:
        params = {"run_id": 1, "iteration": 2, "n_clusters": 5}
        job = workspace.create_job("preview", params=params)
        workspace.finish_job(job.job_id, "failed", "K = 49 clusters of 48 images: too many.")
    assert open_studio("map").error[0].value == "K = 49 clusters of 48 images: too many."


# From the next iteration on


def test_map__k_waits_for_the_next_iteration(filled: str, open_studio: Open) -> None:
    studio = open_studio("map")
    studio.number_input[0].set_value(6).run()
    press(studio, "Use K 6")
    assert studio.toast[0].value == "K 6 from iteration 3 on, instead of K 8."
    assert "Waiting for iteration 3: **K 6**." in text_of(studio)
    assert next(button for button in studio.button if button.label == "Use K 6").disabled
    with Workspace.open(filled) as workspace:
        (control,) = workspace.controls(1)
        assert (control.name, control.value, control.applied_at_iteration) == (
            "n_clusters",
            6,
            None,
        )
        workspace.take_controls(1, 3)
    assert "Waiting" not in text_of(open_studio("map"))


@pytest.mark.parametrize(
    ("status", "iteration"), [("running", 4), ("stopped", 3), ("failed", 3), ("finished", None)]
)
def test_map__values_are_used_where_there_is_a_next_iteration(
    location: Path, people: Path, open_studio: Open, status: JobStatus, iteration: int | None
) -> None:
    fabricate(location, people, n_iterations=2, status=status)
    studio = open_studio("map")
    offered = [name for name in labels(studio, "button") if name.startswith("Use")]
    assert offered == (["Use λ 0.85", "Use K 8"] if iteration else [])
    if iteration is None:
        assert "This run is finished" in text_of(studio)
        return
    studio.number_input[0].set_value(6).run()
    press(studio, "Use K 6")
    assert studio.toast[0].value == f"K 6 from iteration {iteration} on, instead of K 8."


def test_map__a_run_that_finds_k_by_itself_is_asked_for_none(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, n_iterations=2, clustering="dbscan")
    studio = open_studio("map")
    studio.number_input[0].set_value(6).run()
    offered = [name for name in labels(studio, "button") if name.startswith("Use")]
    assert offered == ["Use λ 0.85"]


# What is not well


def test_map__says_what_is_not_well_and_how_to_mend_it(
    filled: str, open_studio: Open, people: Path
) -> None:
    assert 'class="pul-findings"' not in text_of(open_studio("map"))
    with Workspace.open(filled) as workspace, workspace._database.write() as connection:
        connection.exec_driver_sql("UPDATE images SET camid = pid")  # a camera for each person
    services.workspace._run_images.cache_clear()
    services.diagnosis._of_iteration.cache_clear()
    text = text_of(open_studio("map"))
    assert "of the clusters are of one camera only" in text
    assert "Label a few people across cameras" in text


def test_workspace__says_that_no_camera_is_known(filled: str, open_studio: Open) -> None:
    assert 'class="pul-findings"' not in text_of(open_studio())
    with Workspace.open(filled) as workspace, workspace._database.write() as connection:
        connection.exec_driver_sql("UPDATE images SET camid = NULL")
    services.diagnosis._of_images.cache_clear()
    assert "No image has a camera number." in text_of(open_studio())
