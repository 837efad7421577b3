"""What folders mean, in the layouts that people have: by names and counts, no image is opened."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from pul.data.datasets import Dataset, read_dataset
from pul.errors import AmbiguousLayoutError, ConfigError

SPLITS = ("train", "query", "gallery")


def lay_out(root: Path, paths: Iterable[str]) -> Path:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return root


def people(dataset: Dataset, split: str) -> set[int | None]:
    return {sample.pid for sample in dataset.split(split)}


def cameras(dataset: Dataset) -> set[int | None]:
    return {sample.camid for sample in dataset.samples}


def market_name(pid: int, camid: int, frame: int) -> str:
    return f"{pid:04}_c{camid}s1_{frame:06}_00.jpg"


# People 1 to 4 are there to train, 5 to 7 to test, each on two cameras.
TRAIN = [(pid, camid, 100 * pid + camid) for pid in (1, 2, 3, 4) for camid in (1, 2)]
QUERY = [(pid, 1, 100 * pid) for pid in (5, 6, 7)]
GALLERY = [(pid, 2, 100 * pid) for pid in (5, 6, 7)]
PLACED = dict(zip(SPLITS, (TRAIN, QUERY, GALLERY), strict=True))


# Splits


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


# Cameras


@pytest.mark.parametrize(
    ("folders", "numbers"),
    [
        (("cam1", "cam5"), {1, 5}),
        (("Camera_03", "Camera_12"), {3, 12}),
        (("ch01", "ch02"), {1, 2}),
        (("Kanal 4", "Kanal 7"), {4, 7}),
        (("caméra2", "caméra3"), {2, 3}),
        (("IPC-1", "IPC-2"), {1, 2}),
        (("摄像头1", "摄像头2"), {1, 2}),
        (("カメラ1", "カメラ9"), {1, 9}),
        (("192.168.1.64", "192.168.1.65"), {1, 2}),
        (("Eingang", "Parkplatz", "Flur Süd"), {1, 2, 3}),
        (("entrée", "sortie"), {1, 2}),
        (("main entrance", "back door"), {1, 2}),
        (("cam_a", "cam_b"), {1, 2}),
        (("NVR_ch2_main", "NVR_ch3_main"), {2, 3}),
        (("visible", "thermal"), {1, 2}),
        (("c001", "c002"), {1, 2}),
    ],
)
def test_cameras__named_as_cameras_recorders_and_places(
    tmp_path: Path, folders: tuple[str, ...], numbers: set[int]
) -> None:
    paths = (f"{folder}/{i:05}.jpg" for folder in folders for i in range(30))
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert cameras(dataset) == numbers
    assert people(dataset, "train") == {None}


def test_cameras__with_days_and_recordings_below(tmp_path: Path) -> None:
    paths = [
        f"NVR/ch{camid:02}/{day}/video{v}/{i}.jpg"
        for camid in (1, 2)
        for day in ("2024-05-03", "20240504")
        for v in (1, 2)
        for i in range(4)
    ]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert dataset.levels == "-/camera/date/recording"
    assert (cameras(dataset), people(dataset, "train")) == ({1, 2}, {None})


def test_cameras__above_people_as_in_sysu_mm01(tmp_path: Path) -> None:
    paths = [
        f"cam{c}/{pid:04}/{i:04}.jpg" for c in (1, 2, 3) for pid in range(1, 7) for i in (1, 2)
    ]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert dataset.levels == "camera/person"
    assert (cameras(dataset), people(dataset, "train")) == ({1, 2, 3}, set(range(1, 7)))


def test_cameras__above_people_by_how_often_the_people_repeat(tmp_path: Path) -> None:
    """Nothing in `1`, `2`, `3` says camera, but the same forty numbers are below each of them."""
    paths = [f"{c}/{pid}/{i}.jpg" for c in (1, 2, 3) for pid in range(1, 41) for i in range(2)]
    dataset = read_dataset(lay_out(tmp_path / "a", paths))
    assert (cameras(dataset), people(dataset, "train")) == ({1, 2, 3}, set(range(1, 41)))
    paths = [f"{pid}/{c}/{i}.jpg" for c in (1, 2, 3) for pid in range(1, 41) for i in range(2)]
    dataset = read_dataset(lay_out(tmp_path / "b", paths))
    assert (cameras(dataset), people(dataset, "train")) == ({1, 2, 3}, set(range(1, 41)))


@pytest.mark.parametrize("shot", ["single_shot", "multi_shot"])
def test_cameras__prid(tmp_path: Path, shot: str) -> None:
    below = "" if shot == "single_shot" else "/0001"
    paths = [f"{shot}/cam_{c}/person_{pid:04}{below}.png" for c in "ab" for pid in range(1, 13)]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert (cameras(dataset), people(dataset, "train")) == ({1, 2}, set(range(1, 13)))


@pytest.mark.parametrize("root", ["prid_2011/multi_shot", "PRID2011/single-shot", "other"])
def test_cameras__people_of_prid_above_200_are_others_on_each_camera(
    tmp_path: Path, root: str
) -> None:
    """385 people on camera A, 749 on B, 200 of them the same."""
    paths = [f"{root}/cam_a/person_{pid:04}.png" for pid in range(1, 386)]
    paths += [f"{root}/cam_b/person_{pid:04}.png" for pid in range(1, 750)]
    dataset = read_dataset(lay_out(tmp_path, paths))
    seen = {c: {s.pid for s in dataset.samples if s.camid == c} for c in (1, 2)}
    assert (len(seen[1]), len(seen[2]), len(seen[1] & seen[2])) == (385, 749, 200)
    assert seen[1] & seen[2] == set(range(1, 201))
    assert any("PRID" in note for note in dataset.notes)


def test_cameras__a_and_b_of_others_than_prid_show_the_same_people(tmp_path: Path) -> None:
    paths = [f"cam_{c}/person_{pid:04}.png" for c in "ab" for pid in range(1, 301)]
    dataset = read_dataset(lay_out(tmp_path / "shop", paths))
    assert people(dataset, "train") == set(range(1, 301))


def test_cameras__ilids_vid(tmp_path: Path) -> None:
    paths = [
        f"i-LIDS-VID/sequences/cam{c}/person{pid:03}/cam{c}_person{pid:03}_{i:05}.png"
        for c in (1, 2)
        for pid in (1, 2, 5, 8)
        for i in (317, 318)
    ]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert (cameras(dataset), people(dataset, "train")) == ({1, 2}, {1, 2, 5, 8})


# Classes and trackers


def test_classes__of_a_detector_are_no_people(tmp_path: Path) -> None:
    paths = [
        f"runs/detect/predict/crops/{name}/im{i}.jpg"
        for name in ("person", "tie")
        for i in range(20)
    ]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert people(dataset, "train") == {None}
    assert len(dataset.samples) == 20
    assert {item.reason for item in dataset.skipped} == {
        "a crop of the class 'tie', which is no person"
    }


def test_classes__tracks_of_a_tracker_below(tmp_path: Path) -> None:
    paths = [f"crops/person/track_{t}/{i}.jpg" for t in range(1, 9) for i in range(5)]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert dataset.levels == "-/class/tracklet"
    assert len({sample.tracklet for sample in dataset.samples}) == 8
    assert people(dataset, "train") == {None}


def test_people__never_a_folder_whose_files_name_many_ids(tmp_path: Path) -> None:
    paths = [
        f"{part}/{market_name(pid, c, i)}"
        for part in "xyz"
        for pid in range(9)
        for c in (1, 2)
        for i in (3, 4)
    ]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert people(dataset, "train") == {None}
    assert cameras(dataset) == {1, 2}


def test_people__folders_that_agree_with_the_names_of_their_files(tmp_path: Path) -> None:
    paths = [
        f"{pid}/{market_name(pid, c, i)}" for pid in (3, 4, 9) for c in (1, 2) for i in range(30)
    ]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert people(dataset, "train") == {3, 4, 9}


@pytest.mark.parametrize("word", ["unknown", "Other", "inconnu", "неизвестно", "n/a", "-2", "未知"])
def test_people__a_bin_for_the_rest_is_nobody(tmp_path: Path, word: str) -> None:
    word = word.replace("/", "_")
    names = [f"person {i}" for i in range(1, 12)] + [word]
    dataset = read_dataset(lay_out(tmp_path, (f"{n}/{i}.jpg" for n in names for i in range(4))))
    assert people(dataset, "train") == {None, *range(1, 12)}
    assert any(note.startswith(f"{word!r} is nobody: 4 images") for note in dataset.notes)


# Where evidence does not decide


FEW = [f"{name}/{i}.jpg" for name in ("red", "green", "blue") for i in range(60)]


def test_ambiguous__few_large_folders_are_people_or_cameras(tmp_path: Path) -> None:
    lay_out(tmp_path, FEW)
    with pytest.raises(AmbiguousLayoutError) as caught:
        read_dataset(tmp_path)
    assert [levels for levels, _ in caught.value.readings] == ["person", "camera", "-"]
    assert "--levels camera   people not known, 3 cameras" in str(caught.value)


@pytest.mark.parametrize(
    ("levels", "pids", "camids"),
    [
        ("person", {1, 2, 3}, {None}),
        ("camera", {None}, {1, 2, 3}),
        ("-", {None}, {None}),
        ("tracklet", {None}, {None}),
    ],
)
def test_ambiguous__every_reading_that_is_offered_works(
    tmp_path: Path, levels: str, pids: set[int | None], camids: set[int | None]
) -> None:
    dataset = read_dataset(lay_out(tmp_path, FEW), levels=levels)
    assert (people(dataset, "train"), cameras(dataset)) == (pids, camids)
    assert dataset.levels == levels


def test_ambiguous__two_levels_of_the_same_kind(tmp_path: Path) -> None:
    lay_out(tmp_path, (f"{a}/{b}/{i}.jpg" for a in range(5) for b in range(5) for i in range(30)))
    with pytest.raises(AmbiguousLayoutError) as caught:
        read_dataset(tmp_path)
    for levels, _ in caught.value.readings:
        assert read_dataset(tmp_path, levels=levels).levels == levels


def test_levels__given_ones_win_over_a_known_layout(tmp_path: Path) -> None:
    root = lay_out(tmp_path, (f"bounding_box_train/{market_name(*row)}" for row in TRAIN))
    assert people(read_dataset(root), "train") == {1, 2, 3, 4}
    assert people(read_dataset(root, levels="-"), "train") == {None}


@pytest.mark.parametrize("levels", ["persons", "camera//person", "person/person", "camera,person"])
def test_levels__other_words_are_refused(tmp_path: Path, levels: str) -> None:
    lay_out(tmp_path, FEW)
    with pytest.raises(ConfigError, match=r"camera/person|one level only"):
        read_dataset(tmp_path, levels=levels)


# Ids that mean nobody


def test_ids__counted_from_0_are_counted_from_1(tmp_path: Path) -> None:
    paths = [f"train/{market_name(pid - 1, *rest)}" for pid, *rest in TRAIN]
    paths += [f"query/{market_name(pid - 1, *rest)}" for pid, *rest in QUERY]
    paths += [f"test/{market_name(pid - 1, *rest)}" for pid, *rest in GALLERY]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert [people(dataset, split) for split in SPLITS] == [{1, 2, 3, 4}, {5, 6, 7}, {5, 6, 7}]
    assert any("counted from 0" in note for note in dataset.notes)


def test_ids__0_is_a_distractor_in_the_gallery_only(tmp_path: Path) -> None:
    rows = [
        *((s, row) for s in SPLITS for row in PLACED[s]),
        ("gallery", (0, 1, 1)),
        ("gallery", (0, 2, 2)),
    ]
    dataset = read_dataset(lay_out(tmp_path, (f"{s}/{market_name(*row)}" for s, row in rows)))
    assert people(dataset, "gallery") == {0, 5, 6, 7}
