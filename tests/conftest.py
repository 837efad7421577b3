"""What all tests share: one thread each, the guards of what a machine may lack, no silent skips."""

import os
import shutil
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# No test is timed: a busy machine draws examples slowly.
settings.register_profile("pul", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pul")

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # as many tests at once as cores; see pul/models/hardware.py

# The frozen reference results are no part of the project; see CONTRIBUTING.md.
collect_ignore = [] if os.environ.get("PUL_ORACLES") else ["oracles"]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the system's Chromium, which drives the studio in browser tests."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.fail(
            "The browser tests need Chromium, and none of "
            f"{', '.join(names)} is on the PATH. Install it (Debian: apt install chromium), "
            "or leave them out: make test PYTEST_ARGS='-m \"not browser\"'",
            pytrace=False,
        )
    return found


@pytest.fixture(scope="session")
def nginx() -> str:
    """Path of the system's nginx, which stands before the studio in some browser tests."""
    folders = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which("nginx", path=folders)
    if found is None:
        pytest.fail(
            "The tests of the studio behind a proxy need nginx. Install it (Debian: apt install "
            "nginx), or leave them out: make test PYTEST_ARGS='-m \"not browser\"'",
            pytrace=False,
        )
    return found


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Put `__main__` back: AppTest leaves the studio there, and new processes would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give browser tests a second chance where Chromium is starved; the summary names them."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a CI session that skipped a test: nothing relied upon may be left out unseen."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("\nA test was skipped, which CI does not allow (see -ra).", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
