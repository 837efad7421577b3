"""Everything that reads what others wrote; each takes one input and may only refuse it in words."""

import itertools
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from starlette.requests import Request
from typer.testing import CliRunner

from app import services
from app.payloads import Desk
from app.routes import maps, thumbnails
from pul.cli.main import app
from pul.cli.manage_runs import parse_settings
from pul.config import NetworkConfig, RunConfig, TrainConfig, load_preset, preset_names
from pul.data.datasets import read_dataset
from pul.data.images import check_images, decode_image, thumbnail
from pul.errors import PulError
from pul.exchange import LABEL_FORMATS, export_identities, import_annotations
from pul.models.network import build_network, load_network
from pul.store.workspace import Workspace
from tests.fuzz import corruption
from tests.fuzz.corruption import corrupted, plain, texts

OUR_ERRORS = (PulError,)
_numbers = itertools.count()


@dataclass(frozen=True)
class Target:
    """Something that reads.

    Attributes:
        name: What it is called.
        read: Reads one drawn input in a folder of its own.
        share: How many inputs it gets for one of the others'.
    """

    name: str
    read: Callable[[st.DataObject, Path], None]
    share: float = 1.0


def _image(data: st.DataObject, folder: Path) -> None:
    name, sound = data.draw(st.sampled_from(corruption.images()))
    path = folder / name
    path.write_bytes(data.draw(corrupted(sound)))
    with suppress(*OUR_ERRORS):
        pixels = decode_image(path)
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
        assert pixels.shape[2] == 3
    with suppress(*OUR_ERRORS):
        content, media_type = thumbnail(path, height=data.draw(st.sampled_from([1, 8, 128])))
        assert content
        assert media_type.startswith("image/")


_names = st.one_of(
    st.binary(min_size=1, max_size=30).map(
        lambda raw: raw.replace(b"/", b"_").replace(b"\0", b"_")
    ),
    st.sampled_from([b"\xff\xfe.jpg", b"a\nb.jpg", b"\"'.png", "\u202egpj.jpg".encode()]),
    st.sampled_from([b"0001_c1s1_000001_01.jpg", b"-1_c1s1_1_01.jpg", b"000_45.bmp", b"9" * 200]),
)


def _folder(data: st.DataObject, folder: Path) -> None:
    secret = folder / "secret.jpg"
    secret.write_bytes(dict(corruption.images())["a.jpg"])
    root = os.fsencode(folder / "data")
    parts = st.sampled_from(
        [b"", b"bounding_box_train", b"query", b"bounding_box_test", b"1", b"cam_a"]
    )
    os.makedirs(root)  # noqa: PTH103 - names that are not text
    for _ in range(data.draw(st.integers(0, 6))):
        place = os.path.join(root, data.draw(parts))  # noqa: PTH118
        os.makedirs(place, exist_ok=True)  # noqa: PTH103
        path = os.path.join(place, data.draw(_names))  # noqa: PTH118
        kind = data.draw(st.sampled_from(["file", "file", "link", "loop", "folder", "pipe"]))
        with suppress(OSError):  # a name that this disk does not take, or took before
            _make(path, kind, secret)
    with suppress(*OUR_ERRORS):
        dataset = check_images(read_dataset(folder / "data"))
        for sample in dataset.samples:
            assert sample.path.resolve() != secret, "a link out of the folder was followed"
        with Workspace.create(folder / "workspace") as workspace:
            workspace.add_dataset(dataset)
            assert len(workspace.images()) <= len(dataset.samples)


def _make(path: bytes, kind: str, secret: Path) -> None:
    if kind == "file":
        with open(path, "xb") as file:  # noqa: PTH123
            file.write(secret.read_bytes())
    elif kind == "folder":
        os.mkdir(path)  # noqa: PTH102
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        os.symlink(secret if kind == "link" else path, path)  # noqa: PTH211


def _table(data: st.DataObject, folder: Path) -> None:
    name, sound = data.draw(st.sampled_from(corruption.tables()))
    (folder / "a.jpg").write_bytes(dict(corruption.images())["a.jpg"])
    content = data.draw(st.one_of(corrupted(sound), _rows().map(str.encode)))
    (folder / name).write_bytes(content)
    with suppress(*OUR_ERRORS):
        check_images(read_dataset(folder / name))


def _rows() -> st.SearchStrategy[str]:
    cell = texts.filter(lambda text: "\ud800" not in text)
    rows = st.lists(st.lists(cell, min_size=2, max_size=5).map(",".join), max_size=4)
    return rows.map(lambda lines: "\n".join(["path,pid,camid,split,frame", *lines]))


@cache
def _labelled(parent: Path) -> Workspace:
    """Return a workspace of three images, to which labels come."""
    place = parent / "labelled"
    place.mkdir()
    for name in ("a", "b", "c"):
        (place / f"{name}.jpg").write_bytes(dict(corruption.images())["a.jpg"])
    workspace = Workspace.create(parent / "workspace")
    workspace.add_dataset(read_dataset(place))
    return workspace


def _labels(data: st.DataObject, folder: Path) -> None:
    workspace = _labelled(folder.parent)
    files = (*corruption.tables(), *corruption.documents())
    name, sound = data.draw(st.sampled_from(files))
    if name.endswith(".json") and data.draw(st.booleans()):
        sound = json.dumps(data.draw(plain)).encode()
    (folder / name).write_bytes(data.draw(corrupted(sound)))
    with suppress(*OUR_ERRORS):
        import_annotations(workspace, folder / name, author=data.draw(texts))


def _mat(data: st.DataObject, folder: Path) -> None:
    images, split = corruption.mat_files(folder)
    place = folder / "cuhk03"
    place.mkdir()
    (place / "cuhk-03.mat").write_bytes(data.draw(corrupted(images)))
    split_name = "cuhk03_new_protocol_config_detected.mat"
    (place / split_name).write_bytes(data.draw(corrupted(split)))
    with suppress(*OUR_ERRORS):
        read_dataset(place, cache_dir=folder / "cache")


def _checkpoint(data: st.DataObject, folder: Path) -> None:
    name, sound = data.draw(st.sampled_from(corruption.checkpoints()))
    path = folder / name
    path.write_bytes(data.draw(corrupted(sound)))
    with suppress(*OUR_ERRORS):
        load_network(path)
    with suppress(*OUR_ERRORS):
        tiny = {"backbone": "mobilenet_v2", "width_mult": 0.1, "height": 32, "width": 16}
        build_network(NetworkConfig(weights=str(path), **tiny))


_settings = st.sampled_from(
    [
        *RunConfig.model_fields,
        *TrainConfig.model_fields,
        "finetune.loss",
        "evaluation.ap_method",
        "",
    ]
)


def _configuration(data: st.DataObject, folder: Path) -> None:
    del folder
    kind = data.draw(st.sampled_from([RunConfig, TrainConfig, NetworkConfig]))
    with suppress(*OUR_ERRORS):
        kind(**data.draw(st.dictionaries(_settings, plain, max_size=3)))
    with suppress(*OUR_ERRORS):
        pair = data.draw(st.one_of(texts, st.tuples(_settings, texts).map("=".join)))
        RunConfig().replace(**parse_settings([pair]))
    with suppress(*OUR_ERRORS):
        load_preset(data.draw(st.one_of(texts, st.sampled_from(preset_names()))))


_COMMANDS = ("status", "run", "resume", "steer", "export", "import", "import-annotations")
_OPTIONS = ("--workspace", "--k", "--lambda", "--set", "--format", "--json", "--preset", "--model")


def _command(data: st.DataObject, folder: Path) -> None:
    """Give the command line anything; it ends with a status or with an error of ours."""
    words = st.one_of(texts, st.sampled_from([*_OPTIONS, "1", str(folder)]))
    given = [data.draw(st.sampled_from(_COMMANDS)), *data.draw(st.lists(words, max_size=6))]
    before = Path.cwd()
    os.chdir(folder)
    try:
        result = CliRunner().invoke(app, given)
    finally:
        os.chdir(before)
    if not isinstance(result.exception, SystemExit | PulError | None):
        raise result.exception


def _token(data: st.DataObject, folder: Path) -> None:
    location = str(_labelled(folder.parent).location)
    good = [thumbnails.tokens(location, [1])[0], maps.url(location, 1, 0).rpartition("/")[2]]
    sound = data.draw(st.sampled_from(good))
    token = data.draw(
        st.one_of(texts, corrupted(sound.encode()).map(lambda x: x.decode("latin-1")))
    )
    for serve, opens in ((thumbnails.serve_thumbnail, good[0]), (maps.serve_map, good[1])):
        scope = {"type": "http", "method": "GET", "headers": [], "path_params": {"token": token}}
        status = serve(Request(scope)).status_code
        assert status in ((200, 404) if token == opens else (403, 404, 410)), (status, token)


_acts = st.fixed_dictionaries(
    {
        "token": st.one_of(texts, st.uuids().map(str)),
        "kind": st.sampled_from([*services.acts._ACTS, "skip", "x"]),
    },
    optional={
        "images": st.one_of(st.lists(st.integers(-1, 5), max_size=4), plain),
        "identity": st.one_of(st.integers(0, 9), texts, plain),
        "identities": st.one_of(st.lists(st.integers(0, 9), max_size=3), plain),
        "question": st.one_of(plain, st.just({"left": {"images": [1]}, "right": {"identity": 1}})),
        "answer": st.one_of(texts, st.sampled_from(["same", "different", "unsure"])),
        "name": plain,
        "role": texts,
        "seconds": plain,
        "card": plain,
        "dropped": plain,
        "rejected": plain,
    },
)


def _message(data: st.DataObject, folder: Path) -> None:
    """Send what no page of ours would; what was stored before must still be there and readable."""
    workspace = _labelled(folder.parent)
    location = str(workspace.location)
    sent = data.draw(st.one_of(st.lists(st.one_of(_acts, plain), max_size=3), plain))
    annotator, format = data.draw(texts), data.draw(st.sampled_from(sorted(LABEL_FORMATS)))
    before = len(workspace.annotation_events())
    desk = Desk()
    desk.receive(location, {"commits": sent}, annotator)
    after = services.labels.read_annotations(location)
    assert len(after.events) >= before
    services.labels.pace(after, 50)
    after.content_hash()
    with suppress(*OUR_ERRORS):
        export_identities(workspace, folder / f"out-{next(_numbers)}", format=format)


TARGETS = tuple(
    # A MATLAB file is read by a process of its own, which takes a second to start.
    Target(read.__name__.strip("_"), read, 0.03 if read is _mat else 1.0)
    for read in (
        _image,
        _folder,
        _table,
        _labels,
        _mat,
        _checkpoint,
        _configuration,
        _command,
        _token,
        _message,
    )
)
