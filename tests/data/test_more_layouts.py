"""Layouts of other people than those of the cases: dates, hours, tracks, bins, lists, words."""

from pathlib import Path

import pytest
from PIL import Image

from pul.data.datasets import read_dataset
from pul.data.readers import words
from pul.errors import AmbiguousLayoutError, DatasetError
from tests.data.test_levels import cameras, lay_out, people


@pytest.mark.parametrize(
    ("train", "query", "gallery"),
    [
        ("学習", "クエリ", "ギャラリー"),
        ("обучающая", "запросы", "галерея"),
        ("eğitim", "sorgu", "galeri"),
        ("entraînement", "requêtes", "galerie"),
    ],
)
def test_splits__in_other_scripts(tmp_path: Path, train: str, query: str, gallery: str) -> None:
    paths = [f"{train}/{p:04}_c{c}_1.jpg" for p in (1, 2, 3) for c in (1, 2)]
    paths += [f"{query}/0007_c1_1.jpg", f"{gallery}/0007_c2_1.jpg"]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert [people(dataset, s) for s in ("train", "query", "gallery")] == [{1, 2, 3}, {7}, {7}]


@pytest.mark.parametrize(
    "day",
    [
        *("2024年5月3日", "2024년 5월 3일", "2024-5-3", "3.5.2024", "3 May 2024", "May 3rd, 2024"),
        *("3. Mai 2024", "03-janvier-2024", "14 сентября 2024", "2024-05", "Montag", "星期一"),
        *("土曜日", "segunda-feira", "Wednesday", "２０２４年０５月０３日"),
    ],
)
def test_dates__in_many_spellings_are_nobody(tmp_path: Path, day: str) -> None:
    assert words.is_date(day)
    paths = [f"{day}/cam{c}/{i}.jpg" for c in (1, 2) for i in range(6)]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert (people(dataset, "train"), cameras(dataset)) == ({None}, {1, 2})


@pytest.mark.parametrize("name", ["set1", "May", "June", "April", "Sol", "part 3", "2024", "mar 4"])
def test_dates__names_that_are_none(name: str) -> None:
    assert not words.is_date(name)


def test_hours__below_a_date_are_asked_about(tmp_path: Path) -> None:
    """A recorder's `IPC01_20240503/08/...`: hours, though people may be numbered so too."""
    paths = [
        f"10.0.0.7_IPC0{c}_20240503/{hour:02}/{i}.jpg"
        for c in (1, 2)
        for hour in range(7, 12)
        for i in range(4)
    ]
    lay_out(tmp_path, paths)
    with pytest.raises(AmbiguousLayoutError) as caught:
        read_dataset(tmp_path)
    readings = [levels for levels, _ in caught.value.readings]
    assert readings[:2] == ["camera/date", "camera/person"]
    told = read_dataset(tmp_path, levels=readings[0])
    assert (people(told, "train"), cameras(told)) == ({None}, {1, 2})


@pytest.mark.parametrize(
    ("word", "levels"),
    [("tracks", "camera/-/tracklet"), ("Spuren", "camera/-/tracklet"), ("ids", "camera/-/person")],
)
def test_levels__a_folder_that_says_what_it_holds(tmp_path: Path, word: str, levels: str) -> None:
    """Tracks are numbered anew on each camera: 1 here and 1 there are two people."""
    paths = [f"cam_{c}/{word}/{t}/{i}.jpg" for c in (0, 1) for t in range(1, 6) for i in range(4)]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert dataset.levels == levels
    assert len({sample.tracklet for sample in dataset.samples} - {None}) == (
        10 if "tracklet" in levels else 0
    )


@pytest.mark.parametrize(
    "name",
    [
        "разное",
        "прочие",
        "varios",
        "Verschiedenes",
        "Övrigt",
        "inne",
        "その他",
        "أخرى",
        "khác",
        "diğerleri",
        "άλλα",
        "其余",
    ],
)
def test_people__a_bin_in_more_languages(tmp_path: Path, name: str) -> None:
    names = [f"{i:04}" for i in range(1, 12)] + [name]
    dataset = read_dataset(lay_out(tmp_path, (f"{n}/{i}.jpg" for n in names for i in range(4))))
    assert people(dataset, "train") == {None, *range(1, 12)}


def test_names__people_nobody_knows_are_said(tmp_path: Path) -> None:
    paths = [f"bounding_box_train/{p:04}_c{c}s1_1_0.jpg" for p in (1, 2) for c in (1, 2)]
    paths += ["bounding_box_train/-2_c1s1_9_0.jpg", "query/0003_c1s1_1_0.jpg"]
    paths += ["bounding_box_test/-2_c2s1_9_0.jpg", "bounding_box_test/0003_c2s1_1_0.jpg"]
    dataset = read_dataset(lay_out(tmp_path, paths))
    assert people(dataset, "train") == {1, 2, None}
    assert people(dataset, "gallery") == {3, None}
    assert cameras(dataset) == {1, 2}
    assert any("2 images are of nobody known" in note for note in dataset.notes)


def _images(folder: Path) -> list[str]:
    names = [f"{p}_{c}.jpg" for p in (1, 2, 3) for c in (1, 2)]
    for name in names:
        Image.new("RGB", (8, 16)).save(folder / name)
    return names


@pytest.mark.parametrize("sign", [" ", "\t", "|", ",", ";"])
def test_table__a_list_in_txt_is_a_table(tmp_path: Path, sign: str) -> None:
    names = _images(tmp_path)
    lines = [sign.join((name, name[0], name[2])) for name in names]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    with pytest.raises(DatasetError, match="is no header") as caught:
        read_dataset(tmp_path / "list.txt")
    advised = str(caught.value).rpartition("such as ")[2].rstrip(".")
    header = advised.strip("'").replace("\\t", "\t")
    (tmp_path / "list.txt").write_text("\n".join([header, *lines]))
    dataset = read_dataset(tmp_path / "list.txt")
    assert (people(dataset, "train"), cameras(dataset)) == ({1, 2, 3}, {1, 2})


def test_table__tracks_without_their_video_name_the_option(tmp_path: Path) -> None:
    (tmp_path / "gt.txt").write_text("1,1,10,20,30,60,1,1,1.0\n2,1,11,20,30,60,1,1,1.0\n")
    with pytest.raises(DatasetError, match=r"import VIDEO --tracks gt\.txt"):
        read_dataset(tmp_path / "gt.txt")


@pytest.mark.parametrize(
    "header",
    [
        "Bild;Individuum;Kamera;Seite;Teilmenge",
        "fichier;individu;camera;côté;sous-ensemble",
        "archivo;individuo;cámara;lado;conjunto",
        "文件;个体;摄像头;侧面;划分",
        "Файл;Особь;Камера;Сторона;Выборка",
    ],
)
def test_table__columns_in_other_languages(tmp_path: Path, header: str) -> None:
    rows = [f"{name};T{name[0]};{name[2]};links;train" for name in _images(tmp_path)]
    (tmp_path / "liste.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    dataset = read_dataset(tmp_path / "liste.csv")
    assert (people(dataset, "train"), cameras(dataset)) == ({1, 2, 3}, {1, 2})
    assert {sample.side for sample in dataset.samples} == {"links"}


@pytest.mark.parametrize("suffix", [".avif", ".HEIC", ".jp2"])
def test_listing__a_picture_of_a_kind_that_is_not_read_is_called_one(
    tmp_path: Path, suffix: str
) -> None:
    _images(tmp_path)
    (tmp_path / f"new{suffix}").write_bytes(b"x")
    (skipped,) = read_dataset(tmp_path).skipped
    assert skipped.reason == (
        f"an image of a kind that is not read ({suffix}): convert it to JPEG or PNG"
    )
