"""Dry run, import and --json say the same of images and of labels."""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from typer.testing import CliRunner

from app import services
from pul.cli.main import app
from pul.jobs.worker import work
from pul.store.workspace import Workspace


def _run(*arguments: object) -> dict[str, object]:
    done = CliRunner().invoke(app, [str(x) for x in (*arguments, "--json")])
    assert done.exit_code == 0, done.output
    result: dict[str, object] = json.loads(done.stdout)
    return result


def _all_kinds(folder: Path) -> Path:
    """Fill a folder with images: fine, dark, deep, broken, empty, misnamed; and with none."""
    random = np.random.default_rng(0)
    for n in range(6):
        noise = random.integers(0, 256, (32, 16, 3), dtype=np.uint8)
        path = folder / f"cam{1 + n % 2}" / f"{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise).save(path)
    one = folder / "cam1"
    Image.new("L", (16, 32), 3).save(one / "night.jpg")
    Image.new("RGBA", (16, 32), (9, 9, 9, 0)).save(folder / "cam2" / "clear.webp")
    deep = random.integers(0, 4096, (32, 16)).astype(np.uint16)
    Image.fromarray(deep).save(one / "thermal.png")
    Image.fromarray(np.full((32, 16), 700, dtype=np.uint16)).save(folder / "cam2" / "cold.tif")
    whole = (one / "0.png").read_bytes()
    (one / "cut.png").write_bytes(whole[: len(whole) // 2])
    (one / "empty.jpg").write_bytes(b"")
    (folder / "cam2" / "page.jpg").write_bytes(b"<html>404</html>")
    (folder / "cam2" / "png.jpg").write_bytes(whole[:-2] + b"xx")  # sound but for its last bytes
    (folder / "cam2" / "notes.txt").write_text("not an image")
    Image.new("RGB", (900, 10)).save(one / "line.png")
    return folder


def test_counts__every_way_to_look_decodes_every_image(tmp_path: Path) -> None:
    """Dry run, import, the screen's check and its job: the same images, reasons and notes."""
    folder = _all_kinds(tmp_path / "shop")
    place = str(tmp_path / "w")
    plan = _run("import", folder, "--workspace", place, "--dry-run")
    with Workspace.create(tmp_path / "screen") as workspace:
        found = services.imports.inspect(str(tmp_path / "screen"), str(folder))
        job = workspace.create_job("import", params={"root": str(folder), "format": "auto"})
        assert work(workspace, job.job_id).status == "finished"
        stored = workspace.skipped()
        assert workspace.n_images() == plan["n_new"] == 11
        assert workspace.grey_ranges().to_plain() == plan["grey_ranges"]
    done = _run("import", folder, "--workspace", place)
    assert plan == done
    reasons = {each["path"]: each["reason"] for each in done["skipped"]}  # type: ignore[attr-defined]
    assert dict(found.skipped) == dict(stored) == reasons
    names = {Path(path).name for path in reasons}
    assert names == {"cut.png", "empty.jpg", "page.jpg", "notes.txt", "line.png"}
    assert list(found.notes) == done["notes"]
    told = " ".join(found.notes)
    assert "2 images have grey values of 16 or 32 bits" in told
    for name in ("night.jpg", "clear.webp", "cold.tif"):
        assert name in told
    splits = [list(row) for row in found.contents.splits]
    assert splits == [list(each.values()) for each in done["splits"]]  # type: ignore[attr-defined]


def test_counts__are_the_same_in_dry_run_and_import(tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b", "c")):
        Image.new("RGB", (16, 32), (number * 60, 0, 9)).save(tmp_path / f"{name}.png")
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    rows = ("path,pid", r"D:\x\a.png,P1", "b.png,P1", "damaged.png,P2", "gone.png,P2", "b.png,P1")
    table = tmp_path / "list.csv"
    table.write_text("\n".join(rows))
    place = ["--workspace", tmp_path / "w"]
    plan = _run("import", table, *place, "--dry-run")
    done = _run("import", table, *place)
    assert plan == done
    assert done["n_new"] == 2
    reasons = {Path(each["path"]).name: each["reason"] for each in done["skipped"]}  # type: ignore[attr-defined]
    assert sorted(reasons) == ["b.png", "damaged.png", "gone.png"]
    assert all(reasons.values())
    assert _run("import", table, *place, "--dry-run")["n_new"] == 0

    labels = tmp_path / "labels.csv"
    labels.write_text("file;identity\na.png;Ann\nb.png;unbekannt\nc.png;Bo\nb.png;Ann\n")
    plan = _run("import-annotations", labels, *place, "--dry-run")
    done = _run("import-annotations", labels, *place)
    assert plan == done
    assert (done["n_images"], len(done["nobody"]), len(done["problems"])) == (2, 1, 1)  # type: ignore[arg-type]
