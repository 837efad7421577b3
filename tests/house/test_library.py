"""The library as others get it: its public names, and a wheel installed away from the checkout."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import urllib.request
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

import pul
from pul.store.workspace import Workspace
from tests.app.browser.browsing import serve_command
from tests.app.conftest import wait_until

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "requirements.txt")
PACKAGES = ("pul", "app", "assets")
MAX_IMPORT_S = 0.3


# Names


def test_pul__offers_its_names_and_nothing_else() -> None:
    assert dir(pul) == sorted(pul.__all__)
    assert 18 <= len(pul.__all__) <= 25
    assert all(getattr(pul, name) is not None for name in pul.__all__)
    with pytest.raises(AttributeError, match="no attribute 'group'"):
        pul.group  # noqa: B018


def test_pul__type_checkers_see_the_same_names() -> None:
    (block,) = [
        node
        for node in ast.parse((ROOT / "pul/__init__.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.If)
    ]
    imported = {
        alias.asname or alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == pul._MODULES
    assert sorted([*imported, "__version__"]) == sorted(pul.__all__)


# Requirements


def lines(name: str) -> list[str]:
    """Return the requirements in a file, without comments."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line.partition("#")[0].strip() for line in text.splitlines() if re.match(r"\w", line)]


def test_extras__are_the_optional_requirements() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert all(extras.values())
    assert sorted(x for extra in extras.values() for x in extra) == sorted(
        lines("requirements-optional.txt")
    )


def test_requirements__of_the_wheel_are_those_of_the_file(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = archive.read(name).decode()
    required = re.findall(r"^Requires-Dist: ([^;\n]+)", metadata, re.MULTILINE)
    declared = lines("requirements.txt") + lines("requirements-optional.txt")
    assert {_sorted_bounds(text) for text in required} == {_sorted_bounds(x) for x in declared}


def _sorted_bounds(requirement: str) -> tuple[str, ...]:
    name, bounds = re.split(r"(?=[<>])", requirement.partition(";")[0].strip(), maxsplit=1)
    return (name, *sorted(bounds.split(",")))


# The wheel


@dataclass(frozen=True)
class Installed:
    """An environment away from the checkout in which the wheel is installed.

    Attributes:
        bin: Folder of its commands.
        folder: Where commands are run: it holds nothing of ours.
    """

    bin: Path
    folder: Path

    def run(self, program: str, *arguments: str) -> str:
        """Run a command to its end and return what it printed."""
        done = subprocess.run(
            [self.bin / program, *arguments],
            cwd=self.folder, env=environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


def environment() -> dict[str, str]:
    """Return the environment variables without those by which Python finds the checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a build leaves folders beside the sources."""
    sources = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        shutil.copy(ROOT / name, sources)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    pip(sys.executable, "wheel", "--no-deps", "--no-build-isolation", "-w", "dist", ".", at=sources)
    (built,) = (sources / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in an environment of its own, which finds the requirements in the tests' one."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place / "venv", with_pip=False, symlinks=True)
    (site,) = (place / "venv").glob("lib/*/site-packages")
    (site / "requirements.pth").write_text(sysconfig.get_path("purelib"))
    python = str(place / "venv/bin/python")
    pip(python, "install", "--no-deps", "--no-index", str(wheel), at=place)
    (place / "folder").mkdir()
    return Installed(place / "venv" / "bin", place / "folder")


def pip(python: str, *arguments: str, at: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    done = subprocess.run(
        [*command, *arguments],
        cwd=at, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_wheel__holds_every_file_of_the_packages(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    ours = {
        path.relative_to(ROOT).as_posix()
        for package in ("pul", "app")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == ours | {"pul/assets/start_model.safetensors"}


def test_installed__imports_quickly_and_loads_no_torch(installed: Installed) -> None:
    program = (
        "import sys, time; started = time.perf_counter(); import pul; "
        "took = time.perf_counter() - started; loaded = sorted(sys.modules); "
        "print(pul.__file__, took, 'torch' in loaded, 'numpy' in loaded)"
    )
    file, took, has_torch, has_numpy = installed.run("python", "-c", program).split()
    assert Path(file).is_relative_to(installed.bin.parent)
    assert float(took) < MAX_IMPORT_S
    assert (has_torch, has_numpy) == ("False", "False")


@pytest.mark.slow
def test_installed__makes_the_demo_and_adapts_a_model(installed: Installed) -> None:
    assert "train-source" in installed.run("pul", "--help")
    made = json.loads(installed.run("pul", "demo", "--json"))
    assert made["n_images"] > 640
    assert (installed.folder / "demo/pul.db").is_file()
    model = installed.run("python", "-c", "import pul.demo; print(pul.demo.START_MODEL)").strip()
    assert Path(model).is_relative_to(installed.bin.parent)
    few = ["--iterations", "1", "--epochs", "1", "--threads", "1", "--set", "projection=false"]
    where = ["--workspace", "demo"]
    installed.run("pul", "run", *where, "--model", model, "--preset", "demo", *few, "--detach")
    while True:  # each question takes as long as Python takes to start
        status = json.loads(installed.run("pul", "status", *where, "--json"))
        job = status["jobs"][-1]
        if job["status"] not in ("queued", "running"):
            break
    assert (job["status"], job["error"]) == ("finished", "")
    assert [record["iteration"] for record in status["iterations"]["1"]] == [0, 1]


@pytest.fixture
def studio(installed: Installed, tmp_path: Path) -> Iterator[str]:
    """The address of a studio that the command `pul-studio` serves."""
    command = [installed.bin / "pul-studio", "--no-demo-run"]
    log = tmp_path / "studio.log"
    with serve_command(command, tmp_path, environment(), log=log) as address:
        yield address


@pytest.mark.slow
def test_installed__studio_serves_and_makes_the_demo(studio: str, tmp_path: Path) -> None:
    with urllib.request.urlopen(f"{studio}/_stcore/health") as answer:
        assert answer.status == 200
    wait_until(lambda: Workspace.exists(tmp_path / "demo"))


@pytest.mark.slow
def test_installed__draws_a_page(installed: Installed, tmp_path: Path) -> None:
    program = (
        "import app, pathlib; from streamlit.testing.v1 import AppTest; "
        "page = AppTest.from_file(pathlib.Path(app.__file__).with_name('studio.py')); "
        "page.run(timeout=60); print(len(page.exception), len(page.get('bidi_component')))"
    )
    n_errors, n_components = installed.run("python", "-c", program).split()
    assert (n_errors, int(n_components) > 0) == ("0", True)
