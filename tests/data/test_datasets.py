"""Detection of layouts, summaries, merging, and what every reader shares."""

import os
from pathlib import Path

import pytest

from pul.data import datasets
from pul.data.datasets import (
    DATASET_FORMATS,
    Dataset,
    SplitSummary,
    detect_format,
    merge_datasets,
    read_dataset,
)
from pul.data.readers.published import Counts, count_notes
from pul.data.samples import Sample, Skipped
from pul.errors import ConfigError, DatasetError


def names(dataset: Dataset, split: str) -> list[str]:
    return [sample.path.name for sample in dataset.split(split)]


def test_read_dataset__market(market: Path) -> None:
    dataset = read_dataset(market)
    assert (dataset.format, dataset.name, dataset.root) == ("market1501", market.name, market)
    assert dataset.samples[0] == Sample(
        market / "bounding_box_train/0002_c12s1_000551_01.jpg", 2, 12, "train", None, 551
    )
    assert [(s.pid, s.camid) for s in dataset.split("train")] == [(2, 12), (2, 1), (7, 3)]
    assert [(s.pid, s.camid) for s in dataset.split("query")] == [(1, 1), (3, 2)]
    assert [s.pid for s in dataset.split("gallery")] == [-1, 0, 1, 3]
    assert [(item.path.name, item.reason) for item in dataset.skipped] == [
        ("Thumbs.db", "not an image (.db)")
    ]
    assert any("gt_bbox" in note for note in dataset.notes)


def test_summary__counts_junk_and_distractors_apart(market: Path) -> None:
    assert read_dataset(market).summary() == [
        SplitSummary("train", 3, 2, 3, 0, 0),
        SplitSummary("query", 2, 2, 2, 0, 0),
        SplitSummary("gallery", 4, 2, 4, 1, 1),
    ]


def test_summary__unknown_ids_and_cameras_are_not_counted(tmp_path: Path) -> None:
    samples = (Sample(tmp_path / "a"), Sample(tmp_path / "b", pid=4, camid=0))
    summary = Dataset("d", "folder", tmp_path, samples).summary()
    assert summary == [SplitSummary("train", 2, 1, 1, 0, 0)]


def test_split__unknown_name(market: Path) -> None:
    with pytest.raises(ConfigError, match="'test'"):
        read_dataset(market).split("test")


def test_read_dataset__order_of_the_file_system_does_not_matter(
    market: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = read_dataset(market)
    listed = os.scandir

    class Reversed:
        def __init__(self, folder: Path) -> None:
            with listed(folder) as entries:
                self.entries = list(entries)[::-1]

        def __enter__(self) -> list[os.DirEntry[str]]:
            return self.entries

        def __exit__(self, *error: object) -> None:
            pass

    monkeypatch.setattr(os, "scandir", Reversed)
    assert read_dataset(market) == expected


def test_read_dataset__odd_files_are_listed_with_reasons(market: Path, save_image) -> None:
    train = market / "bounding_box_train"
    save_image(train / ".0009_c1s1_000001_00.jpg")
    save_image(train / "holiday.jpg")
    (train / "readme").write_text("x")
    (train / "0008_c1s1_000001_00.jpg").mkdir()
    dataset = read_dataset(market)
    assert len(dataset.split("train")) == 3
    assert {item.path.name: item.reason for item in dataset.skipped} == {
        ".0009_c1s1_000001_00.jpg": "hidden",
        "Thumbs.db": "not an image (.db)",
        "holiday.jpg": "name is not of the form <pid>_c<camera>_...",
        "readme": "not an image (no suffix)",
    }


def test_read_dataset__names_of_any_bytes(market: Path, save_image) -> None:
    odd = os.fsdecode(b"0005_c1s1_000009_\xff\n'\";.jpg")
    save_image(market / "bounding_box_train" / odd)
    sample = next(s for s in read_dataset(market).samples if s.path.name == odd)
    assert (sample.pid, sample.camid, sample.frame) == (5, 1, 9)


def test_read_dataset__links_that_lead_out_are_not_followed(
    market: Path, tmp_path: Path, save_image
) -> None:
    outside = save_image(tmp_path / "outside" / "0001_c1s1_000001_00.jpg")
    train = market / "bounding_box_train"
    (train / "0010_c1s1_000001_00.jpg").symlink_to(outside)
    (train / "0011_c1s1_000001_00.jpg").symlink_to(tmp_path / "nothing.jpg")
    (train / "0012_c1s1_000001_00.jpg").symlink_to(train / "0002_c1s1_000451_03.jpg")
    (train / "0013_c1s1_000001_00.jpg").symlink_to("0013_c1s1_000001_00.jpg")  # a loop
    dataset = read_dataset(market)
    reasons = {item.path.name[:4]: item.reason for item in dataset.skipped}
    assert reasons["0010"] == f"a link that leaves the folder, to {outside}"
    assert reasons["0011"] == "a link that leads nowhere"
    assert reasons["0013"] == "a link that leads nowhere"
    assert "0012_c1s1_000001_00.jpg" in names(dataset, "train")


def test_read_dataset__split_folder_that_links_out(
    market: Path, tmp_path: Path, save_image
) -> None:
    save_image(tmp_path / "outside" / "0001_c1s1_000001_00.jpg")
    for path in (market / "query").iterdir():
        path.unlink()
    (market / "query").rmdir()
    (market / "query").symlink_to(tmp_path / "outside")
    dataset = read_dataset(market)
    assert dataset.split("query") == ()
    assert [s.path for s in dataset.skipped if "leaves" in s.reason] == [market / "query"]


def test_read_dataset__root_may_be_a_link(market: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(market)
    assert read_dataset(tmp_path / "link") == read_dataset(market)


def test_read_dataset__missing_split_folder_is_noted(tmp_path: Path, save_image) -> None:
    save_image(tmp_path / "bounding_box_train" / "0001_c1s1_000001_00.jpg")
    notes = read_dataset(tmp_path).notes
    assert notes == ("There is no folder query.", "There is no folder bounding_box_test.")


def test_read_dataset__training_images_without_identity_are_noted(market: Path, save_image) -> None:
    save_image(market / "bounding_box_train" / "-1_c1s1_000001_00.jpg")
    assert any(note.startswith("1 of 4 training images") for note in read_dataset(market).notes)


def test_read_dataset__duke(tmp_path: Path, save_all) -> None:
    root = tmp_path / "DukeMTMC-reID"
    save_all(root / "bounding_box_train", "0001_c2_f0046182.jpg 0005_c8_f0000001.jpg")
    save_all(root / "query", "0002_c1_f0044158.jpg")
    save_all(root / "bounding_box_test", "0002_c7_f0055055.jpg")
    dataset = read_dataset(root)
    assert (dataset.format, dataset.name) == ("dukemtmc-reid", "DukeMTMC-reID")
    assert [(s.pid, s.camid, s.frame) for s in dataset.split("train")] == [
        (1, 2, 46182),
        (5, 8, 1),
    ]
    assert dataset.notes == (
        "DukeMTMC-reID: 2/1/1 train/query/gallery images "
        "instead of 16,522/2,228/17,661 as published.",
    )


def test_read_dataset__format_that_was_asked_for(market: Path) -> None:
    assert read_dataset(market, format="dukemtmc-reid").format == "dukemtmc-reid"
    assert read_dataset(market.parent, format="market1501").root == market
    part = read_dataset(market / "query", format="folders")
    assert [sample.split for sample in part.samples] == ["train", "train"]


def test_read_dataset__wrong_format_says_what_would_be_right(market: Path) -> None:
    for format in ("viper", "msmt17", "cuhk03-np"):
        with pytest.raises(DatasetError, match="No image to read") as caught:
            read_dataset(market, format=format)
        assert "'bounding_box_train/'" in str(caught.value)


def test_read_dataset__unknown_format_and_option(market: Path) -> None:
    with pytest.raises(ConfigError, match="'market'"):
        read_dataset(market, format="market")
    with pytest.raises(ConfigError, match="market1501 has no option 'split_seed'"):
        read_dataset(market, split_seed=3)
    with pytest.raises(ConfigError, match="its options are: split_seed"):
        read_dataset(market, format="viper", boxes="detected")


def test_read_dataset__nothing_but_misnamed_files(tmp_path: Path, save_image) -> None:
    save_image(tmp_path / "bounding_box_train" / "me.jpg")
    with pytest.raises(DatasetError, match=r"(?s)'me\.jpg': name is not of the form.*Right: the"):
        read_dataset(tmp_path)


def test_detect_format__one_level_too_high(market: Path) -> None:
    assert detect_format(market.parent) == "market1501"
    dataset = read_dataset(market.parent)
    assert dataset.root == market
    assert f"at a lower level, in {market.name}" in dataset.notes[0]


def test_detect_format__several_below(market: Path, save_image) -> None:
    save_image(market.parent / "viper" / "cam_a" / "000_45.bmp")
    save_image(market.parent / "viper" / "cam_b" / "000_45.bmp")
    with pytest.raises(DatasetError, match="2 datasets: 'my_market_c1', 'viper'"):
        detect_format(market.parent)


@pytest.mark.parametrize("part", ["bounding_box_train", "query", "bounding_box_test", "gt_bbox"])
def test_detect_format__one_level_too_low(market: Path, part: str) -> None:
    with pytest.raises(DatasetError, match="Give its folder") as caught:
        detect_format(market / part)
    assert str(market) in str(caught.value)


def test_detect_format__nothing_fits(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="Seen: an empty folder") as caught:
        detect_format(tmp_path)
    for word in ("bounding_box_train", "list_train.txt", "cam_a", "cuhk-03.mat", "CSV"):
        assert word in str(caught.value)
    for i in range(9):
        (tmp_path / f"{i}.txt").touch()
    (tmp_path / "0").mkdir()
    with pytest.raises(DatasetError, match=r"Seen: '0.txt', '0/', '1.txt', .* and 4 more"):
        detect_format(tmp_path)


def test_detect_format__no_such_place(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="There is no"):
        detect_format(tmp_path / "none")
    with pytest.raises(DatasetError, match="no path"):
        detect_format("a\0b")
    (tmp_path / "a.doc").touch()
    with pytest.raises(DatasetError, match=r"a file of type \.doc"):
        detect_format(tmp_path / "a.doc")


def test_dataset_formats__are_distinct() -> None:
    assert len(set(DATASET_FORMATS)) == len(DATASET_FORMATS) == 8
    assert datasets.__all__ == sorted(datasets.__all__)


def test_count_notes__complete_incomplete_and_unknown() -> None:
    complete = Counts(12_936, 3_368, 19_732)
    assert count_notes(complete) == ["Market-1501: 12,936/3,368/19,732 as published."]
    assert count_notes(Counts(12_900, 3_368, 19_732), ["Market-1501"]) == [
        "Market-1501: 12,900/3,368/19,732 train/query/gallery images "
        "instead of 12,936/3,368/19,732 as published."
    ]
    assert count_notes(Counts(1, 2, 3)) == []


def test_merge_datasets__ids_and_cameras_do_not_collide(tmp_path: Path) -> None:
    def dataset(name: str, *rows: tuple[int | None, int | None], tracklet: str | None = None):
        samples = tuple(
            Sample(tmp_path / name / f"{i}.jpg", pid, camid, tracklet=tracklet)
            for i, (pid, camid) in enumerate(rows)
        )
        skipped = (Skipped(tmp_path / name / "x", "hidden"),)
        return Dataset(name, "folder", tmp_path / name, samples, skipped, (f"note of {name}",))

    first = dataset("a", (3, 1), (7, 6), (0, 2), (-1, None), tracklet="t")
    second = dataset("b", (3, 1), (4, 2), (0, 1), (-1, 2), (None, None), tracklet="t")
    third = dataset("c", (1, 0))
    merged = merge_datasets([first, second, third])
    assert [(s.pid, s.camid) for s in merged.samples] == [
        *[(3, 1), (7, 6), (0, 2), (-1, None)],
        *[(8, 7), (9, 8), (0, 7), (-1, 8), (None, None)],
        (10, 9),
    ]
    assert [s.tracklet for s in merged.samples] == ["t"] * 4 + ["4:t"] * 5 + [None]
    assert (merged.name, merged.format) == ("a + b + c", "merged")
    assert len(merged.skipped) == 3
    assert merged.notes == ("a: note of a", "b: note of b", "c: note of c")


def test_merge_datasets__an_image_is_kept_once(market: Path) -> None:
    dataset = read_dataset(market)
    merged = merge_datasets([dataset, dataset])
    assert merged.samples == dataset.samples
    assert len(merged.skipped) == 2 * len(dataset.skipped) + len(dataset.samples)


def test_merge_datasets__nothing() -> None:
    with pytest.raises(DatasetError, match="at least one"):
        merge_datasets([])
