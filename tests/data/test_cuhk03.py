"""CUHK03: the folders of the new protocol, and the MATLAB file."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from typer.testing import CliRunner

from pul.cli.main import app
from pul.data.datasets import read_dataset
from pul.data.images import decode_image
from pul.errors import ConfigError, DatasetError, StoreError, UnpackingError
from pul.models.network import save_network
from pul.store.workspace import Workspace
from tests.data.conftest import rows
from tests.support.networks import tiny_network


def test_cuhk03_np__boxes_choose_the_folder(tmp_path: Path, save_all) -> None:
    for boxes, name in (("detected", "0001_c1_1.png"), ("labeled", "0002_c2_1.png")):
        save_all(tmp_path / boxes / "bounding_box_train", name)
    assert rows(read_dataset(tmp_path), "train") == [("0001_c1_1.png", 1, 1)]
    labeled = read_dataset(tmp_path, boxes="labeled")
    assert (labeled.format, labeled.name) == ("cuhk03-np", "CUHK03 (labeled)")
    assert rows(labeled, "train") == [("0002_c2_1.png", 2, 2)]
    with pytest.raises(ConfigError, match="'both'"):
        read_dataset(tmp_path, boxes="both")


def person_image(pair: int, person: int, number: int) -> np.ndarray:
    """Return an image (6, 4, 3) that no other person and view has."""
    seed = pair * 100 + person * 10 + number
    return np.random.default_rng(seed).integers(0, 256, (6, 4, 3), dtype=np.uint8)


def write_mat(path: Path, people: tuple[int, ...], missing: tuple[int, int, int]) -> None:
    """Write a cuhk-03.mat as MATLAB does: cells as references, every array transposed."""
    with h5py.File(path, "w") as file:
        store = file.create_group("#refs#")
        reference = h5py.special_dtype(ref=h5py.Reference)
        for boxes in ("detected", "labeled"):
            pairs = file.create_dataset(boxes, (1, len(people)), dtype=reference)
            for pair, n_people in enumerate(people, start=1):
                cells = store.create_dataset(f"{boxes}{pair}", (10, n_people), dtype=reference)
                for person in range(1, n_people + 1):
                    for number in range(1, 11):
                        empty = (pair, person, number) == missing
                        value = person_image(pair, person, number).T
                        item = store.create_dataset(
                            f"{boxes}{pair}_{person}_{number}",
                            data=np.zeros(2, dtype=np.uint64) if empty else value,
                        )
                        cells[number - 1, person - 1] = item.ref
                pairs[0, pair - 1] = cells.ref


@pytest.fixture
def cuhk03(tmp_path: Path) -> Path:
    """Lay out two camera pairs with 2 and 1 people; person 1 of pair 1 lacks image 6."""
    root = tmp_path / "raw"
    root.mkdir()
    write_mat(root / "cuhk-03.mat", (2, 1), missing=(1, 1, 6))
    files = ["1_001_1_01.png", "1_001_2_06.png", "1_002_1_02.png", "1_002_2_07.png"]
    files += ["2_001_1_05.png", "2_001_2_06.png"]
    savemat(
        root / "cuhk03_new_protocol_config_detected.mat",
        {
            "filelist": np.array(files, dtype=object)[:, None],
            "labels": np.array([[1, 1, 2, 2, 3, 3]]).T,
            "camId": np.array([[1, 2, 1, 2, 1, 2]]).T,
            "train_idx": np.array([[4, 1, 2, 3]]).T,
            "query_idx": np.array([[5]]),
            "gallery_idx": np.array([[6]]),
        },
    )
    return root


def test_cuhk03_mat__unpacks_what_the_split_names(cuhk03: Path, tmp_path: Path) -> None:
    dataset = read_dataset(cuhk03, cache_dir=tmp_path / "cache")
    assert dataset.format == "cuhk03-mat"
    assert rows(dataset, "train") == [
        ("1_001_1_01.png", 1, 1),
        ("1_002_1_02.png", 2, 1),
        ("1_002_2_07.png", 2, 2),
    ]
    assert rows(dataset, "query") == [("2_001_1_05.png", 3, 1)]
    assert rows(dataset, "gallery") == [("2_001_2_06.png", 3, 2)]
    assert [item.path.name for item in dataset.skipped] == ["1_001_2_06.png"]
    for sample in dataset.samples:
        pair, person, _, number = (int(field) for field in sample.path.stem.split("_"))
        np.testing.assert_array_equal(decode_image(sample.path), person_image(pair, person, number))


def test_cuhk03_mat__second_reading_unpacks_nothing(cuhk03: Path, tmp_path: Path) -> None:
    first = read_dataset(cuhk03, cache_dir=tmp_path / "cache")
    times = [sample.path.stat().st_mtime_ns for sample in first.samples]
    second = read_dataset(cuhk03, cache_dir=tmp_path / "cache")
    assert second == first
    assert [sample.path.stat().st_mtime_ns for sample in second.samples] == times
    first.samples[0].path.unlink()
    assert read_dataset(cuhk03, cache_dir=tmp_path / "cache") == first


def test_cuhk03_mat__what_is_missing_is_said(cuhk03: Path, tmp_path: Path) -> None:
    with pytest.raises(UnpackingError, match="give cache_dir"):
        read_dataset(cuhk03)
    with pytest.raises(DatasetError, match="no cuhk03_new_protocol_config_labeled"):
        read_dataset(cuhk03, boxes="labeled", cache_dir=tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"no cuhk-03\.mat"):
        read_dataset(tmp_path / "empty", format="cuhk03-mat", cache_dir=tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Free some space"):
        read_dataset(cuhk03, cache_dir=tmp_path / "file")
    (cuhk03 / "cuhk-03.mat").write_bytes(b"x" * 600)
    with pytest.raises(DatasetError, match=r"no MATLAB 7\.3 file"):
        read_dataset(cuhk03, cache_dir=tmp_path / "other")


@pytest.mark.parametrize(
    "changed",
    [
        {"train_idx": np.array([[0]])},
        {"train_idx": np.array([[7]])},
        {"filelist": np.array(["../../etc/a.png"] * 6, dtype=object)[:, None]},
        {"filelist": np.array([], dtype=object)},
    ],
)
def test_cuhk03_mat__bad_split_file(
    cuhk03: Path, tmp_path: Path, changed: dict[str, np.ndarray]
) -> None:
    path = cuhk03 / "cuhk03_new_protocol_config_detected.mat"
    content = {
        "filelist": np.array(["1_001_1_01.png"] * 6, dtype=object)[:, None],
        "labels": np.ones((6, 1)),
        "train_idx": np.array([[1]]),
        "query_idx": np.array([[1]]),
        "gallery_idx": np.array([[1]]),
    }
    savemat(path, content | changed)
    with pytest.raises(DatasetError, match=path.name):
        read_dataset(cuhk03, cache_dir=tmp_path / "cache")
    path.write_bytes(b"MATLAB 5.0, cut off")
    with pytest.raises(DatasetError, match=path.name):
        read_dataset(cuhk03, cache_dir=tmp_path / "cache")


def test_cuhk03_mat__the_commands_that_the_message_names_unpack_it(
    cuhk03: Path, tmp_path: Path
) -> None:
    def run(*arguments: object) -> dict[str, object]:
        done = CliRunner().invoke(app, [str(x) for x in (*arguments, "--json")])
        assert done.exit_code == 0, done.output
        return dict(json.loads(done.stdout))

    plan = run("import", cuhk03, "--dry-run")
    done = run("import", cuhk03, "--workspace", tmp_path / "w")
    assert plan["splits"] == done["splits"]
    assert (plan["n_new"], done["n_new"]) == (None, 5)
    with Workspace.open(tmp_path / "w") as workspace:
        paths = [Path(path) for path in workspace.images().paths]
        assert all(path.is_file() for path in paths)
        assert all(path.is_relative_to(workspace.path / "images") for path in paths)
    save_network(tiny_network(), tmp_path / "m.safetensors")
    told = CliRunner().invoke(app, ["evaluate", str(tmp_path / "m.safetensors"), str(cuhk03)])
    assert "--cache FOLDER" in str(told.exception)
    figures = run(
        *("evaluate", tmp_path / "m.safetensors", cuhk03, "--cache", tmp_path / "unpacked")
    )
    assert figures["n_queries"] == 1
