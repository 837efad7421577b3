"""Follow the Dockerfile and the compose file without Docker, and see that the studio works.

    debootstrap --variant=minbase --include=python3-venv,python-is-python3 trixie BASE
    python -m tests.container BASE INTO [--again]

BASE stands for the image of Python; INTO is a folder for the stages and the volumes. The service
`studio` then runs as compose.yaml asks: its user, a read-only root, a tmpfs, its volumes, no
capabilities, no new privileges. Its health check must succeed in the time that it has, the demo's
run must finish in the volume, and the user must not be able to write anywhere else.

    debootstrap --variant=minbase --include=postgresql,gosu,locales-all trixie POSTGRES
    python -m tests.container BASE INTO --postgres POSTGRES IMAGE

does the same for `docker compose --profile postgres up` with the variables that the head of
compose.yaml names. IMAGE is the folder of the Dockerfile and the entry point of the official image
of PostgreSQL (17/trixie of its repository); those of its steps that download are left out, as
POSTGRES has what they bring. The studio must make its workspace in the database, import images and
run on them there, and find them again when both services come back.

Needs root; Linux only. The services have a network of their own, with nothing but a loopback.
"""

import argparse
import ctypes
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from pul.demo import START_MODEL
from pul.store.workspace import Workspace
from tests.app.browser.browsing import FLAGS, TIMEOUT_MS
from tests.app.fabricated import draw_people
from tests.container.image import Root, build
from tests.container.service import ROOT, Container, exported, remove_volumes, services

PROBE = "touch /tmp/x /workspace/x && rm /workspace/x && ! touch /studio/x /venv/x /images/x /x"
# Steps of PostgreSQL's Dockerfile that bring what debootstrap has brought.
DOWNLOADS = "apt-get|gpg|useradd"
TIMEOUT_S = 900.0
CLONE_NEWNET = 0x40000000
ADDRESS = "http://127.0.0.1:8501"


def main(arguments: Sequence[str] | None = None) -> None:
    """Build, run, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.container", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("base", type=Path, help="a clean root, as of debootstrap")
    parser.add_argument("into", type=Path, help="a folder for what is made")
    parser.add_argument("--again", action="store_true", help="what INTO holds is built already")
    parser.add_argument("--postgres", type=Path, nargs=2, metavar=("POSTGRES", "IMAGE"))
    options = parser.parse_args(arguments)
    if os.geteuid() != 0 or sys.platform != "linux":
        parser.error("needs root on Linux")
    into = options.into.resolve()
    studio = build(ROOT, options.base.resolve(), into / "studio", is_built=options.again)
    if options.postgres:
        base, image = (path.resolve() for path in options.postgres)
        place = into / "postgres"
        is_built = options.again and place.is_dir()
        postgres = build(image, base, place, is_built=is_built, without=DOWNLOADS)
    leave_network()
    remove_volumes(into / "volumes")
    if options.postgres:
        prove_postgres(studio, postgres, into / "volumes")
    else:
        prove_demo(studio, into / "volumes")


def leave_network() -> None:
    """Go on in a network of its own: no port is taken there, and nobody else is reached."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "cannot have a network of its own")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def prove_demo(root: Root, volumes: Path) -> None:
    """Follow `docker compose up` until the demo's run has finished."""
    with Container(root, services({})["studio"], volumes) as studio:
        studio.wait_until_healthy()
        studio.demand(["sh", "-ec", PROBE])
        watch_demo(volumes / "workspace/demo", studio.began)


def watch_demo(location: Path, began: float) -> None:
    """Wait for the run of the demo that the studio makes by itself, and tell of its iterations."""
    seen = -1
    while time.monotonic() - began < TIMEOUT_S:
        time.sleep(1)
        if not (location / "pul.db").is_file():
            continue
        with Workspace.open(location) as workspace:
            runs = workspace.runs()
            iterations = workspace.iterations(runs[0].run_id) if runs else []
        if len(iterations) - 1 > seen:
            seen = len(iterations) - 1
            metrics = iterations[-1].metrics
            figure = f"mAP {metrics.mean_ap:.1%}" if metrics else "no figures"
            print(f"iteration {seen} after {time.monotonic() - began:.1f} s: {figure}", flush=True)
        if runs and runs[0].status in ("finished", "failed", "stopped"):
            print(f"the demo's run {runs[0].status} after {time.monotonic() - began:.1f} s")
            if runs[0].status == "finished":
                return
            break
    raise SystemExit("The demo's run did not finish.")


def prove_postgres(studio_root: Root, postgres_root: Root, volumes: Path) -> None:
    """Follow `docker compose --profile postgres up`: without a password, with one, and again."""
    people = draw_people(volumes / "people")
    with Container(postgres_root, services({})["postgres"], volumes) as postgres:
        if postgres.wait_for_end() == 0:
            raise SystemExit("PostgreSQL started without a password.")
    given = exported() | {"POSTGRES_PASSWORD": secrets.token_hex(), "PUL_IMAGES": str(people)}
    asked = services(given)
    for is_new in (True, False):
        with Container(postgres_root, asked["postgres"], volumes) as postgres:
            postgres.wait_until_healthy()
            print(postgres.demand(["postgres", "--version"]), flush=True)
            with Container(studio_root, asked["studio"], volumes) as studio:
                studio.wait_until_healthy()
                if is_new:
                    make_workspace()
                    fill_workspace(studio)
                see_workspace(postgres)


@contextmanager
def first_page() -> Iterator[Page]:
    """Open the studio in the system's Chromium."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        page.goto(ADDRESS)
        yield page
        browser.close()


def make_workspace() -> None:
    """Press the button that makes the workspace which the studio was started on."""
    with first_page() as page:
        page.get_by_role("button", name="Create it").click(timeout=TIMEOUT_MS)
        expect(page.get_by_text("Add images").first).to_be_visible(timeout=TIMEOUT_MS)
    print("the workspace was made on the first page", flush=True)


def fill_workspace(studio: Container) -> None:
    """Import the images of the mounted folder and let a worker run on them."""
    place = studio.root.environment["PUL_WORKSPACE"]
    program = ["python", "-m", "pul"]
    said = studio.demand([*program, "import", "/images", "--workspace", place])
    print(said.splitlines()[-1], flush=True)
    model = f"/studio/{START_MODEL.relative_to(ROOT)}"
    few = ["--k", "8", "--iterations", "1", "--epochs", "1", "--device", "cpu", "--threads", "1"]
    run = ["run", "--workspace", place, "--model", model, "--preset", "quick", *few, "--detach"]
    studio.demand([*program, *run])
    ask = [*program, "status", "--workspace", place, "--json"]
    while (job := json.loads(studio.demand(ask))["jobs"][-1])["status"] != "finished":
        if job["status"] not in ("queued", "running"):
            raise SystemExit(f"The run {job['status']}: {job['error']}")
        time.sleep(2)
    print("the run finished", flush=True)


def see_workspace(postgres: Container) -> None:
    """See that its rows are in PostgreSQL, and that the screen shows them and the pictures."""
    said = postgres.service["environment"]
    login = ["-U", said["POSTGRES_USER"], "-d", said["POSTGRES_DB"]]
    query = "SELECT (SELECT count(*) FROM images), (SELECT count(*) FROM iterations)"
    n_images, n_iterations = postgres.demand(["psql", *login, "-tAc", query]).split("|")
    print(f"in PostgreSQL: {n_images} images, {n_iterations} iterations", flush=True)
    with first_page() as page:
        header = page.locator(".pul-header")
        expect(header).to_contain_text(f"{n_images} images", timeout=TIMEOUT_MS)
        expect(page.locator(".pul-strip img").first).to_be_visible(timeout=TIMEOUT_MS)
        print(f"on the screen: {header.inner_text()!r}", flush=True)


if __name__ == "__main__":
    main()
