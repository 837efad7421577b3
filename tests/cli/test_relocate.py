"""Images that moved, on the command line: what a message advises is tried as it stands."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from pul.errors import ConfigError, DataError, DuplicateImagesError, PulError
from pul.labelling.annotations import create, merge
from pul.labelling.log import append_act, read_annotations
from pul.models.network import save_network
from pul.store.workspace import Workspace
from tests.cli.test_commands import FAST, call
from tests.support.networks import tiny_network
from tests.support.places import write_place


@pytest.fixture
def moved(tmp_path: Path) -> tuple[str, Path]:
    """A workspace whose images were moved, and where they are."""
    place = write_place(tmp_path / "drive x" / "market")
    workspace = str(tmp_path / "w")
    call("import", place, "--workspace", workspace)
    (tmp_path / "mnt").mkdir()
    place.rename(tmp_path / "mnt" / "mérchant")
    return workspace, tmp_path / "mnt" / "mérchant"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "start.safetensors"
    save_network(tiny_network(), path)
    return path


def advised(text: str) -> list[str]:
    """Return the command that a message names, without `python -m pul`."""
    (command,) = re.findall(r"`python -m pul (relocate [^`]*)`", text)
    return shlex.split(command)


def test_relocate__doctor_names_it(moved: tuple[str, Path]) -> None:
    workspace, place = moved
    result = call("doctor", "--workspace", workspace)
    assert result.exit_code == 1
    assert "78 of 78 files are missing" in result.stdout
    command = advised(result.stdout)
    assert command[-1] == "NEW_FOLDER"
    assert call(*command[:-1], place.parent).exit_code == 0
    with Workspace.open(workspace) as opened:
        assert opened.missing_images() == []
    assert "no file is missing" in call("doctor", "--workspace", workspace).stdout


def test_relocate__import_names_it(moved: tuple[str, Path]) -> None:
    workspace, place = moved
    dry = call("import", place, "--workspace", workspace, "--dry-run")
    counted = call("import", place, "--workspace", workspace, "--dry-run", "--json")
    assert json.loads(counted.stdout)["n_duplicates"] == 78
    with pytest.raises(DuplicateImagesError) as caught:
        call("import", place, "--workspace", workspace)
    assert str(caught.value) in dry.stdout
    result = call(*advised(str(caught.value)))
    assert "78 of 78 images moved." in result.stdout
    assert f"78: {place.parents[1] / 'drive x' / 'market'} → {place}" in result.stdout
    again = call("import", place, "--workspace", workspace, "--json")
    assert json.loads(again.stdout)["n_new"] == 0


def test_relocate__import_names_it_for_copies_too(tmp_path: Path) -> None:
    place, workspace = write_place(tmp_path / "slow"), tmp_path / "w"
    call("import", place, "--workspace", workspace)
    shutil.copytree(place, tmp_path / "fast")
    with pytest.raises(DuplicateImagesError) as caught:
        call("import", tmp_path / "fast", "--workspace", workspace)
    assert "--all" in advised(str(caught.value))
    assert "78 of 78 images moved." in call(*advised(str(caught.value))).stdout
    with Workspace.open(workspace) as opened:
        assert all(str(tmp_path / "fast") in path for path in opened.images().paths)


def test_relocate__export_names_it(moved: tuple[str, Path], tmp_path: Path) -> None:
    workspace, place = moved
    with Workspace.open(workspace) as opened:
        append_act(opened, create([1, 2]), read_annotations(opened), author="ann")
    export = ("export", "--workspace", workspace, "--format", "folders", "--out", tmp_path / "out")
    with pytest.raises(DataError) as caught:
        call(*export)
    command = advised(str(caught.value))
    names = {"NEW_FOLDER": str(place), "WORKSPACE": workspace}
    assert "78 of 78 images moved." in call(*(names.get(word, word) for word in command)).stdout
    assert call(*export).exit_code == 0


@pytest.fixture
def doubled(moved: tuple[str, Path]) -> tuple[str, Path]:
    """As versions before `relocate` left it: the old images are gone, their copies are there."""
    workspace, place = moved
    call("import", place, "--workspace", workspace, "--duplicates", "add")
    with Workspace.open(workspace) as opened:
        assert len(opened.images()) == 156
        for numbers in ([4, 5], [82, 84]):  # of the old images, and of the new ones
            append_act(opened, create(numbers), read_annotations(opened), author="ann")
    return workspace, place


def advised_merge(workspace: str, place: Path) -> list[str]:
    told = call("relocate", place, "--workspace", workspace).stdout
    assert "78 of these are in the workspace twice" in told
    (command,) = re.findall(r"python -m pul (merge-doubled .*)", told)
    return shlex.split(command)


def test_merge_doubled__is_what_relocate_advises(doubled: tuple[str, Path]) -> None:
    workspace, place = doubled
    command = advised_merge(workspace, place)
    dry = call(*command, "--dry-run").stdout
    counted = json.loads(call(*command, "--dry-run", "--json").stdout)["found"]
    assert len(counted["twins"]) == 77
    assert "77 of 78 pictures that are there twice would be merged" in dry
    assert "1 stay twice: the labels of the two differ" in dry  # image 4 of ID_001, 82 of ID_002
    assert "77 of 78 pictures that are there twice were merged" in call(*command).stdout
    with Workspace.open(workspace) as opened:
        images = opened.images()
        assert (len(images), len(opened.missing_images())) == (79, 1)
        people = [known.images for known in read_annotations(opened).identities]
        assert people == [(4, 5), (6, 82)]
        append_act(opened, merge([1, 2]), read_annotations(opened), author="ann")
    assert "1 of 1 pictures" in call(*command).stdout
    with Workspace.open(workspace) as opened:
        assert (opened.n_images(), opened.missing_images()) == (78, [])
    assert call("doctor", "--workspace", workspace).exit_code == 0


def test_merge_doubled__runs_of_both_stay_and_what_is_advised_works(
    doubled: tuple[str, Path], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, place = doubled
    shutil.copytree(place, tmp_path / "drive x" / "market")  # else no run reads the old images
    run = ("run", "--workspace", workspace, "--model", model, *FAST, "--iterations", "0")
    call(*run)
    command = ("merge-doubled", tmp_path / "drive x" / "market", place, "--workspace", workspace)
    told = call(*command).stdout
    assert "0 of 78 pictures" in told
    assert "78 stay twice: runs have both as images of their own" in told
    assert "Runs that have both: 1." in told
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"python -m pul (.*)", told)
    assert len(commands) == 3
    for words in commands:
        assert call(*shlex.split(words)).exit_code == 0
    with Workspace.open(f"{workspace}-once") as opened:
        assert (opened.n_images(), opened.missing_images()) == (78, [])
        assert len(read_annotations(opened).identities) == 2
    with Workspace.open(workspace) as opened:
        opened.shelve_run(1, "deleted")
    call("clean", "--workspace", workspace)
    assert "77 of 78 pictures" in call(*command).stdout
    call(*run)


def test_relocate__restore_names_it(moved: tuple[str, Path], tmp_path: Path) -> None:
    workspace, place = moved
    assert "`relocate` finds them" in call("backup", workspace, tmp_path / "backup").stdout
    result = call("restore", tmp_path / "backup", tmp_path / "again")
    call(*advised(result.stdout)[:-1], place)
    with Workspace.open(tmp_path / "again") as again:
        assert again.missing_images() == []


def test_relocate__a_run_that_fails_names_it(moved: tuple[str, Path], model: Path) -> None:
    workspace, place = moved
    run = ("run", "--workspace", workspace, "--model", model, *FAST, "--iterations", "0")
    with pytest.raises(PulError, match="78 of 78 files are missing"):
        call(*run)
    with Workspace.open(workspace) as opened:
        error = opened.jobs()[-1].error
    call(*advised(error)[:-1], place)
    assert call("resume", 1, "--workspace", workspace).exit_code == 0


def test_relocate__the_other_choices_of_an_import(moved: tuple[str, Path]) -> None:
    workspace, place = moved
    arguments = ("import", place, "--workspace", workspace, "--json", "--duplicates")
    with pytest.raises(ConfigError, match="--duplicates must be one of refuse, skip, add"):
        call(*arguments, "perhaps")
    assert json.loads(call(*arguments, "skip").stdout)["n_new"] == 0
    assert json.loads(call(*arguments, "add").stdout)["n_new"] == 78


def test_relocate__a_dry_run_changes_nothing(moved: tuple[str, Path]) -> None:
    workspace, place = moved
    (place / "query" / "0001_c1s1_000001_00.jpg").unlink(missing_ok=True)
    gone = sorted((place / "bounding_box_train").iterdir())[0]
    gone.write_bytes(b"another content")
    result = call("relocate", place, "--workspace", workspace, "--dry-run")
    assert "would move" in result.stdout
    assert "another content" in result.stdout
    assert "1 were not found" in result.stdout
    found = json.loads(
        call("relocate", place, "--workspace", workspace, "--dry-run", "--json").stdout
    )["found"]
    assert len(found["moves"]) + len(found["missing"]) == found["n_wanted"] == 78
    with Workspace.open(workspace) as opened:
        assert len(opened.missing_images()) == 78


def test_relocate__nothing_is_missing(tmp_path: Path) -> None:
    place, workspace = write_place(tmp_path / "market"), tmp_path / "w"
    call("import", place, "--workspace", workspace, "--root", tmp_path)
    assert "give --all" in call("relocate", tmp_path, "--workspace", workspace).stdout
    place.rename(tmp_path / "elsewhere")
    assert "78 of 78" in call("relocate", tmp_path, "--workspace", workspace).stdout
