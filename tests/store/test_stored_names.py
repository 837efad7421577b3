"""Files of any name are stored and found again, in both kinds of databases."""

import os
from pathlib import Path

import pytest

from pul.data.datasets import Dataset
from pul.data.samples import Sample, Skipped
from pul.store.backup import back_up, restore
from pul.store.workspace import Workspace
from tests.support.odd_names import ODD_NAMES

FOLDER = os.fsdecode(b"k\xe4mera\n1")


@pytest.fixture
def odd(tmp_path: Path) -> Dataset:
    folder = tmp_path / "images" / FOLDER
    folder.mkdir(parents=True)
    for number, name in enumerate(ODD_NAMES):
        (folder / name).write_bytes(b"%d" % number)
    samples = tuple(Sample(folder / name) for name in ODD_NAMES)
    broken = Skipped(folder / os.fsdecode(b"br\xfcken"), "truncated")
    return Dataset("odd", "folders", folder, samples, (broken,))


def expected(folder: Path) -> set[str]:
    return {str(folder / FOLDER / name) for name in ODD_NAMES}


def test_add_dataset__names_of_any_bytes(workspace, odd, tmp_path):
    assert workspace.add_dataset(odd) == len(ODD_NAMES)
    assert set(workspace.images().paths) == expected(tmp_path / "images")
    assert workspace.missing_images() == []
    assert workspace.skipped() == [(str(odd.skipped[0].path), "truncated")]
    assert workspace.add_dataset(odd) == 0


def test_relocate__names_of_any_bytes(workspace, odd, tmp_path):
    workspace.add_dataset(odd)
    there = tmp_path / os.fsdecode(b"ne\xfc")
    (tmp_path / "images").rename(there)
    assert len(workspace.find_moved(there).moves) == len(ODD_NAMES)
    workspace.relocate(workspace.find_moved(there))
    assert set(workspace.images().paths) == expected(there)
    assert workspace.image_root() == str(there)
    there.rename(tmp_path / "again")  # now they are relative to a root
    workspace.relocate(workspace.find_moved(tmp_path / "again"))
    assert set(workspace.images().paths) == expected(tmp_path / "again")


def test_restore__names_of_any_bytes(workspace, odd, tmp_path):
    workspace.add_dataset(odd)
    back_up(workspace, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again")
    with Workspace.open(tmp_path / "again") as again:
        assert again.images().paths == workspace.images().paths


def test_workspace__in_a_folder_of_any_name_holds_images(tmp_path, odd):
    with Workspace.create(tmp_path / FOLDER) as workspace:
        inside = workspace.path / "images" / ODD_NAMES[0]
        inside.parent.mkdir()
        inside.write_bytes(b"inside")
        workspace.add_dataset(Dataset("in", "folders", inside.parent, (Sample(inside),)))
        assert workspace.images().paths == (str(inside),)


def test_jobs__of_files_of_any_name(workspace):
    name = os.fsdecode(b"/x/caf\xe9\n.png")
    job = workspace.create_job("import", params={"root": name})
    assert workspace.job(job.job_id).params["root"] == name
    failed = workspace.finish_job(job.job_id, "failed", error=f"{name} is gone", traceback=name)
    assert failed.error == "/x/caf\\udce9\n.png is gone"
