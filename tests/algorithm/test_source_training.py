from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pul.algorithm.finetuning import finetune
from pul.algorithm.source_training import source_classes, train_source
from pul.config import TrainConfig
from pul.data.datasets import Dataset
from pul.data.samples import Sample
from pul.errors import DataError
from pul.models.devices import seeded
from pul.models.network import build_network
from tests.support.networks import TINY, coloured_images

CONFIG = TrainConfig(n_epochs=1, batch_size=4)


@pytest.fixture
def dataset(tmp_path):
    """Four images of persons 9 and 2, and junk, a distractor, an unknown one and a query."""
    pixels, _ = coloured_images(2, 4)
    samples = []
    for i, pid in enumerate([9, 2, 9, 2, 0, -1, None, 5]):
        path = tmp_path / f"{i}.png"
        Image.fromarray(pixels[i]).save(path)
        samples.append(Sample(path, pid, split="query" if pid == 5 else "train"))
    return Dataset("drawn", "market1501", tmp_path, tuple(samples))


def test_source_classes__number_people_in_ascending_order():
    samples = [Sample(Path("x"), pid) for pid in (30, 7, 30, 12)]
    classes = source_classes(samples)
    assert classes.tolist() == [2, 0, 2, 1]
    assert classes.dtype == np.int64


@pytest.mark.parametrize(("pids", "says"), [([], "0 in 0 labelled"), ([4, 4], "1 in 2 labelled")])
def test_source_classes__needs_two_people(pids, says):
    with pytest.raises(DataError, match=says):
        source_classes([Sample(Path("x"), pid) for pid in pids])


def test_train_source__trains_on_the_labelled_images_of_the_train_split(dataset, tmp_path):
    seen = []
    network, result = train_source(
        dataset,
        TINY,
        CONFIG,
        seed=3,
        cache_dir=tmp_path / "cache",
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert (result.n_images, result.n_classes, len(result.epoch_losses)) == (4, 2, 1)
    assert seen == [(1, 1)]
    assert any((tmp_path / "cache").iterdir())
    with seeded(3, "cpu"):  # the start weights are random
        expected = build_network(TINY)
    again = finetune(expected, coloured_images(2, 4)[0][:4], np.array([1, 0, 1, 0]), CONFIG, seed=3)
    assert again == result
    for one, other in zip(network.parameters(), expected.parameters(), strict=True):
        assert torch.equal(one, other)


def test_train_source__person_one_is_labelled(dataset):
    samples = tuple(
        Sample(sample.path, pid)
        for sample, pid in zip(dataset.samples[:4], [1, 1, 2, 2], strict=True)
    )
    one = Dataset("drawn", "market1501", dataset.root, samples)
    assert train_source(one, TINY, CONFIG, seed=0)[1].n_images == 4
