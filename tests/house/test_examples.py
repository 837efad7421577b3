"""The examples of the documents run as they are written."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "docs/adapt_by_code.ipynb"


def execute(code: str) -> str:
    """Run code in a process of its own and return what it printed; a warning ends it."""
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def printed_maps(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"mAP ([\d.]+)%", text)]


def code_cells() -> list[str]:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def library_code() -> str:
    page = (ROOT / "docs/library.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return str(code)


def test_library_page__the_paper_fits_thirty_lines() -> None:
    assert sum(bool(line.strip()) for line in library_code().splitlines()) <= 30


@pytest.mark.slow
def test_library_page__adapts_a_model() -> None:
    before, *_, after = printed_maps(execute(library_code()))
    assert after >= before + 5


@pytest.mark.slow
def test_notebook__runs_from_top_to_bottom() -> None:
    program = "\n".join(code_cells()) + "\nprint(len(figure.data), contact_sheet(arrays).size)"
    printed = execute(program)
    unlabelled, measured = printed_maps(printed)[:3], printed_maps(printed)[3:]
    assert unlabelled[-1] > unlabelled[0]
    assert measured[-1] >= measured[0] + 5
    assert measured[0] == unlabelled[0]  # both are the start model
    assert printed.splitlines()[-1] == "2 (640, 768)"


def test_notebook__is_stored_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert all(not cell.get("outputs") for cell in cells)
    assert all(cell.get("execution_count") is None for cell in cells)
