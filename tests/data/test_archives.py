"""Zips as people and attackers make them."""

import io
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pul.data.archives import UnpackLimits, unpack
from pul.errors import DatasetError


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> io.BytesIO:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.filename = name  # as it is: ZipInfo would turn a \ round on Windows
            entry.compress_type = compression
            archive.writestr(entry, data)
    return content


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*") if path.is_file()
    }  # fmt: skip


def test_unpack__keeps_folders(tmp_path: Path) -> None:
    files = {"kamera 1/anna/1.jpg": b"a", "kamera 1/anna/2.jpg": b"b", "ворота/3.jpg": b"c"}
    assert unpack(zipped(files), "x.zip", tmp_path / "out") == tuple(sorted(files))
    assert files_below(tmp_path / "out") == files


def test_unpack__as_the_standard_program_does(tmp_path: Path) -> None:
    source = tmp_path / "crops"
    for name in ("a/1.jpg", "b/deep/2.jpg"):
        (source / name).parent.mkdir(parents=True)
        (source / name).write_bytes(name.encode())
    made, out, other = (tmp_path / name for name in ("crops.zip", "out", "other"))
    run = [sys.executable, "-m", "zipfile"]
    subprocess.run([*run, "-c", made, source], check=True)
    subprocess.run([*run, "-e", made, other], check=True)
    with made.open("rb") as file:
        unpack(file, "crops.zip", out)
    assert files_below(out) == files_below(other)
    assert len(files_below(out)) == 2


def test_unpack__windows_names(tmp_path: Path) -> None:
    unpack(zipped({"cam1\\0001\\a.jpg": b"a"}), "x.zip", tmp_path)
    assert files_below(tmp_path) == {"cam1/0001/a.jpg": b"a"}


def test_unpack__utf8_that_does_not_say_so(tmp_path: Path) -> None:
    plain = "görüntü/1.jpg".encode()  # as Info-ZIP writes it: raw bytes, and no flag
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("g" * len(plain), b"a")
    unpack(io.BytesIO(made.getvalue().replace(b"g" * len(plain), plain)), "x.zip", tmp_path)
    assert files_below(tmp_path) == {"görüntü/1.jpg": b"a"}


def test_unpack__leaves_out_what_is_hidden_and_links(tmp_path: Path) -> None:
    content = zipped({"__MACOSX/a/._1.jpg": b"", "a/.DS_Store": b"", "a/1.jpg": b"a"})
    with zipfile.ZipFile(content, "a") as archive:
        link = zipfile.ZipInfo("a/2.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    unpack(content, "x.zip", tmp_path)
    assert files_below(tmp_path) == {"a/1.jpg": b"a"}


@pytest.mark.parametrize(
    "name",
    ["../up.jpg", "a/../../up.jpg", "/etc/up.jpg", "..\\up.jpg", "C:\\up.jpg", "c:/up.jpg",
     "\\\\host\\share\\up.jpg", "~/up.jpg"],
)  # fmt: skip
def test_unpack__nothing_leaves_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="leads out of its folder"):
        unpack(zipped({"a/1.jpg": b"a", name: b"b"}), "x.zip", tmp_path / "in" / "out")
    assert files_below(tmp_path) == {}


def encrypted() -> io.BytesIO:
    raw = bytearray(zipped({"1.jpg": b"a"}).getvalue())
    raw[raw.find(b"PK\3\4") + 6] |= 1
    raw[raw.find(b"PK\1\2") + 8] |= 1
    return io.BytesIO(bytes(raw))


def damaged() -> io.BytesIO:
    content = zipped({"1.jpg": b"picture" * 50})
    return io.BytesIO(content.getvalue().replace(b"picturepicture", b"pictureXicture", 1))


def twice() -> io.BytesIO:
    return zipped({"a/1.jpg": b"a", "a\\1.jpg": b"b"})


BAD = {
    "encrypted": (encrypted, "needs a password; pack it again without one"),
    "truncated": (
        lambda: io.BytesIO(zipped({"1.jpg": b"a" * 999}).getvalue()[:-30]),
        "not a whole zip file",
    ),
    "no zip": (lambda: io.BytesIO(b"Rar!" * 20), "not a whole zip file"),
    "damaged": (damaged, "not a whole zip file"),
    "empty": (lambda: zipped({}), "holds no files"),
    "hidden alone": (lambda: zipped({".a/1.jpg": b""}), "holds no files"),
    "twice": (twice, "twice"),
    "a file and a folder": (
        lambda: zipped({"a.jpg": b"a", "a.jpg/b.jpg": b"b"}),
        "as a file and a folder",
    ),
    "a bomb": (
        lambda: zipped({"1.jpg": bytes(10**7)}, zipfile.ZIP_DEFLATED),
        "over 50 times its size",
    ),
}


@pytest.mark.parametrize(("make", "said"), BAD.values(), ids=BAD)
def test_unpack__refused_in_one_sentence(tmp_path: Path, make, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DatasetError, match=said) as caught:
        unpack(make(), "shop.zip", tmp_path)
    assert str(caught.value).startswith("shop.zip ")
    assert "\n" not in str(caught.value)


def test_unpack__too_many_or_too_large(tmp_path: Path) -> None:
    files = {f"{n}.jpg": b"picture" for n in range(4)}
    with pytest.raises(DatasetError, match="holds 4 files, and at most 3"):
        unpack(zipped(files), "x.zip", tmp_path, UnpackLimits(n_files=3))
    with pytest.raises(DatasetError, match="needs 28 bytes, but only 0 are free"):
        unpack(zipped(files), "x.zip", tmp_path, UnpackLimits(free_bytes=2**60))
    assert files_below(tmp_path) == {}
    assert len(unpack(zipped(files), "x.zip", tmp_path, UnpackLimits(n_files=4))) == 4
