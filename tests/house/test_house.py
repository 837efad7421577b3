"""The rules of the house, read from its files: imports, names, requirements, sizes."""

import ast
import graphlib
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("app", "pul", "tests", "benchmarks", "docs", "assets", ".ci")
OURS = ("app", "pul", "tests", "benchmarks")
MAX_FILE_BYTES = 6 * 2**20
MAX_FUNCTION_LINES = 40

# The packages and modules of pul, lowest first. Imports only go downward.
LEVELS = (
    "errors arrays config",
    "records models data cluster",
    "evaluation store",
    "algorithm labelling",
    "exchange pul",  # pul: the names of the library, in pul/__init__.py
    "jobs demo",
    "reports",
    "reproduce",
    "cli __main__",
)
LEVEL_OF = {name: level for level, names in enumerate(LEVELS) for name in names.split()}
HEAVY = {"torch", "torchvision", "faiss", "umap", "sklearn", "numba"}


def modules(*packages: str) -> dict[str, Path]:
    """Return every module of some of our packages, by its dotted name."""
    paths = (p for package in packages for p in sorted((ROOT / package).rglob("*.py")))
    return {_dotted(path): path for path in paths}


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """Return the dotted names that a module imports anywhere, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def imported_modules(path: Path, known: set[str]) -> set[str]:
    """Return which of our modules a module imports: `from pul.a import b` is pul.a or pul.a.b."""
    names = imports(path)
    parents = {name.rpartition(".")[0] for name in names - known}
    return (names & known) | (parents & known)


def level(module: str) -> int:
    """Return the level of a module of pul: that of the package around it."""
    package = module.split(".")[1] if "." in module else module
    assert package in LEVEL_OF, f"{package} has no level in {__name__}.LEVELS"
    return LEVEL_OF[package]


def house_files() -> Iterator[Path]:
    """Yield the project's files: the top level's and those of its folders, nothing generated."""
    generated = {"__pycache__", "output", ".git"}  # a linked work tree's .git is a file
    for path in [*ROOT.iterdir(), *(p for name in FOLDERS for p in (ROOT / name).rglob("*"))]:
        if path.is_file() and not generated & set(path.relative_to(ROOT).parts):
            yield path


# Length


@pytest.mark.parametrize("package", ["pul", "app", "benchmarks"])
def test_length__a_function_over_40_lines_gives_its_reason(package: str) -> None:
    long = [
        f"{name}.{function.name}: {n_lines} lines"
        for name, path in modules(package).items()
        for function, n_lines, source in functions(path)
        if n_lines > MAX_FUNCTION_LINES and "# Long: " not in source
    ]
    assert long == []


def functions(path: Path) -> Iterator[tuple[ast.FunctionDef, int, str]]:
    """Yield each function of a module, its lines but for its docstring, and its source."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            n_lines = node.end_lineno - node.lineno + 1
            if ast.get_docstring(node) is not None:
                n_lines -= node.body[0].end_lineno - node.body[0].lineno + 1
            yield node, n_lines, ast.get_source_segment(text, node) or ""


# Imports


def test_imports__pul_imports_only_downward() -> None:
    ours = modules("pul")
    upward = [
        f"{name} (L{level(name)}) imports {other} (L{level(other)})"
        for name, path in ours.items()
        for other in imported_modules(path, set(ours))
        if level(other) > level(name)
    ]
    assert upward == []


def test_imports__pul_has_no_cycle() -> None:
    ours = modules("pul")
    graph = {name: imported_modules(path, set(ours)) - {name} for name, path in ours.items()}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the cycle


def test_imports__pul_knows_no_screen() -> None:
    screen = [
        f"{name} imports {other}"
        for name, path in modules("pul").items()
        for other in imports(path)
        if other.split(".")[0] in {"app", "streamlit", "plotly"}
    ]
    assert screen == []


def test_imports__sql_only_in_the_store() -> None:
    outside = [
        f"{name} imports {other}"
        for name, path in modules("pul", "app").items()
        for other in imports(path)
        if other.split(".")[0] in {"sqlalchemy", "alembic", "sqlite3", "psycopg"}
        and not name.startswith("pul.store")
    ]
    assert outside == []


def test_imports__app_reaches_pul_through_services() -> None:
    open_to_all = {"pul.records", "pul.errors"}
    around = [
        f"{name} imports {other}"
        for name, path in modules("app").items()
        if not name.startswith("app.services")
        for other in imported_modules(path, set(modules("pul")))
        if other not in open_to_all
    ]
    assert around == []


def test_imports__app_loads_nothing_heavy() -> None:
    heavy = [
        f"{name} imports {other}"
        for name, path in modules("app").items()
        for other in imports(path)
        if other.split(".")[0] in HEAVY
    ]
    assert heavy == []


@pytest.mark.parametrize("module", ["app.services", "pul.jobs", "pul.store.workspace"])
def test_import__loads_nothing_heavy(module: str) -> None:
    program = f"import sys, {module}; print(*sorted({HEAVY!r} & sys.modules.keys()))"
    child = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (child.returncode, child.stdout.strip()) == (0, ""), child.stderr


def test_modules__have_names_that_say_something() -> None:
    vague = {"const", "utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
    named = [name for name in modules(*OURS) if vague & set(name.split("."))]
    assert named == []


# Requirements


def declared(name: str) -> dict[str, str]:
    """Return the requirements of one file by normalised name, each with its line's comment."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    split = (line.partition("#") for line in lines if re.match(r"\w", line))
    return {
        _normal(re.split(r"[\[<>=~! ;]", text)[0]): comment.strip() for text, _, comment in split
    }


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def third_party(*packages: str) -> dict[str, set[str]]:
    """Return the distributions that some of our packages import, each with the modules that do."""
    owners = metadata.packages_distributions()
    used: dict[str, set[str]] = {}
    for name, path in modules(*packages).items():
        for top in {other.split(".")[0] for other in imports(path)}:
            if top not in sys.stdlib_module_names and top not in OURS:
                distribution = _normal(owners.get(top, [top])[0])
                used.setdefault(distribution, set()).add(name)
    return used


# All that the loop needs, on a machine that is there for its GPU.
TRAINING = {"torch", "torchvision", "numpy", "scipy", "pillow", "pydantic", "safetensors"}


def test_requirements__training_needs_few_of_them() -> None:
    others = declared("requirements.txt").keys() - TRAINING
    owners = metadata.packages_distributions()
    absent = [top for top, names in owners.items() if _normal(names[0]) in others]
    assert {"faiss", "streamlit", "umap"} <= set(absent)
    program = f"""
import sys
sys.modules.update(dict.fromkeys({absent!r}))  # importing any of them fails
from pul.config import RunConfig, TrainConfig
from pul.algorithm.loop import run
from tests.support.networks import coloured_images, tiny_network
config = RunConfig(n_clusters=3, n_iterations=1, projection=False, device="cpu",
                   finetune=TrainConfig(n_epochs=1, batch_size=8))
*_, finished, ended = run(tiny_network(), coloured_images(3, 8)[0], config)
print(finished.record.iteration, len(finished.record.epoch_losses), ended.reason)
"""
    child = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert child.stdout.split() == ["1", "1", "n_iterations"], child.stderr


# Modules that another requirement brings and whose presence it documents.
BROUGHT = {
    "starlette": "streamlit",
    "filelock": "torch",
    "click": "typer",
    "uvicorn": "streamlit",
    "pandas": "streamlit",
    "scikit-learn": "umap-learn",
    "annotated-types": "pydantic",
    "pydantic-core": "pydantic",
}


RUN = declared("requirements.txt")
OPTIONAL = declared("requirements-optional.txt")
DEV = declared("requirements-dev.txt")


@pytest.mark.parametrize(
    ("packages", "known"),
    [(("app", "pul"), RUN | OPTIONAL), (("tests", "benchmarks"), RUN | OPTIONAL | DEV)],
)
def test_requirements__declare_every_import(
    packages: tuple[str, ...], known: dict[str, str]
) -> None:
    missing = {
        name: sorted(users)
        for name, users in third_party(*packages).items()
        if name not in known and BROUGHT.get(name) not in known
    }
    assert missing == {}


@pytest.mark.parametrize(
    ("known", "packages"), [(RUN | OPTIONAL, ("app", "pul")), (DEV, ("tests", "benchmarks"))]
)
def test_requirements__are_all_used_or_say_why(
    known: dict[str, str], packages: tuple[str, ...]
) -> None:
    used = third_party(*packages)
    assert [name for name, why in known.items() if name not in used and not why] == []


def test_requirements__are_bounded() -> None:
    lines = [line for path in ROOT.glob("requirements*.txt") for line in path.open()]
    loose = [x for x in lines if re.match(r"\w", x) and not re.search(r">=[\d.]+,<[\d.]+", x)]
    assert loose == []


# Files


def test_files__name_no_machine_and_no_registry() -> None:
    machine = r"(?<![\w.$}-])/(?:work|root|home|Users|opt|mnt)/\w"
    registry = r"\b(?:pypi|pythonhosted|npmjs)\.(?:org|com)|download\.pytorch|\b(?:ghcr|quay)\.io"
    named = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in house_files()
        if path.suffix not in {".png", ".jpg", ".safetensors", ".npz", ".ico"}
        for found in re.finditer(f"{machine}|{registry}", path.read_text(encoding="utf-8"))
    ]
    assert named == []


def test_files__are_small() -> None:
    large = [str(p) for p in house_files() if p.stat().st_size > MAX_FILE_BYTES]
    assert large == []
