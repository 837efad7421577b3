import hashlib
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from pul.errors import ArtifactError, StoreError
from pul.store import file_sums
from pul.store.artifacts import ARRAYS, find_checkpoint, read_array, write_iteration
from pul.store.encoding import to_plain
from pul.store.file_sums import FileSum
from tests.support.fakes import iteration_arrays, iteration_record

RECORD = to_plain(iteration_record(0))


@contextmanager
def largest_file(n_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_write_iteration__leaves_nothing_else_behind(tmp_path):
    folder = tmp_path / "iteration-0"
    write_iteration(folder, RECORD, iteration_arrays(), b"weights")
    names = {path.name for path in folder.iterdir()}
    assert names == {f"{name}.npy" for name in ARRAYS} | {"model.safetensors", "record.json"}
    assert list(tmp_path.iterdir()) == [folder]


def test_write_iteration__on_a_full_disk_keeps_what_was_there(tmp_path):
    folder = tmp_path / "iteration-0"
    write_iteration(folder, RECORD, iteration_arrays(), b"old weights")
    with largest_file(1000), pytest.raises(StoreError, match="Free some disk space"):
        write_iteration(folder, RECORD, iteration_arrays(), b"x" * 2000)
    assert find_checkpoint(folder, {}).read_bytes() == b"old weights"
    assert list(tmp_path.iterdir()) == [folder]


def test_write_iteration__says_that_the_place_is_no_folder(tmp_path):
    (tmp_path / "runs").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        write_iteration(tmp_path / "runs" / "iteration-0", RECORD, iteration_arrays(), b"")


def test_find_checkpoint__says_that_it_is_missing(tmp_path):
    with pytest.raises(ArtifactError, match="is missing"):
        find_checkpoint(tmp_path, {})


@pytest.mark.parametrize("name", [*(f"{name}.npy" for name in ARRAYS), "model.safetensors"])
@pytest.mark.parametrize("place", [0, 70, -1])
def test_write_iteration__a_byte_that_changes_is_noticed(tmp_path, name, place):
    folder = tmp_path / "iteration-0"
    sums = write_iteration(folder, RECORD, iteration_arrays(), b"w" * 100)
    path = folder / name
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=f"{name} is damaged"):
        read_all(folder, sums)


def test_write_iteration__files_of_two_iterations_that_change_places_are_noticed(tmp_path):
    sums = [
        write_iteration(tmp_path / str(n), RECORD, iteration_arrays(seed=n), b"%d" % n)
        for n in range(2)
    ]
    for name in ("features.npy", "model.safetensors"):
        change_places(tmp_path / "0" / name, tmp_path / "1" / name)
        for n in range(2):
            with pytest.raises(ArtifactError, match=f"{name} is damaged"):
                read_all(tmp_path / str(n), sums[n])
        change_places(tmp_path / "0" / name, tmp_path / "1" / name)
        for n in range(2):
            read_all(tmp_path / str(n), sums[n])


def change_places(one, other):
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def test_write_iteration__says_what_it_wrote(tmp_path):
    arrays = iteration_arrays()
    sums = write_iteration(tmp_path / "0", RECORD, arrays, b"weights")
    assert set(sums) == {path.name for path in (tmp_path / "0").iterdir()}
    for name, found in sums.items():
        content = (tmp_path / "0" / name).read_bytes()
        assert found.sha256 == hashlib.sha256(content).hexdigest()
        assert found.n_bytes == len(content)
        assert found == FileSum.of(tmp_path / "0" / name)
    assert (sums["features.npy"].dtype, sums["features.npy"].shape) == ("<f4", (12, 4))
    assert sums["record.json"].shape == ()


def test_check__a_large_file_is_checked_by_its_size_and_kind_alone(tmp_path, monkeypatch):
    """Its bytes are checked by `pul doctor`; a page must not wait for gigabytes."""
    monkeypatch.setattr(file_sums, "CHECKED_WHOLE", 100)
    sums = write_iteration(tmp_path / "0", RECORD, iteration_arrays(), b"weights")
    path = tmp_path / "0" / "features.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    read_array(tmp_path / "0", "features", sums)
    with pytest.raises(ArtifactError, match="its bytes are not those that were written"):
        sums["features.npy"].check_whole(path)
    np.save(path, np.zeros((4, 12), np.float32))
    with pytest.raises(ArtifactError, match=r"shape \(4, 12\) instead of <f4 of shape \(12, 4\)"):
        read_array(tmp_path / "0", "features", sums)
    np.save(path, np.zeros((12, 5), np.float32))
    with pytest.raises(ArtifactError, match="368 bytes instead of 320"):
        read_array(tmp_path / "0", "features", sums)


@pytest.mark.parametrize("place", range(128))
def test_read_array__any_header_that_is_damaged_is_one_sentence(tmp_path, place):
    """Of an iteration without sums, too: numpy raises errors of many kinds."""
    write_iteration(tmp_path / "0", RECORD, iteration_arrays(), b"weights")
    path = tmp_path / "0" / "features.npy"
    content = bytearray(path.read_bytes())
    for bit in range(8):
        content[place] ^= 1 << bit
        path.write_bytes(content)
        with suppress(ArtifactError):
            read_array(tmp_path / "0", "features", {})
        content[place] ^= 1 << bit


def test_write_iteration__names_reach_the_disk_before_they_count(tmp_path, monkeypatch):
    """The folder aside is synced before it is renamed, the folder above it afterwards."""
    calls = []
    fsync, rename = os.fsync, os.rename

    def note_sync(descriptor):
        calls.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    def note_rename(source, target):
        calls.append("rename")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "rename", note_rename)
    sums = write_iteration(tmp_path / "0", RECORD, iteration_arrays(), b"weights")
    assert calls[: len(sums)] == list(sums)
    assert calls[len(sums)].startswith(".unfinished-")
    assert calls[len(sums) + 1 :] == ["rename", tmp_path.name]


def read_all(folder, sums):
    for name in ARRAYS:
        read_array(folder, name, sums)
    find_checkpoint(folder, sums)
