"""What docs/security.md promises and no other test holds; and that its tests are there."""

import ast
import re
from pathlib import Path

import pytest

from pul.exchange.folders import _to_folder_name

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = sorted(path for name in ("pul", "app") for path in (ROOT / name).rglob("*.py"))


def test_threats__each_names_a_test_that_is_there() -> None:
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    tables = re.findall(r"^\|[- |]+\|\n((?:\| .*\n)+)", text, re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    assert len(tables) == 2
    assert len(rows) > 15
    for row in rows:
        (path, name) = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)[0]
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), row


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_programs__get_no_shell(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            assert not any(word.arg == "shell" for word in node.keywords), node.lineno
            assert ast.unparse(node.func) not in (
                "os.system", "os.popen", "eval", "exec", "pickle.load", "pickle.loads",
            ), node.lineno  # fmt: skip


@pytest.mark.parametrize(
    "name", ["..", ".", "../../x", "/etc", "a/b", "a\\b", "-rf", "~", "CON:", "a\nb", "%2e", " "]
)
def test_exports__a_name_is_no_path(name: str) -> None:
    made = _to_folder_name(name)
    assert made not in ("", ".", "..")
    assert not re.search(r"[/\\\n:]", made)
    assert Path("/out", made).parent == Path("/out")


def test_compose__gives_little() -> None:
    compose = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    studio = compose[compose.index("  studio:") : compose.index("\n  postgres:")]
    for line in (
        "read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", '"127.0.0.1:8501:8501"',
        "tmpfs:",
    ):  # fmt: skip
        assert line in studio
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "\nUSER studio\n" in dockerfile
    assert not re.search(r"^(ENV|ARG) \w*(PASSWORD|SECRET|TOKEN)", dockerfile, re.MULTILINE)
