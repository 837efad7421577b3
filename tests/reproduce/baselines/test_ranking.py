from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pul.arrays import ByteArray, FloatArray
from pul.config import EvaluationConfig
from pul.data.datasets import Dataset
from pul.data.samples import Sample
from pul.errors import DataError
from pul.evaluation.retrieval import evaluate
from pul.reproduce.baselines import ranking
from pul.reproduce.baselines.ranking import evaluate_extractor

CONFIG = EvaluationConfig(ap_method="step", unmatched="skip")
GALLERY = [(pid, camid) for pid in (1, 2, 3, 0, -1) for camid in (1, 2)]
QUERY = [(1, 1), (2, 1), (3, 2)]


def mean_color(images: ByteArray) -> FloatArray:
    return images.mean(axis=(1, 2)).astype(np.float32)


def make_dataset(folder: Path) -> Dataset:
    rng = np.random.default_rng(0)
    samples = []
    for split, people in (("query", QUERY), ("gallery", GALLERY)):
        for index, (pid, camid) in enumerate(people):
            path = folder / f"{split}{index}.png"
            Image.fromarray(rng.integers(0, 256, (4, 2, 3), dtype=np.uint8)).save(path)
            samples.append(Sample(path, pid, camid, split))
    return Dataset("tiny", "table", folder, tuple(samples), (), ())


@pytest.fixture(params=[2, 3, 512])
def dataset(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Dataset:
    monkeypatch.setattr(ranking, "_CHUNK", request.param)
    return make_dataset(tmp_path)


def test_evaluate_extractor__equals_evaluate_on_all_features(dataset: Dataset) -> None:
    pixels = [np.asarray(Image.open(sample.path)) for sample in dataset.samples]
    features = mean_color(np.stack(pixels))
    pids, camids = np.array(QUERY + GALLERY).T
    n = len(QUERY)
    expected = evaluate(
        features[:n], features[n:], pids[:n], camids[:n], pids[n:], camids[n:],
        ap_method="step", unmatched="skip",
    )  # fmt: skip
    found = evaluate_extractor(mean_color, dataset, CONFIG, height=4, width=2)
    assert found == expected.to_metrics()


def test_evaluate_extractor__reports_every_image(dataset: Dataset) -> None:
    calls: list[tuple[int, int]] = []
    evaluate_extractor(
        mean_color, dataset, CONFIG, height=4, width=2, on_progress=lambda *call: calls.append(call)
    )
    done = [call[0] for call in calls]
    assert done == sorted(set(done))
    assert calls[-1] == (13, 13)
    assert {call[1] for call in calls} == {13}


def test_evaluate_extractor__resizes_images(dataset: Dataset) -> None:
    shapes = set()

    def extract(images: ByteArray) -> FloatArray:
        shapes.add(images.shape[1:])
        return mean_color(images)

    evaluate_extractor(extract, dataset, CONFIG, height=16, width=8)
    assert shapes == {(16, 8, 3)}


def test_evaluate_extractor__without_queries(tmp_path: Path) -> None:
    dataset = Dataset("tiny", "table", tmp_path, (Sample(tmp_path / "a", 1, 1, "gallery"),), (), ())
    with pytest.raises(DataError, match="0 queries and 1 gallery images"):
        evaluate_extractor(mean_color, dataset, CONFIG, height=4, width=2)
