"""What a file was when it was written: kinds of arrays, limits of size, and what is read again."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from pul.errors import ArtifactError
from pul.store import file_sums
from pul.store.file_sums import FileSum, load_array, write_and_sum


def test_of__arrays_have_a_kind_and_other_files_none(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((3, 2), np.int64))
    (tmp_path / "b.json").write_bytes(b"{}")
    array, other = FileSum.of(tmp_path / "a.npy"), FileSum.of(tmp_path / "b.json")
    assert (array.dtype, array.shape, array.n_bytes) == ("<i8", (3, 2), 128 + 48)
    assert other == FileSum(hashlib.sha256(b"{}").hexdigest(), 2, "", ())


def test_of__a_file_of_several_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_sums, "_BLOCK", 3)
    (tmp_path / "a").write_bytes(b"0123456")  # blocks of 3, 3 and 1
    assert FileSum.of(tmp_path / "a") == FileSum(hashlib.sha256(b"0123456").hexdigest(), 7)


def test_write_and_sum__of_all_that_was_written(tmp_path: Path) -> None:
    def write(file):  # type: ignore[no-untyped-def]
        assert file.write(b"abc") == 3
        assert file.write(memoryview(np.arange(2, dtype=np.int16))) == 4  # two elements, four bytes

    assert write_and_sum(tmp_path / "a", write) == FileSum.of(tmp_path / "a")
    assert (tmp_path / "a").stat().st_size == 7


@pytest.mark.parametrize(("largest", "is_noticed"), [(6, False), (7, True), (8, True)])
def test_check__reads_files_up_to_a_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, largest: int, is_noticed: bool
) -> None:
    monkeypatch.setattr(file_sums, "CHECKED_WHOLE", largest)
    path = tmp_path / "a"
    path.write_bytes(b"0123456")
    written = FileSum.of(path)
    written.check(path)
    path.write_bytes(b"0123457")
    if is_noticed:
        with pytest.raises(ArtifactError, match="its bytes are not those that were written"):
            written.check(path)
    else:
        written.check(path)
    with pytest.raises(ArtifactError, match="its bytes are not those that were written"):
        written.check_whole(path)


def test_check__says_both_sizes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 1200)
    written = FileSum.of(path)
    path.write_bytes(b"x" * 1199)
    with pytest.raises(ArtifactError, match="it has 1,199 bytes instead of 1,200"):
        written.check(path)


def test_check_array__of_another_type_or_shape(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    array = np.zeros((3, 2), np.float32)
    np.save(path, array)
    written = FileSum.of(path)
    written.check_array(path, array)
    for other in (array.view(np.int32), array.reshape(2, 3)):
        with pytest.raises(ArtifactError, match=r"instead of <f4 of shape \(3, 2\)"):
            written.check_array(path, other)


def test_load_array__is_mapped_and_cannot_be_changed(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(3))
    array = load_array(tmp_path / "a.npy")
    assert isinstance(array, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 9
    (tmp_path / "b.npy").write_bytes(b"no array")
    with pytest.raises(ArtifactError, match=r"b\.npy is damaged: it is no array.*pul doctor"):
        load_array(tmp_path / "b.npy")
    with pytest.raises(FileNotFoundError):
        load_array(tmp_path / "c.npy")


def test_load_array__runs_no_code_that_a_file_holds(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ArtifactError, match="it is no array"):
        load_array(tmp_path / "a.npy")
