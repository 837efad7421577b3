"""What kind of file somebody calls a model."""

import gzip
import io
import json
import pickle
import struct
import tarfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pul.errors import ModelError
from pul.models.file_kinds import read_kind, require_own_checkpoint
from pul.models.network import load_network, save_network
from pul.models.weights import read_tensors
from tests.support.networks import tiny_network


def _torchscript(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(torch.nn.ReLU(), torch.zeros(1)), path)


def _zip(path: Path, *names: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")


def _onnx(path: Path) -> None:
    import onnx
    from onnx import helper

    value = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["x2"])], "g", [value], [])
    path.write_bytes(helper.make_model(graph, producer_name="pytorch").SerializeToString())


def _tar(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("w.pth"), io.BytesIO())


def _cut(path: Path, write: object) -> None:
    torch.save({"a": torch.zeros(9_000)}, path) if write == "torch" else save_file(
        {"a": torch.zeros(9_000)}, path
    )
    path.write_bytes(path.read_bytes()[:20_000])


KINDS = {
    "TorchScript program": _torchscript,
    "ONNX model": _onnx,
    "zip archive with checkpoints": lambda path: _zip(path, "run/best.pth", "log.txt"),
    "zip archive of program code": lambda path: _zip(path, "train.py", "README.md"),
    "tar archive": _tar,
    "gzip archive": lambda path: path.write_bytes(gzip.compress(b"weights")),
    "Git LFS pointer": lambda path: path.write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n"
    ),
    "web page": lambda path: path.write_text("<!DOCTYPE html><title>Quota exceeded</title>"),
    "OpenVINO": lambda path: path.write_text('<?xml version="1.0"?><net name="x"/>'),
    "text file": lambda path: path.write_text("conv1.weight: see the wiki"),
    "empty file": lambda path: path.write_bytes(b""),
    "NumPy array": lambda path: path.write_bytes(_npy()),
    "archive of NumPy arrays": lambda path: path.write_bytes(_npz()),
    "Python pickle": lambda path: path.write_bytes(pickle.dumps({"conv1": [1.0]})),
    "HDF5": lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(64)),
    "TensorFlow Lite": lambda path: path.write_bytes(b"\x1c\0\0\0TFL3" + bytes(64)),
    "JPEG": lambda path: path.write_bytes(b"\xff\xd8\xff\xe0" + bytes(64)),
    "no kind that is known": lambda path: path.write_bytes(bytes(range(1, 255)) * 9),
    "cut off": lambda path: _cut(path, "torch"),
    "cut off or damaged": lambda path: _cut(path, "safetensors"),
}


def _npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


def _npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3), b=np.ones(3))
    return file.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_read_kind__what_holds_no_weights_is_told_by_its_kind(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "model.pth"  # the name says nothing
    KINDS[kind](path)
    assert read_kind(path).use == "nothing"
    for read in (load_network, read_tensors, require_own_checkpoint):
        with pytest.raises(ModelError, match=rf"model\.pth is an? .*{kind}.*\. [A-Z].*\.$"):
            read(path)


def test_read_kind__folders_and_nothing(tmp_path: Path) -> None:
    assert read_kind(tmp_path).name == "a folder"
    with pytest.raises(ModelError, match="no model at"):
        read_kind(tmp_path / "none.pth")


def test_read_kind__checkpoints(tmp_path: Path) -> None:
    state = {"a": torch.zeros(3)}
    torch.save(state, tmp_path / "new.pth")
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    save_file(state, tmp_path / "foreign.safetensors")
    save_network(tiny_network(), tmp_path / "ours.safetensors")
    uses = {path.stem: read_kind(path).use for path in tmp_path.iterdir()}
    weights = dict.fromkeys(("new", "old", "foreign"), "weights")
    assert uses == {**weights, "ours": "model"}


@pytest.mark.parametrize(
    "header", [b"{}", b"[]", b"{", b'{"a":3}', b'{"a":{"data_offsets":3}}', b'{"__metadata__":3}']
)
def test_read_kind__a_damaged_header_is_no_crash(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"rest of the file")
    assert read_kind(path).use == "nothing"


def test_read_kind__reads_the_offsets_of_safetensors_by_hand(tmp_path: Path) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    path = tmp_path / "m.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
    assert read_kind(path).use == "weights"
    path.write_bytes(path.read_bytes() + b"x")
    assert read_kind(path).use == "nothing"
