"""VIPeR: two cameras, halved by a seed."""

from pathlib import Path

import pytest

from pul.data.datasets import detect_format, read_dataset
from pul.errors import ConfigError, DatasetError


@pytest.fixture
def viper(tmp_path: Path, save_image) -> Path:
    """Lay out people 0 to 7 in both cameras, person 8 in the first alone."""
    for number in range(8):
        save_image(tmp_path / "cam_a" / f"{number:03d}_0.bmp", seed=number)
        save_image(tmp_path / "cam_b" / f"{number:03d}_90.bmp", seed=number)
    save_image(tmp_path / "cam_a" / "008_45.bmp")
    save_image(tmp_path / "cam_b" / "person.bmp")
    return tmp_path


def test_viper__halves_do_not_overlap(viper: Path) -> None:
    dataset = read_dataset(viper)
    train = {sample.pid for sample in dataset.split("train")}
    test = {sample.pid for sample in dataset.split("query")}
    assert (len(train), len(test), len(dataset.split("train"))) == (5, 4, 9)
    assert train | test == set(range(1, 10))
    assert 9 in train  # seen by one camera only, so no query could find it
    assert {sample.camid for sample in dataset.split("query")} == {1}
    assert {sample.camid for sample in dataset.split("gallery")} == {2}
    assert {sample.pid for sample in dataset.split("gallery")} == test
    assert [item.path.name for item in dataset.skipped] == ["person.bmp"]


def test_viper__seed_draws_the_split(viper: Path) -> None:
    assert read_dataset(viper, split_seed=1) == read_dataset(viper, split_seed=1)
    drawn = {
        frozenset(sample.pid for sample in read_dataset(viper, split_seed=seed).split("query"))
        for seed in range(5)
    }
    assert len(drawn) > 1
    with pytest.raises(ConfigError, match="-1"):
        read_dataset(viper, split_seed=-1)


def test_viper__part_is_refused(viper: Path) -> None:
    with pytest.raises(DatasetError, match="'cam_a' is a part of a dataset"):
        detect_format(viper / "cam_a")
