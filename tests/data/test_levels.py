"""What folders mean, in the layouts that people have: by names and counts, no image is opened."""

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


# Other languages, recorders and containers


@pytest.mark.parametrize(
    ("camera", "person"),
    [
        ("κάμερα", "άτομο"),
        ("كاميرا", "شخص"),
        ("מצלמה", "אדם"),
        ("कैमरा", "व्यक्ति"),
        ("กล้อง", "คน"),
        ("kamera", "orang"),
        ("kamera", "henkilö"),
    ],
)
def test_levels__cameras_and_people_of_other_languages(
    tmp_path: Path, camera: str, person: str
) -> None:
    paths = [
        f"{camera} {c}/{person} {p}/{i}.jpg" for c in (1, 2) for p in range(1, 5) for i in "ab"
    ]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert (cameras(dataset), people(dataset, "train")) == ({1, 2}, {1, 2, 3, 4})


@pytest.mark.parametrize(
    ("train", "query", "gallery"),
    [
        ("antrenare", "interogare", "galerie"),
        ("træning", "forespørgsel", "galleri"),
        ("навчання", "запит", "галерея"),
        ("trénovací", "dotaz", "galerie"),
        ("प्रशिक्षण", "क्वेरी", "परीक्षण"),
    ],
)
def test_splits__of_other_languages(tmp_path: Path, train: str, query: str, gallery: str) -> None:
    paths = [f"{train}/{p:02}_c1_{i}.jpg" for p in range(1, 5) for i in (1, 2)]
    paths += [f"{query}/{p:02}_c1_1.jpg" for p in (7, 8, 9)]
    paths += [f"{gallery}/{p:02}_c2_1.jpg" for p in (7, 8, 9)]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert people(dataset, "train") == {1, 2, 3, 4}
    assert people(dataset, "query") == people(dataset, "gallery") == {7, 8, 9}


def test_splits__two_folders_of_different_people_in_no_known_words_are_asked_about(
    tmp_path: Path,
) -> None:
    paths = [f"ikasi/{p:04}_c{c}_1.jpg" for p in range(1, 7) for c in (1, 2)]
    paths += [f"frogatu/{p:04}_c{c}_1.jpg" for p in range(7, 10) for c in (1, 2)]
    root = lay_out(tmp_path, paths)
    with pytest.raises(AmbiguousLayoutError) as asked:
        read_dataset(root)
    (first, _), *_ = asked.value.readings
    assert first == "split:frogatu=gallery,ikasi=train"
    dataset = read_dataset(root, levels=first)
    assert people(dataset, "gallery") == {7, 8, 9}


def test_splits__a_known_word_goes_before_what_is_guessed(tmp_path: Path) -> None:
    paths = [f"ikasi/{p:04}_c1_{i}.jpg" for p in range(1, 7) for i in (1, 2)]
    paths += [f"galerie/{p:04}_c1_1.jpg" for p in range(7, 10)]
    paths += [f"eskaera/{p:04}_c2_1.jpg" for p in range(7, 10)]
    with pytest.raises(AmbiguousLayoutError) as asked:
        read_dataset(lay_out(tmp_path, paths))
    assert asked.value.readings[0][0] == "split:eskaera=query,galerie=gallery,ikasi=train"


def test_splits__one_folder_in_each_is_nobody(tmp_path: Path) -> None:
    paths = [f"train_all/train_set/x{p}{i}.jpg" for p in range(1, 5) for i in (1, 2)]
    paths += [f"test_query/query_set/x{p}1.jpg" for p in (7, 8)]
    paths += [f"test_gallery/gallery_set/x{p}2.jpg" for p in (7, 8)]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert dataset.levels == "split/-"
    assert people(dataset, "train") == {None}


def test_dates__days_of_a_calendar_are_no_people(tmp_path: Path) -> None:
    paths = [f"2024/05/{day:02}/cam{c}/{i}.jpg" for day in (3, 4) for c in (1, 2) for i in range(4)]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert dataset.levels == "date/date/date/camera"
    assert people(dataset, "train") == {None}


def test_dates__moments_as_seconds_are_no_people(tmp_path: Path) -> None:
    paths = [f"{1714723530 + 7 * n}/{i}.jpg" for n in range(9) for i in range(4)]
    assert read_dataset(lay_out(tmp_path, paths)).levels == "date"


def test_tracklets__below_a_folder_that_is_called_track(tmp_path: Path) -> None:
    paths = [f"runs/track/exp2/crops/person/{n}/{i}.jpg" for n in range(1, 8) for i in "abc"]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert len({sample.tracklet for sample in dataset.samples}) == 7  # not one of them all
    assert people(dataset, "train") == {None}


def test_cameras__of_several_places_are_told_apart(tmp_path: Path) -> None:
    paths = [
        f"store {s}/till {t}/2024-05-0{d}/{i}.jpg"
        for s in (1, 2)
        for t in (1, 2, 3)
        for d in (3, 4)
        for i in range(3)
    ]
    assert len(cameras(read_dataset(lay_out(tmp_path, paths)))) == 6
