"""The comparison with Cluster Contrast's code: ours, a stand-in for theirs, and the table."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import method
from benchmarks.cluster_contrast import Budget, Course
from pul.data.datasets import read_dataset
from pul.data.synthetic import generate_dataset
from pul.demo import START_MODEL

# What the shim needs of the checkout, by the names of its modules; it trains nothing.
PROGRAM = """
import torch
from clustercontrast import transforms as T
from clustercontrast.cm import Memory
from sklearn.cluster import DBSCAN

def compute_jaccard_distance(features, search_option=0):
    assert search_option == 3
    return torch.cdist(features, features).numpy()

def main_worker(args):
    data, model = get_data(args.dataset, args.data_dir), create_model(args)
    evaluator, print_to = Evaluator(model), Logger("log.txt")
    assert (T.Normalize(mean=[9], std=[9]), Memory([1])) == ((MEAN, STD), 1)
    assert [camera for *_, camera in data.train].count(1)
    images = torch.rand(args.batch_size, 3, args.height, args.width).cuda()
    for _ in range(args.epochs):
        features = model.eval()(images)
        DBSCAN(eps=9.0, n_jobs=-1).fit_predict(compute_jaccard_distance(features.detach()))
        model.train()(images)
        evaluator.evaluate(None, data.query, data.gallery, cmc_flag=False)
        save_checkpoint({}, True, fpath="nowhere")
    model.load_state_dict(load_checkpoint("nowhere")["state_dict"])
    evaluator.evaluate(None, data.query, data.gallery, cmc_flag=True)
"""
RESNET = """
from torch import nn

class ResNet(nn.Module):
    def forward(self, images):
        return nn.functional.normalize(self.feat_bn(self.gap(self.base(images)).flatten(1)))

def build_pooling_layer(name):
    return {"gem": nn.AdaptiveAvgPool2d(1)}[name]
"""
MEMORY = """
from torch.utils.data.sampler import Sampler

class Sampled(Sampler):
    def __init__(self, data):
        super().__init__(data)

def Memory(data):
    return len([Sampled(data)])
"""


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("drawn") / "market"
    return generate_dataset(root, place="a", n_train_ids=6, n_test_ids=3, n_train_images=72)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    network = method.load_start(START_MODEL, {})
    constants = f"MEAN, STD = {network.config.mean}, {network.config.std}\n"
    package = tmp_path / "checkout" / "clustercontrast"
    (package / "models").mkdir(parents=True)
    (package.parent / "examples").mkdir()
    script = package.parent / "examples" / "cluster_contrast_train_usl.py"
    script.write_text(constants + PROGRAM)
    (package / "transforms.py").write_text("Normalize = lambda mean, std: (mean, std)\n")
    (package / "cm.py").write_text(MEMORY)
    (package / "models" / "resnet.py").write_text(RESNET)
    return package.parent


def test_run_theirs__the_program_runs_with_our_network_and_evaluator(market, checkout):
    network = method.load_start(START_MODEL, {})
    budget = Budget(epochs=2, batch_size=8)
    course = method.run_theirs(checkout, network, read_dataset(market), budget, seed=0)
    assert course.n_clusters == [1, 1]
    assert course.image_passes == 2 * 8
    assert len(course.figures) == 3  # of the start, and after each epoch
    assert {figures.ap_method for figures in course.figures} == {"step"}
    assert course.figures[0] == method.judge(network, read_dataset(market))
    assert course.cpu_seconds > 0


def test_run_ours__counts_every_image_that_trains(market):
    network = method.load_start(START_MODEL, {})
    config = method.read_settings("quick").replace(
        n_clusters=6, n_iterations=1, lambda_=0.0, **{"finetune.n_epochs": 2}
    )
    course = method.run_ours(network, read_dataset(market), config, seed=1)
    assert course.image_passes == 2 * 72
    assert course.n_clusters == [6]
    assert [figures.ap_method for figures in course.figures] == ["step", "step"]
    assert course.figures[0] == method.judge(network, read_dataset(market))


def test_read_settings__a_file_is_like_a_preset(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('clustering = "dbscan"\n[finetune]\nlearning_rate = 0.5\n')
    config = method.read_settings(str(file))
    assert (config.clustering, config.finetune.learning_rate) == ("dbscan", 0.5)


def test_table__rows_and_means_by_hand(tmp_path, monkeypatch):
    monkeypatch.setattr(method, "FOLDER", tmp_path)

    def course(mean_ap):
        figures = [SimpleNamespace(mean_ap=value, rank_1=2 * value) for value in (0.02, mean_ap)]
        return Course([30, 40], figures, 1280, 9.7)

    for seed, mean_ap in ((1, 0.5), (0, 0.03), (1, 0.05)):  # the last one replaces the first
        path = method.store("From here", method.to_row("ours", seed, course(mean_ap)))
    assert path == tmp_path / "from-here.json"
    assert method.table(path).splitlines()[6:] == [
        "| ours | 0 | 3.0 | 6.0 | 2.0, 3.0 | 30, 40 | 1,280 | 10 |",
        "| ours | 1 | 5.0 | 10.0 | 2.0, 5.0 | 30, 40 | 1,280 | 10 |",
        "| ours | mean of 2 | **4.0** | **8.0** | | | | |",
    ]
    assert json.loads(path.read_text())["title"] == "From here"


def test_document__shows_the_runs_that_are_kept():
    text = method.DOCUMENT.read_text(encoding="utf-8")
    assert [
        path.name for path in method.FOLDER.glob("*.json") if method.table(path) not in text
    ] == []
