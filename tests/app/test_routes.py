"""The two routes beside Streamlit's own, called as the server calls them."""

import json
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from starlette.requests import Request

from app import services
from app.routes import maps, thumbnails
from app.routes.maps import pack, serve_map
from app.routes.thumbnails import serve_thumbnail
from pul.store.workspace import Workspace
from tests.app.fabricated import fabricate


def request(token: str) -> Request:
    return Request(
        {"type": "http", "method": "GET", "headers": [], "path_params": {"token": token}}
    )


@pytest.fixture
def filled(location: Path, people: Path) -> str:
    fabricate(location, people, n_iterations=1, status="finished")
    return str(location)


def token_of(filled: str) -> str:
    image_id = int(services.workspace.open_workspace(filled).images("train").image_ids[0])
    return thumbnails.tokens(filled, [image_id])[0]


def test_serve_thumbnail__gives_the_picture_and_says_how_long_to_keep_it(filled: str) -> None:
    response = serve_thumbnail(request(token_of(filled)))
    with Workspace.open(filled) as workspace:
        path = Path(workspace.images("train").paths[0])
    assert (response.status_code, response.body) == (200, path.read_bytes())
    assert response.media_type == "image/jpeg"
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["x-content-type-options"] == "nosniff"


def test_serve_thumbnail__a_token_names_no_file(filled: str, people: Path) -> None:
    raw = thumbnails.urls(filled, services.workspace.sample_images(filled, 3))
    assert not any(str(people) in url or ".jpg" in url for url in raw)
    assert len({len(url) for url in raw}) == 1


def test_serve_thumbnail__forged(filled: str) -> None:
    token = token_of(filled)
    forged = ("A" if token[0] != "A" else "B") + token[1:]
    assert serve_thumbnail(request(forged)).status_code == 403


def test_serve_thumbnail__a_map_token_is_none(filled: str) -> None:
    token = maps.url(filled, 1, 0).removeprefix(maps.PREFIX)
    assert serve_thumbnail(request(token)).status_code == 403


def test_serve_thumbnail__expired(filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_of(filled)
    later = time.time() + 13 * 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert serve_thumbnail(request(token)).status_code == 410


def test_serve_thumbnail__no_such_image(filled: str) -> None:
    assert serve_thumbnail(request(thumbnails.tokens(filled, [10**6])[0])).status_code == 404


def test_serve_thumbnail__a_lost_file_is_not_named(location: Path, tmp_path: Path) -> None:
    from tests.app.fabricated import draw_people

    people = draw_people(tmp_path / "lost", n_pids=2)
    fabricate(location, people, n_iterations=0, status="finished")
    token = token_of(str(location))
    for path in people.rglob("*.jpg"):
        path.unlink()
    response = serve_thumbnail(request(token))
    assert response.status_code == 404
    assert b"jpg" not in bytes(response.body)
    assert b"lost" not in bytes(response.body)


def read(content: bytes) -> dict[str, np.ndarray]:
    """Read `pack`'s form as the browser does, by another way than it was written."""
    (size,) = struct.unpack_from("<I", content)
    fields = json.loads(content[4 : 4 + size])
    return {f["name"]: np.frombuffer(content, f["dtype"], f["length"], f["offset"]) for f in fields}


def test_pack__comes_back() -> None:
    arrays = {
        "x": np.array([1.5, -2.5, 3.0], dtype=np.float32),
        "odd": np.array([1, 2, 3, 4, 5], dtype=np.uint8),
        "none": np.zeros(0, dtype=np.int32),
        "after": np.array([7], dtype=np.int32),
    }
    got = read(pack(arrays))
    assert list(got) == list(arrays)
    assert all(np.array_equal(got[name], arrays[name]) for name in arrays)


def test_pack__offsets_are_multiples_of_four() -> None:
    content = pack({"a": np.zeros(3, np.uint8), "b": np.zeros(2, np.float32)})
    (size,) = struct.unpack_from("<I", content)
    assert [field["offset"] % 4 for field in json.loads(content[4 : 4 + size])] == [0, 0]


def test_serve_map__holds_what_the_store_holds(filled: str) -> None:
    token = maps.url(filled, 1, 1).removeprefix(maps.PREFIX)
    got = read(bytes(serve_map(request(token)).body))
    with Workspace.open(filled) as workspace:
        stored = workspace.arrays(1, 1)
        table = workspace.run_images(1, "train")
    assert np.array_equal(got["points"].reshape(-1, 2), stored["points"])
    assert np.array_equal(got["clusters"], stored["clusters"])
    assert np.array_equal(got["centers"], stored["centers"])
    assert np.array_equal(got["similarities"], stored["similarities"])
    assert got["cameras"].tolist() == (table.camids - 1).tolist()
    size = len(got["tokens"]) // len(table)
    last = got["tokens"][-size:].tobytes().decode()
    response = serve_thumbnail(request(last))
    assert response.body == Path(table.paths[-1]).read_bytes()


def test_serve_map__no_such_iteration(filled: str) -> None:
    token = maps.url(filled, 1, 9).removeprefix(maps.PREFIX)
    assert serve_map(request(token)).status_code == 404


def test_serve_map__forged(filled: str) -> None:
    assert serve_map(request(token_of(filled))).status_code == 403
