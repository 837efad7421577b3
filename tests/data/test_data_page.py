"""docs/data.md: each row of its table of layouts is laid out, read, and compared."""

import itertools
import re
from pathlib import Path

import pytest

from pul.data.datasets import read_dataset
from pul.errors import AmbiguousLayoutError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data.md"
TABLE = PAGE.read_text(encoding="utf-8").partition("| Files | Read as |")[2]
ROWS = re.findall(r"^\| (`.+`) \| (.+) \|$", TABLE, re.MULTILINE)


def expand(pattern: str) -> list[str]:
    """Expand braces as a shell does: `{a,b}/{01..03}.jpg` is six paths."""
    parts = re.split(r"\{([^{}]+)\}", pattern)
    choices = [[part] if i % 2 == 0 else _choices(part) for i, part in enumerate(parts)]
    return ["".join(chosen) for chosen in itertools.product(*choices)]


def _choices(text: str) -> list[str]:
    first, dots, last = text.partition("..")
    if not dots:
        return text.split(",")
    return [str(n).zfill(len(first)) for n in range(int(first), int(last) + 1)]


def understood(root: Path) -> str:
    """Say what is understood of a folder, in the words of the page."""
    try:
        dataset = read_dataset(root)
    except AmbiguousLayoutError as error:
        return "asks: " + ", ".join(f"`{levels}`" for levels, _ in error.readings)
    parts = []
    for row in dataset.summary():
        people = _counted(row.n_pids, "person", "people")
        cameras = _counted(row.n_camids, "camera", "cameras")
        parts.append(f"{row.split}: {people}, {cameras}")
    if len({sample.tracklet for sample in dataset.samples}) > 1:
        parts.append("tracklets")
    left_out = f"; {len(dataset.skipped)} files left out" if dataset.skipped else ""
    levels = f" `{dataset.levels}`" if dataset.levels else ""
    return f"`{dataset.format}`{levels}: {'; '.join(parts)}{left_out}"


def _counted(n: int, one: str, several: str) -> str:
    return f"{n} {one if n == 1 else several}" if n else f"{several} not known"


def test_page__shows_layouts() -> None:
    assert len(ROWS) >= 25


@pytest.mark.parametrize(("files", "text"), ROWS)
def test_page__says_what_is_understood(tmp_path: Path, files: str, text: str) -> None:
    root = tmp_path / "site"
    for pattern in re.findall(r"`([^`]+)`", files):
        for path in expand(pattern):
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    assert understood(root) == text
