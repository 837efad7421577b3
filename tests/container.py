"""Follow the Dockerfile without Docker: its steps in a clean root, then the container they give.

    debootstrap --variant=minbase --include=python3-venv,python-is-python3 trixie BASE
    python -m tests.container BASE INTO [--again] [--env NAME=VALUE] [--port 8501]

BASE stands for the image of Python; INTO is a folder for the stages and the volume. The container
then runs as compose.yaml asks: its user, a read-only root, a tmpfs, one volume, no capabilities, no
new privileges. Its health check must succeed in the time that it has, the demo's run must finish in
the volume, and the user must not be able to write anywhere else. Needs root; Linux only.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pul.store.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
PROBE = "touch /tmp/x /workspace/x && rm /workspace/x && ! touch /studio/x /venv/x /x 2>/dev/null"
UNITS = {"s": 1, "m": 60}


@dataclass
class Stage:
    """A stage of a Dockerfile: its name and its instructions, each a verb and what follows it."""

    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)


def parse(dockerfile: str) -> list[Stage]:
    """Read the stages of a Dockerfile; what stands before the first is left out."""
    stages: list[Stage] = []
    lines = [line for line in dockerfile.splitlines() if line and not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        verb, rest = line.split(maxsplit=1)
        if verb == "FROM":
            _, _, name = rest.partition(" AS ")
            stages.append(Stage(name or "last"))
        elif stages:
            stages[-1].instructions.append((verb, rest))
    return stages


class Root:
    """A stage's file system, and what its instructions said of how to run in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
        self.user, self.folder, self.volume = "root", "/", ""
        self.command: list[str] = []
        self.health: list[str] = []
        self.patience_s = 0.0

    def follow(self, stage: Stage, others: dict[str, "Root"], *, is_built: bool) -> None:
        """Do what a stage says, as Docker would; where it is built, only see how to run in it."""
        for verb, rest in stage.instructions:
            if is_built and verb in ("RUN", "COPY"):
                continue
            print(f"{stage.name}: {verb} {rest}", flush=True)
            if verb == "ENV":
                for pair in shlex.split(rest):
                    name, value = pair.split("=", 1)
                    self.environment[name] = value.replace("$PATH", self.environment["PATH"])
            elif verb == "RUN":
                self.enter(["sh", "-ec", rest])
            elif verb == "COPY":
                self._copy(shlex.split(rest), others)
            elif verb == "WORKDIR":
                self.folder = rest
            elif verb == "USER":
                self.user = rest
            elif verb == "VOLUME":
                self.volume = rest
            elif verb == "CMD":
                self.command = json.loads(rest)
            elif verb == "HEALTHCHECK":
                options, _, command = rest.partition("CMD ")
                self.health = json.loads(command)
                self.patience_s = _patience_s(dict(re.findall(r"--([\w-]+)=(\w+)", options)))
            elif verb not in ("ARG", "EXPOSE"):
                raise SystemExit(f"Do not know the instruction {verb}; teach me.")

    def _copy(self, words: list[str], others: dict[str, "Root"]) -> None:
        is_ours = not words[0].startswith("--from=")
        origin = ROOT if is_ours else others[words.pop(0).removeprefix("--from=")].path
        source, target = origin / words[0].lstrip("/"), self.path / words[1].lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc") if is_ours else None
            shutil.copytree(source, target, symlinks=True, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)

    def enter(self, command: Sequence[str]) -> None:
        """Run a command of the image's making in it, as root."""
        subprocess.run(self._inside(command, mounts="", wrapper=[]), check=True)

    def contained(self, command: Sequence[str], volume: Path) -> list[str]:
        """Return the call that runs a command as compose.yaml runs the container."""
        here = shlex.quote(str(self.path))
        mounts = (
            f"mount --bind {here} {here}; mount -o remount,ro,bind {here}; "
            f"mount -t tmpfs tmpfs {here}/tmp; "
            f"mount --bind {shlex.quote(str(volume))} {here}{self.volume}; "
        )
        few = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--clear-groups"]
        wrapper = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", *few]
        return self._inside(command, mounts, wrapper)

    def _inside(self, command: Sequence[str], mounts: str, wrapper: list[str]) -> list[str]:
        here = shlex.quote(str(self.path))
        pairs = [f"{name}={value}" for name, value in self.environment.items()]
        within = shlex.join(["env", "-C", self.folder, *wrapper, *command])
        script = (
            f"{mounts}mount -t proc proc {here}/proc; mount --rbind /dev {here}/dev; "
            f"mount --rbind /sys {here}/sys; "
            f"exec env -i {shlex.join(pairs)} chroot {here} {within}"
        )
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", script]


def _patience_s(options: dict[str, str]) -> float:
    """Return the seconds after which Docker calls a container with that health check unhealthy."""
    seconds = {
        name: float(text[:-1]) * UNITS[text[-1]]
        for name, text in options.items()
        if name != "retries"
    }
    return seconds["start-period"] + int(options["retries"]) * seconds["interval"]


def build(base: Path, into: Path, *, is_built: bool = False) -> Root:
    """Follow the Dockerfile's steps from copies of a clean root; return the last stage."""
    made: dict[str, Root] = {}
    for stage in parse((ROOT / "Dockerfile").read_text(encoding="utf-8")):
        path = into / stage.name
        if not is_built:
            subprocess.run(["cp", "-a", "--reflink=auto", str(base), str(path)], check=True)
        made[stage.name] = Root(path)
        made[stage.name].follow(stage, made, is_built=is_built)
    return made["last"]


def run(root: Root, volume: Path, port: int, patience_s: float, workspace: str) -> None:
    """Run the container until the demo's run has finished; raise where anything is amiss."""
    subprocess.run(root.contained(["sh", "-ec", PROBE], volume), check=True)
    root.command[root.command.index("--port") + 1] = str(port)
    health = [word.replace(":8501", f":{port}") for word in root.health]
    began = time.monotonic()
    command = root.contained(root.command, volume)
    with subprocess.Popen(command, start_new_session=True) as container:
        try:
            while subprocess.run(root.contained(health, volume), capture_output=True).returncode:
                if container.poll() is not None or time.monotonic() - began > root.patience_s:
                    raise SystemExit("The container did not become healthy.")
                time.sleep(1)
            print(f"healthy after {time.monotonic() - began:.1f} s", flush=True)
            if not workspace:
                _watch_demo(volume / "demo", began, patience_s)
        finally:
            _stop(container)


def _stop(container: subprocess.Popen[bytes]) -> None:
    """Ask the studio to end, as `docker stop` does, and end it after ten seconds."""
    os.killpg(container.pid, signal.SIGTERM)  # unshare itself does not heed it
    try:
        container.wait(timeout=10)
        print("stopped when it was asked to", flush=True)
    except subprocess.TimeoutExpired:
        os.killpg(container.pid, signal.SIGKILL)
        print("killed: it did not stop within 10 s", flush=True)


def _watch_demo(location: Path, began: float, patience_s: float) -> None:
    """Wait for the run of the demo that the studio makes by itself, and tell of its iterations."""
    seen = -1
    while time.monotonic() - began < patience_s:
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Build, run, tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base", type=Path, help="a clean root, as of debootstrap")
    parser.add_argument("into", type=Path, help="a folder that is not there yet")
    parser.add_argument("--again", action="store_true", help="what INTO holds is built already")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument("--patience", type=float, default=900, help="seconds for the demo's run")
    options = parser.parse_args(arguments)
    if os.geteuid() != 0 or sys.platform != "linux":
        parser.error("needs root on Linux")
    options.into.mkdir(parents=True, exist_ok=options.again)
    root = build(options.base.resolve(), options.into.resolve(), is_built=options.again)
    given = dict(pair.split("=", 1) for pair in options.env)
    root.environment |= given
    volume = options.into.resolve() / "volume"
    shutil.rmtree(volume, ignore_errors=True)
    shutil.copytree(root.path / root.volume.lstrip("/"), volume)  # as Docker fills a new volume
    owner = (root.path / root.volume.lstrip("/")).stat()
    os.chown(volume, owner.st_uid, owner.st_gid)
    run(root, volume, options.port, options.patience, given.get("PUL_WORKSPACE", ""))


if __name__ == "__main__":
    main()
