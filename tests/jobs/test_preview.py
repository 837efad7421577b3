import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest

from pul import jobs
from pul.cluster.kmeans import cluster
from pul.errors import ConfigError, JobError, StoreError
from pul.jobs.preview import (
    cluster_counts_around,
    compare_cluster_counts,
    make_preview,
    preview_seed,
)
from pul.jobs.worker import work
from pul.labelling.annotations import create
from pul.models.network import save_network
from pul.store.workspace import Workspace
from tests.support.fakes import image_dataset
from tests.support.networks import TINY_RUN, coloured_images, tiny_network

CONFIG = TINY_RUN.replace(n_iterations=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a whole run on 24 images of 6 people."""
    folder = tmp_path_factory.mktemp("made") / "workspace"
    with Workspace.create(folder, name="tiny") as workspace:
        save_network(tiny_network(), folder / "start.safetensors")
        crops = image_dataset(folder / "images", *coloured_images(6, 4), split="train")
        workspace.add_dataset(crops)
        job = jobs.create_run(workspace, CONFIG, folder / "start.safetensors")
        assert work(workspace, job.job_id).status == "finished"
    return folder


@pytest.fixture
def workspace(made: Path, tmp_path: Path):
    shutil.copytree(made, tmp_path / "workspace")
    with Workspace.open(tmp_path / "workspace") as workspace:
        yield workspace


def label(workspace: Workspace, *people: list[int]) -> None:
    """Say of some training images, by their rows, that they show one person each."""
    image_ids = workspace.run_images(1, "train").image_ids
    for rows in people:
        act = create(image_ids[rows].tolist())
        workspace.append_annotation_event(act.kind, act.payload, "someone")


@pytest.mark.parametrize("iteration", [0, 1])
def test_make_preview__the_present_k_gives_the_clusters_that_are_there(workspace, iteration):
    preview = make_preview(workspace, 1, iteration, 6)
    stored = workspace.arrays(1, iteration)
    np.testing.assert_array_equal(preview.clusters, stored["clusters"])
    np.testing.assert_array_equal(preview.centers, stored["centers"])
    np.testing.assert_array_equal(preview.similarities, stored["similarities"])
    assert preview.inertia == workspace.iterations(1)[iteration].inertia


def test_make_preview__another_k(workspace):
    preview = make_preview(workspace, 1, 1, 3)
    assert np.unique(preview.clusters).tolist() == [0, 1, 2]
    assert preview.clusters[preview.centers].tolist() == [0, 1, 2]
    assert preview.inertia > make_preview(workspace, 1, 1, 9).inertia


def test_make_preview__starts_once_whatever_the_run_does(workspace):
    config = CONFIG.replace(n_iterations=0, kmeans_n_init=7)
    job = jobs.create_run(workspace, config, workspace.path / "start.safetensors")
    assert work(workspace, job.job_id).status == "finished"
    features = workspace.arrays(2, 0, "features")["features"]
    seed = preview_seed(config.seed, 0)
    once = cluster(features, n_clusters=5, seed=seed, n_init=1)
    np.testing.assert_array_equal(make_preview(workspace, 2, 0, 5).clusters, once.clusters)


def test_make_preview__is_kept_and_not_made_again(workspace):
    first = make_preview(workspace, 1, 1, 3)
    seed = preview_seed(CONFIG.seed, 1)
    kept = workspace.preview(1, 1, 3, seed)
    assert (kept.n_clusters, kept.seed, kept.inertia) == (3, seed, first.inertia)
    np.testing.assert_array_equal(kept.clusters, first.clusters)
    shutil.rmtree(workspace.iteration_path(1, 1))  # so that it could not be made again
    np.testing.assert_array_equal(make_preview(workspace, 1, 1, 3).clusters, first.clusters)


def test_make_preview__is_made_again_once_people_have_annotated(workspace):
    before = make_preview(workspace, 1, 1, 5)
    label(workspace, [0, 5, 10])
    after = make_preview(workspace, 1, 1, 5)
    assert (before.annotations_hash == "", after.annotations_hash != "") == (True, True)
    assert np.flatnonzero(after.clusters == 0).tolist() == [0, 5, 10]  # a cluster of its own


def test_make_preview__a_damaged_one_reads_as_not_there(workspace):
    first = make_preview(workspace, 1, 1, 3)
    (path,) = (workspace.run_path(1) / "previews").iterdir()
    path.write_bytes(path.read_bytes()[:200])
    assert workspace.preview(1, 1, 3, first.seed) is None
    np.testing.assert_array_equal(make_preview(workspace, 1, 1, 3).clusters, first.clusters)


def test_make_preview__k_that_cannot_be(workspace):
    with pytest.raises(ConfigError, match="K = 25 clusters of 24 images"):
        make_preview(workspace, 1, 1, 25)


def test_make_preview__leaves_nothing_half_written(workspace):
    (workspace.run_path(1) / "previews").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        make_preview(workspace, 1, 1, 3)


def test_compare_cluster_counts__two_seeds_of_each(workspace):
    told: list[tuple[int, int]] = []
    compared = compare_cluster_counts(
        workspace, 1, 1, on_progress=lambda done, total: told.append((done, total))
    )
    assert [count.n_clusters for count in compared.counts] == [3, 4, 6, 8, 9]
    assert told == [(done, 10) for done in range(10)]
    for count in compared.counts:
        pair = [make_preview(workspace, 1, 1, count.n_clusters, draw=draw) for draw in (0, 1)]
        assert count.inertia == pytest.approx((pair[0].inertia + pair[1].inertia) / 2)
        same = _pairs_agree(pair[0].clusters, pair[1].clusters)
        assert (count.agreement == pytest.approx(1)) == same
    assert workspace.cluster_counts(1, 1) == compared


def _pairs_agree(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two clusterings are the same but for the numbers of their clusters."""
    pairs = itertools.combinations(range(len(first)), 2)
    return all((first[i] == first[j]) == (second[i] == second[j]) for i, j in pairs)


def test_compare_cluster_counts__annotated_images_are_left_out(workspace):
    label(workspace, list(range(22)), [22])
    compared = compare_cluster_counts(workspace, 1, 1)
    # Two identities and one other image: it is a cluster alone, whatever the seed.
    assert [(c.n_clusters, c.agreement) for c in compared.counts] == [(3, 1.0)]


def test_cluster_counts_around__by_hand():
    assert cluster_counts_around(750, 0, 12_936) == [375, 562, 750, 938, 1125]
    assert cluster_counts_around(10, 6, 100) == [8, 10, 12, 15]
    assert cluster_counts_around(8, 0, 9) == [4, 6, 8, 9]


def test_work__makes_a_preview_beside_a_run_that_is_worked_on(workspace):
    going = jobs.create_run(workspace, CONFIG, workspace.path / "start.safetensors")
    params = {"run_id": 1, "iteration": 1, "n_clusters": 4}
    job = workspace.create_job("preview", params=params)
    assert jobs.active_preview(workspace, 1) == workspace.job(job.job_id)
    assert work(workspace, job.job_id).status == "finished"
    assert workspace.preview(1, 1, 4, preview_seed(CONFIG.seed, 1)) is not None
    assert (workspace.run(1).status, workspace.job(going.job_id).status) == ("finished", "queued")
    assert jobs.active_preview(workspace, 1) is None


def test_work__compares(workspace):
    params = {"run_id": 1, "iteration": 0, "n_clusters": None}
    job = workspace.create_job("preview", params=params)
    ended = work(workspace, job.job_id)
    assert (ended.status, ended.progress.total) == ("finished", 10)
    assert len(workspace.cluster_counts(1, 0).counts) == 5


def test_start_preview__one_at_a_time(workspace):
    params = {"run_id": 1, "iteration": 1, "n_clusters": 4}
    job = workspace.create_job("preview", params=params)
    with pytest.raises(JobError, match=f"Job {job.job_id} is making a preview already"):
        jobs.start_preview(workspace, 1, 1, 5)


@pytest.mark.parametrize(("iteration", "n_clusters"), [(7, 4), (1, 0)])
def test_start_preview__what_cannot_be(workspace, iteration, n_clusters):
    with pytest.raises((StoreError, ConfigError)):
        jobs.start_preview(workspace, 1, iteration, n_clusters)
    assert [job.kind for job in workspace.jobs()] == ["run"]
