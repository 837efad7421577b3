"""People and cameras in the parts of file names, of published data sets and others."""

from pathlib import Path

import pytest

from pul.data.datasets import read_dataset
from pul.data.readers.name_fields import name_fields
from pul.errors import AmbiguousLayoutError, ConfigError
from tests.support.layouts import SPLITS, cameras, lay_out, people


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("0012_3_007.jpg", ("0012", "3", "007")),
        ("-1_c2 (7).jpg", ("-1", "c2", "7")),
        ("P16-C02-x.PNG", ("P16", "C02", "x")),
        ("12", ("12",)),
        ("._.jpg", ()),
    ],
)
def test_name_fields__parts_between_signs(name: str, fields: tuple[str, ...]) -> None:
    assert name_fields(name) == fields


@pytest.mark.parametrize(
    "name", ["{p}_{c}_{i}.jpg", "{p:05}-{c:02}-{i}.png", "id{p} cam{c} ({i}).jpg"]
)
@pytest.mark.parametrize("folders", [("train", "query", "gallery"), ("обучение", "запрос", "тест")])
def test_names__people_of_queries_in_the_gallery_and_not_in_train(
    tmp_path: Path, name: str, folders: tuple[str, str, str]
) -> None:
    train, query, gallery = folders
    paths = [
        f"{train}/{name.format(p=p, c=c, i=i)}" for p in (1, 2, 9) for c in (1, 4) for i in (3, 8)
    ]
    paths += [f"{query}/{name.format(p=p, c=1, i=5)}" for p in (31, 32, 33)]
    paths += [f"{gallery}/{name.format(p=p, c=4, i=i)}" for p in (31, 32, 33) for i in (2, 6)]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert [people(dataset, s) for s in SPLITS] == [{1, 2, 9}, {31, 32, 33}, {31, 32, 33}]
    assert cameras(dataset) == {1, 4}


def test_names__the_person_may_stand_last(tmp_path: Path) -> None:
    """CARLA's vehicles: moment, camera, vehicle."""
    paths = [f"train/2022071121261{c}_{c}_{p}.jpg" for p in (1, 2, 3) for c in (5, 24)]
    paths += [f"query/2022071121270{p}_5_{p}.jpg" for p in (7, 8)]
    paths += [f"gallery/2022071121280{p}_24_{p}.jpg" for p in (7, 8)]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert dataset.levels == "split/-_camera_person"
    assert [people(dataset, s) for s in SPLITS] == [{1, 2, 3}, {7, 8}, {7, 8}]
    assert cameras(dataset) == {5, 24}


def _celebrities() -> list[str]:
    """Person, count of the image, nothing: train and test both count people from 1."""
    paths = [f"train/{p}_{i}_0.jpg" for p in range(1, 15) for i in range(1, 5)]
    for p in range(1, 13):
        asked = {1, 2} if p % 2 else {3, 5}
        paths += [f"{'query' if i in asked else 'gallery'}/{p}_{i}_0.jpg" for i in range(1, 6)]
    return paths


def test_names__a_count_of_images_is_no_camera(tmp_path: Path) -> None:
    dataset = read_dataset(lay_out(tmp_path, _celebrities()))
    assert dataset.levels == "split/person_-"
    assert cameras(dataset) == {None}


def test_names__people_of_train_and_test_with_the_same_numbers_are_others(tmp_path: Path) -> None:
    dataset = read_dataset(lay_out(tmp_path, _celebrities()))
    assert people(dataset, "train") == set(range(1, 15))
    assert people(dataset, "query") == people(dataset, "gallery") == set(range(15, 27))
    assert any("14 is added to theirs" in note for note in dataset.notes)


@pytest.mark.parametrize("name", ["{i:06}.jpg", "frame_{i}.jpg", "cam1_{i:05}.jpg", "{i}_{i}.jpg"])
def test_names__that_count_images_are_no_people(tmp_path: Path, name: str) -> None:
    paths = [f"{split}/{name.format(i=i)}" for split in SPLITS for i in range(1, 25)]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert [people(dataset, split) for split in SPLITS] == [{None}] * 3


def test_names__few_cameras_are_not_taken_for_people(tmp_path: Path) -> None:
    """Camera and frame, which every split has."""
    paths = [
        f"{s}/{c}_{100 * n + i}.jpg"
        for n, s in enumerate(SPLITS)
        for c in range(1, 7)
        for i in range(9)
    ]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert [people(dataset, split) for split in SPLITS] == [{None}] * 3


def test_names__distractors_of_the_gallery_stay_distractors(tmp_path: Path) -> None:
    paths = [f"probe/{p:04}_{1 + p % 5}_25_107.jpeg" for p in range(1, 21)]
    paths += [f"gallery/{p:04}_{6 + p % 2}_11_90.jpeg" for p in range(1, 21)]
    paths += [f"gallery/0000_{c}_{x}_33.jpeg" for c in range(1, 9) for x in (4, 5)]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert people(dataset, "query") == set(range(1, 21))
    assert people(dataset, "gallery") == set(range(21))
    assert cameras(dataset) == set(range(1, 9))


def test_names__of_queries_beside_a_gallery_of_folders(tmp_path: Path) -> None:
    paths = [f"train/{p:05}/{p:05}_{i}_x.jpg" for p in (0, 1, 2) for i in (1, 2)]
    paths += [f"eval/probe/{p:05}_9_x.jpg" for p in (10, 11)]
    paths += [f"eval/gallery/{p:05}/{p:05}_{i}_x.jpg" for p in (10, 11) for i in (3, 4)]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert [people(dataset, s) for s in SPLITS] == [{1, 2, 3}, {11, 12}, {11, 12}]  # from 0


def test_splits__queries_of_validation_train_where_there_are_others(tmp_path: Path) -> None:
    def paths(folders: dict[str, tuple[int, ...]]) -> list[str]:
        return [
            f"{f}/p{p}_c{1 + ('gallery' in f)}_1.jpg" for f, pids in folders.items() for p in pids
        ]

    validation = {"train-set": (1, 2), "val-set-query": (5, 6), "val-set-gallery": (5, 6)}
    test = {"test-set-query": (8, 9), "test-set-gallery": (8, 9)}
    both = read_dataset(lay_out(tmp_path / "both", paths(validation | test)))
    assert [people(both, s) for s in SPLITS] == [{1, 2, 5, 6}, {8, 9}, {8, 9}]
    one = read_dataset(lay_out(tmp_path / "one", paths(validation)))
    assert [people(one, s) for s in SPLITS] == [{1, 2}, {5, 6}, {5, 6}]
    again = read_dataset(tmp_path / "one", levels=one.levels)
    assert [people(again, s) for s in SPLITS] == [{1, 2}, {5, 6}, {5, 6}]


# What people say


@pytest.mark.parametrize(
    ("levels", "pids", "camids", "n_tracklets"),
    [
        ("person_camera_-", {1, 2, 3}, {4, 5}, 0),
        ("-_camera", {None}, {4, 5}, 0),
        ("tracklet_-", {None}, {None}, 3),
        ("-", {None}, {None}, 0),
    ],
)
def test_levels__the_parts_of_names(
    tmp_path: Path, levels: str, pids: set[int | None], camids: set[int | None], n_tracklets: int
) -> None:
    folder = "" if "_" in levels else "x/"
    paths = [f"{folder}{p:03}_{c}_{i}.png" for p in (1, 2, 3) for c in (4, 5) for i in (1, 2)]
    dataset = read_dataset(lay_out(tmp_path, paths), levels=levels)
    assert (people(dataset, "train"), cameras(dataset)) == (pids, camids)
    assert len({sample.tracklet for sample in dataset.samples} - {None}) == n_tracklets
    assert dataset.levels == levels


def test_levels__names_of_people_in_words(tmp_path: Path) -> None:
    paths = [f"door {c}/{who}-{i}.jpg" for c in (1, 2) for who in ("ann", "bob") for i in (1, 2)]
    dataset = read_dataset(lay_out(tmp_path, paths), levels="camera/person_-")
    assert (people(dataset, "train"), cameras(dataset)) == ({1, 2}, {1, 2})


@pytest.mark.parametrize("levels", ["split/person_kamera", "person_person", "person_camera/split"])
def test_levels__other_parts_are_refused(tmp_path: Path, levels: str) -> None:
    lay_out(tmp_path, ["1_2.jpg"])
    with pytest.raises(ConfigError, match=r"person_camera"):
        read_dataset(tmp_path, levels=levels)


def test_levels__what_is_advised_of_names_works(tmp_path: Path) -> None:
    paths = [f"campus/{p:03}_{c:02}_{i}.png" for p in range(1, 13) for c in (1, 2) for i in (1, 2)]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert people(dataset, "train") == {None}
    (hint,) = (note for note in dataset.notes if "who is who" in note)
    told = read_dataset(tmp_path, levels=hint.partition("--levels ")[2].partition(",")[0])
    assert people(told, "train") == set(range(1, 13))


# Folders that are not what they seem


@pytest.mark.parametrize("place", ["P", "pair ", "set_"])
def test_places__with_cameras_below_are_not_silently_people(tmp_path: Path, place: str) -> None:
    """CUHK02: five pairs of cameras, each with people of its own, numbered from 1."""
    paths = [
        f"{place}{n}/cam{c}/{p:03}_{i:04}.png"
        for n in range(1, 6)
        for c in (1, 2)
        for p in range(1, 21)
        for i in (1, 2)
    ]
    with pytest.raises(AmbiguousLayoutError) as caught:
        read_dataset(lay_out(tmp_path, paths))
    for levels, _ in caught.value.readings:
        read_dataset(tmp_path, levels=levels)


def test_people__with_a_second_number_are_asked_about(tmp_path: Path) -> None:
    """CCVID: person and recording in the name of a folder."""
    paths = [f"{p:03}_{v:02}/{i:05}.jpg" for p in range(1, 21) for v in (1, 2, 5) for i in (1, 2)]
    with pytest.raises(AmbiguousLayoutError) as caught:
        read_dataset(lay_out(tmp_path, paths))
    assert [levels for levels, _ in caught.value.readings] == ["person", "tracklet", "-"]


def test_people__of_several_recordings_are_said(tmp_path: Path) -> None:
    """LPW: each scene numbers its people anew."""
    paths = [
        f"scen{s}/view{v}/{p}/{i}.jpg"
        for s in (1, 2)
        for v in (1, 2)
        for p in range(1, 13)
        for i in (1, 2)
    ]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert dataset.levels == "recording/camera/person"
    assert any("import them one by one" in note for note in dataset.notes)


def test_people__p_and_a_number_once_each_is_a_picture(tmp_path: Path) -> None:
    once = read_dataset(lay_out(tmp_path / "once", (f"p{i}_s{i}_1.jpg" for i in range(1, 20))))
    assert people(once, "train") == {None}
    twice = (f"p{i}_s{s}_1.jpg" for i in range(1, 20) for s in (4, 7))
    assert people(read_dataset(lay_out(tmp_path / "twice", twice)), "train") == set(range(1, 20))


@pytest.mark.parametrize(
    "folder", ["VehicleID_V1.0", "My-ReID-2021", "people of 2023", "Person 3 (v2)"]
)
def test_people__a_folder_around_all_of_them_is_none(tmp_path: Path, folder: str) -> None:
    dataset = read_dataset(lay_out(tmp_path, (f"{folder}/image/{i:07}.jpg" for i in range(1, 30))))
    assert people(dataset, "train") == {None}


@pytest.mark.parametrize("above", ["rgb sketch", "front back", "v1 v2 v3"])
def test_people__folders_above_splits_are_none(tmp_path: Path, above: str) -> None:
    paths = [
        f"{folder}/{split}/{p:04}/{i}.jpg"
        for folder in above.split()
        for split, pids in (("train", range(1, 13)), ("query", (21, 22)), ("test", (21, 22)))
        for p in pids
        for i in (1, 2)
    ]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert [len(people(dataset, split)) for split in SPLITS] == [12, 2, 2]


@pytest.mark.parametrize("names", ["ACCC8E01 ACCC8E02", "red blue", "a1 b2 c3"])
def test_people__with_days_below_may_be_cameras(tmp_path: Path, names: str) -> None:
    paths = [
        f"{n}/2024-05-0{d}_10-11-00/{i}.jpg" for n in names.split() for d in (3, 4) for i in (1, 2)
    ]
    with pytest.raises(AmbiguousLayoutError) as caught:
        read_dataset(lay_out(tmp_path, paths))
    assert [levels for levels, _ in caught.value.readings] == [
        "camera/date",
        "person/date",
        "-/date",
    ]


@pytest.mark.parametrize(
    ("kinds", "n"), [("zebra giraffe", 12), ("car truck bus", 18), ("person car", 6)]
)
def test_people__of_several_classes_are_others(tmp_path: Path, kinds: str, n: int) -> None:
    paths = [
        f"{kind}/id_{p}/{i}.jpg" for kind in kinds.split() for p in range(1, 7) for i in (1, 2)
    ]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert (dataset.levels, len(people(dataset, "train"))) == ("class/person", n)


@pytest.mark.parametrize(
    "folders",
    [
        ("uczące", "zapytania", "testowe"),
        ("trn", "qry", "gal"),
        ("latih", "kueri", "uji"),
        ("antrenare", "interogare", "testare"),
    ],
)
def test_splits__more_words(tmp_path: Path, folders: tuple[str, str, str]) -> None:
    train, query, gallery = folders
    paths = [f"{train}/000{p}_c{c}_1.jpg" for p in (1, 2) for c in (1, 2)]
    paths += [f"{query}/0007_c1_1.jpg", f"{gallery}/0007_c2_1.jpg"]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert [people(dataset, split) for split in SPLITS] == [{1, 2}, {7}, {7}]


@pytest.mark.parametrize(
    ("one", "other"), [("left", "right"), ("Linke Seite", "Rechte Seite"), ("左", "右")]
)
def test_sides__below_an_individual_are_no_cameras_unless_it_is_said(
    tmp_path: Path, one: str, other: str
) -> None:
    paths = [
        f"{n:03}/{side}/{i}.jpg" for n in range(1, 15) for side in (one, other) for i in (1, 2)
    ]
    with pytest.raises(AmbiguousLayoutError) as caught:
        read_dataset(lay_out(tmp_path, paths))
    assert [levels for levels, _ in caught.value.readings] == ["person/side", "person/camera"]
    sides = read_dataset(tmp_path, levels="person/side")
    assert {sample.side for sample in sides.samples} == {one.lower(), other.lower()}
    assert cameras(sides) == {None}
    assert cameras(read_dataset(tmp_path, levels="person/camera")) == {1, 2}


def test_sides__above_people_are_places_of_cameras(tmp_path: Path) -> None:
    paths = [
        f"{side}/{n:04}/{i}.jpg" for n in range(1, 15) for side in ("left", "right") for i in (1, 2)
    ]
    assert read_dataset(lay_out(tmp_path, paths)).levels == "camera/person"
