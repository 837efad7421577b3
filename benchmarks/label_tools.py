"""Round trips of labels through other tools' own code: what we write they read, and the reverse.

    python -m benchmarks.label_tools OUT --python VENV/bin/python

The packages are large, so they are in an environment of their own, which VENV names: datumaro,
label-studio-sdk, pycocotools, motmetrics and fiftyone, or some of them (fiftyone needs no
database for this). Each program below runs there; it says whom it reads in our exports, and writes
labels with the tool's own writers, which we then read. Nothing is timed.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from benchmarks.label_tool_programs import PROGRAMS
from pul.data.datasets import Dataset
from pul.data.samples import Sample
from pul.errors import PulError
from pul.exchange import LABEL_FORMATS, export_identities, import_annotations
from pul.labelling.annotations import create, junk
from pul.labelling.log import append_act, read_annotations
from pul.store.workspace import Workspace

_PEOPLE = {"Zoë A": (0, 1, 4), "Bo": (2, 6), "P 3": (5,)}  # name → images
_JUNK = 7
_N_IMAGES = 8  # the fourth is nobody's


@dataclass(frozen=True)
class Outcome:
    """How one round trip ended: who read whose file, how many labels, and what was wrong."""

    reader: str
    writer: str
    n_labels: int
    fault: str = ""


def main() -> int:
    """Run every round trip; 1 where one fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="a folder to make")
    parser.add_argument("--python", action="append", required=True, help="Python with the tools")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    paths = _draw(out / "images")
    with _workspace(out / "ours", paths) as ours:
        _label(ours)
        for name, format in LABEL_FORMATS.items():
            if not format.needs_tracks:
                export_identities(ours, out / "exports" / f"{name}{format.suffix}", format=name)
    outcomes = []
    for name, program in PROGRAMS.items():
        for python in arguments.python:
            outcomes += _round_trip(name, program, python, out, paths)
    for each in outcomes:
        print(f"{each.reader:14} reads {each.writer:34} {each.n_labels:3} {each.fault or 'agrees'}")
    return int(any(each.fault for each in outcomes) or not outcomes)


def _draw(folder: Path) -> list[Path]:
    paths = []
    for number in range(_N_IMAGES):
        path = folder / f"cam{1 + number // 4}" / f"crop_{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40 + number, 80), (number * 30, 0, 90)).save(path)
        paths.append(path)
    return paths


def _workspace(location: Path, paths: list[Path]) -> Workspace:
    workspace = Workspace.create(location)
    samples = [
        Sample(path, camid=int(path.parent.name[3:]), frame=n) for n, path in enumerate(paths)
    ]
    workspace.add_dataset(Dataset("tools", "folders", paths[0].parent.parent, tuple(samples)))
    return workspace


def _label(workspace: Workspace) -> None:
    state = read_annotations(workspace)
    acts = [create([n + 1 for n in images], name=name) for name, images in _PEOPLE.items()]
    for number, act in enumerate([*acts, junk([_JUNK + 1])]):
        state = append_act(workspace, act, state, author="ann", token=f"tools-{number}")


def _round_trip(
    tool: str, program: str, python: str, out: Path, paths: list[Path]
) -> list[Outcome]:
    """Run a tool's program, compare what it read of ours, and read what it wrote."""
    folder = out / "tools" / tool
    folder.mkdir(parents=True, exist_ok=True)
    told = json.dumps({"out": str(out), "folder": str(folder), "people": _images(paths)})
    child = subprocess.run(
        [python, "-c", program], input=told, capture_output=True, text=True, check=False, cwd=folder
    )
    if child.returncode:
        last = child.stderr.strip().splitlines()[-1:] or [""]
        is_absent = "ModuleNotFoundError" in last[0]
        return [] if is_absent else [Outcome(tool, "ours", 0, f"FAILED: {last[0]}")]
    said = json.loads(child.stdout.strip().splitlines()[-1])
    outcomes = [
        Outcome(tool, f"our {format}", len(pairs), _compare(_groups(pairs), paths))
        for format, pairs in said["read"].items()
    ]
    for name in said["written"]:
        location = out / "theirs" / f"{tool}-{name}".replace("/", "-").replace(".", "-")
        n_images, fault = _read_theirs(folder / name, location, paths)
        outcomes.append(Outcome("PUL Studio", f"{tool}'s {name}", n_images, fault))
    return outcomes


def _read_theirs(source: Path, location: Path, paths: list[Path]) -> tuple[int, str]:
    """Read labels that a tool wrote into a new workspace; return how many images, and the fault."""
    with _workspace(location, paths) as workspace:
        try:
            report = import_annotations(workspace, source, author="bob")
        except PulError as error:
            return 0, f"FAILED: {error}"
        rows = {image: row for row, image in enumerate(workspace.images().image_ids.tolist())}
        found = {
            frozenset(paths[rows[image]].stem for image in known.images)
            for known in read_annotations(workspace).identities
        }
    fault = _compare(found, paths)
    fault += "".join(f"; {each.place}: {each.reason}" for each in report.problems[:2])
    return report.n_images, fault


def _images(paths: list[Path]) -> dict[str, list[str]]:
    return {name: [str(paths[n]) for n in images] for name, images in _PEOPLE.items()}


def _groups(pairs: list[list[str]]) -> set[frozenset[str]]:
    """Return the stems of the images of each person, whatever the tool calls them."""
    people: dict[str, set[str]] = {}
    for image, person in pairs:
        people.setdefault(str(person), set()).add(Path(image).stem)
    return {frozenset(stems) for stems in people.values()}


def _compare(found: set[frozenset[str]], paths: list[Path]) -> str:
    expected = {frozenset(paths[n].stem for n in images) for images in _PEOPLE.values()}
    if found == expected:
        return ""
    return f"DIFFERS: {sorted(map(sorted, found))}"


if __name__ == "__main__":
    sys.exit(main())
