"""The report of a run: its content, and that names cannot inject markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from pul.config import RunConfig
from pul.errors import StoreError
from pul.records import IterationRecord
from pul.reports.html import render_report, write_report
from pul.store.workspace import Workspace
from tests.support.fakes import METRICS, image_dataset, iteration_arrays, iteration_record

EVIL = '<script>alert("1")</script><img src=x onerror=alert(2)>'


class Tags(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def make(folder: Path, *, name: str = "mine", n: int = 3) -> Workspace:
    workspace = Workspace.create(folder, name="shop & co")
    pixels = np.random.default_rng(0).integers(0, 256, (12, 32, 16, 3), dtype=np.uint8)
    workspace.add_dataset(image_dataset(folder / "images", pixels))
    (folder / "m.safetensors").write_bytes(b"x")
    run = workspace.create_run(RunConfig(n_clusters=3), model=folder / "m.safetensors", name=name)
    for iteration in range(n):
        workspace.add_iteration(run.run_id, record(iteration), iteration_arrays(), b"")
    return workspace


def record(iteration: int) -> IterationRecord:
    metrics = replace(METRICS, mean_ap=0.25 + iteration / 10)
    made = iteration_record(iteration, metrics=metrics)
    return replace(made, lambda_=0.9 if iteration == 2 else 0.85)


def test_render_report__says_what_happened(tmp_path):
    with make(tmp_path / "w") as workspace:
        text = render_report(workspace, 1)
    assert "<h1>mine · shop &amp; co</h1>" in text
    assert "25.0 → 45.0 %" in text  # mAP of the baseline and of iteration 2
    assert "Iteration 2: λ 0.85 → 0.90" in text
    assert "trapezoid AP over 12 queries, 1 without a true match counted as 0" in text
    assert "Reliable share, % (Fig. 5 b)" in text
    assert "mAP, % (trapezoid AP; Fig. 5 d)" in text
    assert text.count("<tr><td>0 · baseline</td>") == 1
    assert "<tr><td>lambda_</td><td>0.85</td><td>0.85</td></tr>" in text
    assert '<tr class="changed"><td>n_clusters</td><td>3</td><td>750</td></tr>' in text
    assert "<td>torch</td><td>2</td>" in text


def test_render_report__names_cannot_become_markup(tmp_path):
    with make(tmp_path / "w", name=EVIL) as workspace:
        text = render_report(workspace, 1, with_pictures=True)
    plain = render_name(tmp_path)
    assert [tag for tag, _ in Tags(text).tags] == [tag for tag, _ in Tags(plain).tags]
    assert "<script" not in text
    assert "onerror=" not in re.sub(r"&lt;.*?&gt;", "", text)


def render_name(tmp_path: Path) -> str:
    with make(tmp_path / "plain") as workspace:
        return render_report(workspace, 1, with_pictures=True)


def test_render_report__asks_no_one_and_shows_nobody(tmp_path):
    with make(tmp_path / "w") as workspace:
        text = render_report(workspace, 1)
        names = [Path(path).name for path in workspace.images().paths]
    tags = Tags(text).tags
    assert not {"script", "link", "iframe", "object", "img"} & {tag for tag, _ in tags}
    assert not [value for _, attrs in tags for value in attrs.values() if "://" in (value or "")]
    assert not [name for name in names if name in text]
    (policy,) = [a["content"] for t, a in tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy).startswith("default-src 'none'")


def test_render_report__with_pictures_names_none_of_them(tmp_path):
    with make(tmp_path / "w") as workspace:
        text = render_report(workspace, 1, with_pictures=True)
        names = [Path(path).name for path in workspace.images().paths]
    images = [attrs["src"] for tag, attrs in Tags(text).tags if tag == "img"]
    assert len(images) == 12  # three clusters of four
    assert all(str(source).startswith("data:image/png;base64,") for source in images)
    assert not [name for name in names if name in text]


def test_render_report__without_ground_truth(tmp_path):
    with make(tmp_path / "w", n=0) as workspace:
        bare = replace(record(0), metrics=None, cluster_quality=None)
        workspace.add_iteration(1, bare, iteration_arrays(), b"")
        text = render_report(workspace, 1)
    assert "mAP, %" not in text
    assert "Reliable share" in text


def test_render_report__nothing_yet(tmp_path):
    with (
        make(tmp_path / "w", n=0) as workspace,
        pytest.raises(StoreError, match="nothing to report"),
    ):
        render_report(workspace, 1)


def test_write_report__replaces_and_explains(tmp_path):
    out = tmp_path / "report.html"
    out.write_text("old")
    with make(tmp_path / "w") as workspace:
        write_report(workspace, 1, out)
        assert out.read_text(encoding="utf-8").endswith("</html>\n")
        with pytest.raises(StoreError, match="cannot be written"):
            write_report(workspace, 1, tmp_path / "nowhere" / "report.html")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["report.html"]


def test_render_report__outliers_are_in_no_cluster(tmp_path):
    with make(tmp_path / "w", n=1) as workspace:
        clusters = np.array([-1] * 8 + [0, 0, 0, 1])
        outliers = replace(iteration_arrays(), clusters=clusters)
        workspace.add_iteration(1, record(1), outliers, b"")
        text = render_report(workspace, 1, with_pictures=True)
    assert "cluster 0 · 3 images" in text
    assert "cluster -1" not in text
