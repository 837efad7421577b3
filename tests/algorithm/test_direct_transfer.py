from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pul.algorithm.direct_transfer import evaluate_network, pool_queries
from pul.config import EvaluationConfig
from pul.data.datasets import read_dataset
from pul.data.multi_query import read_query_boxes
from pul.data.samples import Sample
from pul.errors import DataError
from pul.jobs import create_run
from pul.jobs.worker import work
from pul.models.network import save_network
from pul.store.workspace import Workspace
from tests.support.networks import TINY_RUN, coloured_images, tiny_network

QUERY = np.array([[1.0, 0], [0, 1.0], [1.0, 0]], dtype=np.float32)
QUERY_PIDS, QUERY_CAMIDS = np.array([7, 7, 8]), np.array([1, 2, 1])
BOXES = np.array([[1.0, 0], [0, 1.0], [0.6, 0.8], [0, 1.0]], dtype=np.float32)
BOX_PIDS, BOX_CAMIDS = np.array([7, 7, 7, 9]), np.array([1, 1, 2, 1])


def pooled(how):
    who = (QUERY_PIDS, QUERY_CAMIDS), (BOX_PIDS, BOX_CAMIDS)
    return pool_queries(QUERY, who[0], BOXES, who[1], how=how)


def test_pool_queries__mean_by_hand():
    # Person 7 on camera 1 has (1, 0) and (0, 1); on camera 2 one box; person 8 has none.
    half = np.sqrt(0.5)
    np.testing.assert_allclose(pooled("mean"), [[half, half], [0.6, 0.8], [1, 0]], rtol=1e-6)


def test_pool_queries__max_by_hand():
    boxes = np.array([[1.0, 0], [0.6, 0.8]], dtype=np.float32)
    who = (np.array([7]), np.array([1])), (np.array([7, 7]), np.array([1, 1]))
    found = pool_queries(QUERY[:1], who[0], boxes, who[1], how="max")  # (1, 0.8)
    np.testing.assert_allclose(found, np.array([[1, 0.8]]) / np.sqrt(1.64), rtol=1e-6)
    found = pool_queries(QUERY[:1], who[0], boxes, who[1], how="mean")  # (0.8, 0.4)
    np.testing.assert_allclose(found, np.array([[2, 1]]) / np.sqrt(5), rtol=1e-6)


@pytest.fixture
def market(tmp_path):
    """Four people on two cameras: a query and two boxes on camera 1, one gallery image on 2."""
    pixels, pids = coloured_images(4, 4)
    folders = ("query", "gt_bbox", "gt_bbox", "bounding_box_test")
    for number, (image, pid) in enumerate(zip(pixels, pids, strict=True)):
        folder = tmp_path / folders[number % 4]
        folder.mkdir(exist_ok=True)
        camid = 2 if folder.name == "bounding_box_test" else 1
        Image.fromarray(image).save(folder / f"{pid:04}_c{camid}s1_{number:06}_00.png")
    return tmp_path


def test_read_query_boxes__their_people_and_cameras(market):
    boxes = read_query_boxes(read_dataset(market))
    assert [(box.pid, box.camid) for box in boxes] == [(p, 1) for p in (1, 1, 2, 2, 3, 3, 4, 4)]


def test_evaluate_network__multi_query_is_the_pooled_feature(market):
    network, dataset = tiny_network(), read_dataset(market)
    told = []
    config = EvaluationConfig()
    multi = evaluate_network(
        network, dataset, config, multi_query="mean", on_progress=lambda *done: told.append(done)
    )
    assert multi.n_queries == 4
    assert told[-1] == (16, 16)
    single = evaluate_network(network, dataset, config)
    assert single.n_queries == 4
    # Where the query itself is the only box, both are the same.
    for path in (market / "gt_bbox").iterdir():
        path.unlink()
    for path in (market / "query").iterdir():
        (market / "gt_bbox" / path.name).write_bytes(path.read_bytes())
    assert evaluate_network(network, dataset, config, multi_query="mean") == single


def test_evaluate_network__reranks_only_when_asked(market, monkeypatch):
    network, dataset, config = tiny_network(), read_dataset(market), EvaluationConfig()
    plain = evaluate_network(network, dataset, config)

    def far_first(query, gallery):
        return query @ gallery.T  # a distance that is high for the nearest

    monkeypatch.setattr("pul.algorithm.direct_transfer.k_reciprocal", far_first)
    assert evaluate_network(network, dataset, config) == plain
    assert evaluate_network(network, dataset, config, rerank=True).mean_ap < plain.mean_ap


def test_evaluate_network__multi_query_needs_its_folder(market):
    dataset = read_dataset(market)
    for path in (market / "gt_bbox").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="gt_bbox"):
        evaluate_network(tiny_network(), dataset, EvaluationConfig(), multi_query="max")


def test_evaluate_network__measures_what_a_run_measures(market, tmp_path_factory):
    """Images of nobody known are among the queries and in the gallery."""
    for folder in ("query", "bounding_box_test"):
        for pid, camid in ((-1, 1), (0, 2)):
            Image.fromarray(coloured_images(1, 1)[0][0]).save(
                market / folder / f"{pid:04}_c{camid}s1_000099_00.png"
            )
    dataset, network = read_dataset(market), tiny_network()
    metrics = evaluate_network(network, dataset, EvaluationConfig())
    place = tmp_path_factory.mktemp("place") / "workspace"
    with Workspace.create(place) as workspace:
        workspace.add_dataset(replace(dataset, samples=(*dataset.samples, *_as_training(dataset))))
        save_network(network, place / "start.safetensors")
        job = create_run(workspace, TINY_RUN.replace(n_iterations=0), place / "start.safetensors")
        assert work(workspace, job.job_id).status == "finished"
        assert workspace.iterations(1)[0].metrics == metrics


def _as_training(dataset):
    boxes = sorted((dataset.root / "gt_bbox").iterdir())
    return tuple(Sample(path, pid=None, camid=1, split="train") for path in boxes)
