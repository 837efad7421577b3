"""Which images are there to train, to ask for and to be found: by folders, names and people."""

from pathlib import Path

import pytest

from pul.data.datasets import read_dataset
from pul.errors import AmbiguousLayoutError, ConfigError
from tests.support.layouts import (
    GALLERY,
    PLACED,
    QUERY,
    SPLITS,
    TRAIN,
    cameras,
    lay_out,
    market_name,
    people,
)


@pytest.mark.parametrize(
    "folders",
    [
        ("image_train", "image_query", "image_test"),
        ("Train", "Query", "Test"),
        ("bounding_box_train_resize", "query_resize", "bounding_box_test_resize"),
        ("TRAINING", "PROBE", "GALLERY"),
        ("TrainSet", "QuerySet", "TestSet"),
        ("entrenamiento", "consulta", "galería"),
        ("Entraînement", "requêtes", "galerie"),
        ("обучение", "запрос", "галерея"),
        ("训练集", "查询集", "测试集"),
        ("学習", "クエリ", "テスト"),
        ("01_train_256x128", "02_probe_256x128", "03_gallery_256x128"),
    ],
)
@pytest.mark.parametrize("above", ["", "data/", "a/b/crops/"])
def test_splits__names_of_many_languages_with_ids_in_the_names(
    tmp_path: Path, folders: tuple[str, str, str], above: str
) -> None:
    root = lay_out(
        tmp_path / "site",
        (
            f"{above}{folder}/{market_name(*row)}"
            for folder, split in zip(folders, SPLITS, strict=True)
            for row in PLACED[split]
        ),
    )
    dataset = read_dataset(root)
    assert [people(dataset, split) for split in SPLITS] == [{1, 2, 3, 4}, {5, 6, 7}, {5, 6, 7}]
    assert cameras(dataset) == {1, 2}
    assert any("split" in note for note in dataset.notes)


@pytest.mark.parametrize("order", [("a", "b", "c"), ("z", "y", "x"), ("p1", "p2", "p3")])
@pytest.mark.parametrize("by", ["names", "folders"])
def test_splits__of_other_names_are_asked_about(
    tmp_path: Path, order: tuple[str, str, str], by: str
) -> None:
    """People of the second and third folder are the same, and none of them is in the first."""
    twice = [*GALLERY, *((pid, 3, frame + 1) for pid, _, frame in GALLERY)]
    placed = dict(zip(order, (TRAIN, QUERY, twice), strict=True))
    paths = [
        f"{folder}/{market_name(*row)}" if by == "names" else f"{folder}/n{row[0]}/{row[2]}.jpg"
        for folder, rows in placed.items()
        for row in rows
    ]
    root = lay_out(tmp_path / "site", paths)
    with pytest.raises(AmbiguousLayoutError) as refused:
        read_dataset(root)
    levels = refused.value.readings[0][0]
    named = sorted(f"{name}={split}" for name, split in zip(order, SPLITS, strict=True))
    assert levels == f"split:{','.join(named)}" + ("/person" if by == "folders" else "")
    dataset = read_dataset(root, levels=levels)
    assert dataset.levels == levels
    assert [len(people(dataset, split)) for split in SPLITS] == [4, 3, 3]
    assert people(dataset, "query") == people(dataset, "gallery")
    assert not people(dataset, "query") & people(dataset, "train")
    for other, _ in refused.value.readings[1:]:
        assert read_dataset(root, levels=other).levels == other


def test_splits__recordings_of_the_same_people_are_no_splits(tmp_path: Path) -> None:
    paths = [f"{folder}/{market_name(*row)}" for folder in ("a", "b", "c") for row in TRAIN]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert [len(dataset.split(split)) for split in SPLITS] == [24, 0, 0]


@pytest.mark.parametrize(
    "names",
    [
        ("train_{}", "query_{}", "test_{}"),
        ("Entraînement-{}", "Requête-{}", "Galerie-{}"),
        ("{}_train", "{}_probe", "{}_gallery"),
        ("训练_{}", "查询_{}", "图库_{}"),
    ],
)
@pytest.mark.parametrize("above", ["", "crops/"])
def test_splits__in_the_names_of_files(
    tmp_path: Path, names: tuple[str, str, str], above: str
) -> None:
    paths = [
        f"{above}{form.format(market_name(*row)[:-4])}.jpg"
        for form, split in zip(names, SPLITS, strict=True)
        for row in PLACED[split]
    ]
    dataset = read_dataset(lay_out(tmp_path / "site", [*paths, f"{above}photo_0001_c1.jpg"]))
    assert [people(dataset, split) for split in SPLITS] == [{1, 2, 3, 4}, {5, 6, 7}, {5, 6, 7}]
    assert cameras(dataset) == {1, 2}
    assert [
        (item.path.name, "train, query or gallery" in item.reason) for item in dataset.skipped
    ] == [("photo_0001_c1.jpg", True)]
    assert read_dataset(tmp_path / "site", levels=dataset.levels).samples == dataset.samples


def test_splits__words_in_names_that_make_no_whole_are_none(tmp_path: Path) -> None:
    paths = [f"test_{market_name(*row)}" for row in TRAIN]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert [len(dataset.split(split)) for split in SPLITS] == [8, 0, 0]


@pytest.mark.parametrize(
    "levels", ["split:a", "split:a=nothing/person", "camera:a=train", "split:=train"]
)
def test_splits__other_words_are_refused(tmp_path: Path, levels: str) -> None:
    root = lay_out(tmp_path, ["a/1.jpg"])
    with pytest.raises(ConfigError, match=r"split:a=train,b=query,c=gallery|none of them"):
        read_dataset(root, levels=levels)


def test_splits__a_folder_for_each_person_below(tmp_path: Path) -> None:
    paths = [
        f"{folder}/{pid:04}/{market_name(pid, camid, frame)}"
        for folder, rows in zip(("training", "probe", "test"), PLACED.values(), strict=True)
        for pid, camid, frame in rows
    ]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert [people(dataset, split) for split in SPLITS] == [{1, 2, 3, 4}, {5, 6, 7}, {5, 6, 7}]
    assert dataset.levels == "split/person"


def test_splits__of_another_build_each(tmp_path: Path) -> None:
    """PRCC: train/<person>/A_1.jpg, test/<camera>/<person>/1.jpg."""
    paths = [f"train/{pid:03}/A_{i}.jpg" for pid in range(1, 41) for i in range(3)]
    paths += [f"test/{c}/{pid:03}/{i}.jpg" for c in "ABC" for pid in range(50, 62) for i in (1, 2)]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert people(dataset, "train") == set(range(1, 41))
    assert people(dataset, "gallery") == set(range(50, 62))
    assert {sample.camid for sample in dataset.split("gallery")} == {1, 2, 3}


def test_splits__occluded_people_ask_for_whole_ones(tmp_path: Path) -> None:
    paths = [
        f"{folder}/{pid:03}/{pid:03}_{i:02}.tif"
        for folder in ("occluded_body_images", "whole_body_images")
        for pid in range(1, 13)
        for i in (1, 2)
    ]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert people(dataset, "query") == people(dataset, "gallery") == set(range(1, 13))
    assert not dataset.split("train")


def test_splits__train_all_holds_train_and_val_already(tmp_path: Path) -> None:
    rows = {
        "train": TRAIN[:4],
        "val": TRAIN[4:],
        "train_all": TRAIN,
        "query": QUERY,
        "gallery": GALLERY,
    }
    paths = [
        f"{folder}/{pid:04}/{market_name(pid, *rest)}"
        for folder in rows
        for pid, *rest in rows[folder]
    ]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert len(dataset.split("train")) == len(TRAIN)
    assert {s.reason for s in dataset.skipped} == {"its images are in 'train_all' too"}


def test_splits__validation_people_train_where_nothing_holds_them_too(tmp_path: Path) -> None:
    rows = {"train": TRAIN[:4], "val": TRAIN[4:], "test": GALLERY}
    paths = [f"{folder}/{market_name(*row)}" for folder in rows for row in rows[folder]]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert people(dataset, "train") == {1, 2, 3, 4}
    assert people(dataset, "gallery") == {5, 6, 7}


def test_splits__tracklets_of_mars(tmp_path: Path) -> None:
    paths = [
        f"{folder}/{tag}/{tag}C{camid}T{track:04}F{frame:03}.jpg"
        for folder, tags in (
            ("bbox_train", ("0001", "0003")),
            ("bbox_test", ("0002", "0000", "00-1")),
        )
        for tag in tags
        for camid, track in ((1, 1), (2, 1), (2, 7))
        for frame in (1, 2)
    ]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert people(dataset, "train") == {1, 3}
    assert people(dataset, "gallery") == {2, 0, -1}
    assert cameras(dataset) == {1, 2}
    assert len({sample.tracklet for sample in dataset.split("train")}) == 6


@pytest.mark.parametrize("names", [("car", "bus", "train"), ("train", "truck")])
def test_splits__a_train_among_vehicles_is_a_class(tmp_path: Path, names: tuple[str, ...]) -> None:
    dataset = read_dataset(lay_out(tmp_path, (f"{n}/{i}.jpg" for n in names for i in range(40))))
    assert people(dataset, "train") == {None}
    assert len(dataset.split("train")) == 40 * len(names)
