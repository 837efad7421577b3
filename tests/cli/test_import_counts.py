"""Dry run, import and --json say the same of images and of labels."""

import json
from pathlib import Path

from PIL import Image
from typer.testing import CliRunner

from pul.cli.main import app


def _run(*arguments: object) -> dict[str, object]:
    done = CliRunner().invoke(app, [str(x) for x in (*arguments, "--json")])
    assert done.exit_code == 0, done.output
    result: dict[str, object] = json.loads(done.stdout)
    return result


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
