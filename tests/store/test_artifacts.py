import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pul.errors import ArtifactError, StoreError
from pul.store.artifacts import ARRAYS, find_checkpoint, remove_unfinished, write_iteration
from pul.store.encoding import to_plain
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
    assert find_checkpoint(folder).read_bytes() == b"old weights"
    assert list(tmp_path.iterdir()) == [folder]


def test_write_iteration__says_that_the_place_is_no_folder(tmp_path):
    (tmp_path / "runs").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        write_iteration(tmp_path / "runs" / "iteration-0", RECORD, iteration_arrays(), b"")


def test_remove_unfinished__spares_what_is_whole(tmp_path):
    write_iteration(tmp_path / "iteration-0", RECORD, iteration_arrays(), b"weights")
    (tmp_path / ".unfinished-1").mkdir()
    (tmp_path / ".unfinished-1" / "features.npy").touch()
    (tmp_path / "worker.log").touch()
    remove_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["iteration-0", "worker.log"]
    remove_unfinished(tmp_path / "not there yet")


def test_find_checkpoint__says_that_it_is_missing(tmp_path):
    with pytest.raises(ArtifactError, match="is missing"):
        find_checkpoint(tmp_path)
