"""The development split of the benchmarks, on drawn people."""

from pathlib import Path

import pytest

from benchmarks import development
from pul.data.datasets import read_dataset
from pul.data.synthetic import generate_dataset

FOLDERS = ("bounding_box_train", "query", "bounding_box_test")


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("drawn") / "market"
    return generate_dataset(root, place="a", n_train_ids=7, n_test_ids=1, n_train_images=84)


def names(out: Path, folder: str) -> set[str]:
    return {path.name for path in (out / folder).iterdir()}


def test_main__every_image_once_and_no_person_in_both_halves(market, tmp_path, capsys):
    development.main([str(market), str(tmp_path / "out")])
    parts = [names(tmp_path / "out", folder) for folder in FOLDERS]
    train = names(market, "bounding_box_train")
    assert set.union(*parts) == train
    assert sum(map(len, parts)) == len(train)
    trained, *tested = ({name[:4] for name in part} for part in parts)
    assert (len(trained), len(set.union(*tested))) == (4, 3)
    assert not trained & set.union(*tested)
    assert f"| query | {len(parts[1])} |" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="is there already"):
        development.main([str(market), str(tmp_path / "out")])


def test_split_people__a_query_of_each_camera_that_another_camera_answers(tmp_path):
    folder = tmp_path / "bounding_box_train"
    folder.mkdir()
    for pid in range(1, 41):
        # An odd person has one image in each camera: taking both would leave none to be found.
        for frame in range(1 if pid % 2 else 2):
            for camid in (1, 2):
                (folder / f"{pid:04}_c{camid}s1_{frame:06}_00.jpg").touch()
    samples = read_dataset(tmp_path, format="market1501").split("train")
    split = development.split_people(samples)
    tested = {sample.pid for sample in split["bounding_box_test"]}
    assert len(tested) == 20
    expected = [(pid, camid) for pid in sorted(tested) if pid % 2 == 0 for camid in (1, 2)]
    assert 0 < len(expected) < 40
    assert sorted((sample.pid, sample.camid) for sample in split["query"]) == expected
    again = development.split_people(samples[::-1])
    assert {name: set(part) for name, part in again.items()} == {
        name: set(part) for name, part in split.items()
    }
