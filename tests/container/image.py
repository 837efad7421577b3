"""A Dockerfile followed without Docker: its steps in copies of a clean root."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
UNITS = {"s": 1.0, "m": 60.0}


@dataclass
class Stage:
    """A stage of a Dockerfile: its name and its instructions, each a verb and what follows it."""

    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Health:
    """The command that tells whether a container is well, and how it is asked."""

    command: list[str]
    interval_s: float
    timeout_s: float
    retries: int
    start_s: float = 0.0

    @property
    def patience_s(self) -> float:
        """Seconds after which Docker calls a container unhealthy."""
        return self.start_s + self.retries * self.interval_s


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
        self.environment = {"PATH": PATH}
        self.user, self.folder, self.stop_signal = "root", "/", "SIGTERM"
        self.entry: list[str] = []
        self.command: list[str] = []
        self.volumes: list[str] = []
        self.health: Health | None = None

    def follow(self, verb: str, rest: str, context: Path, others: dict[str, "Root"]) -> None:
        """Do what an instruction says, as Docker would."""
        if verb == "ENV":
            self._set(rest)
        elif verb == "RUN":
            self._run(["sh", "-ec", rest])
        elif verb == "COPY":
            self._copy(shlex.split(rest), context, others)
        elif verb == "WORKDIR":
            self.folder = rest
        elif verb == "USER":
            self.user = rest
        elif verb == "VOLUME":
            self.volumes.append(rest)
        elif verb == "ENTRYPOINT":
            self.entry = json.loads(rest)
        elif verb == "CMD":
            self.command = json.loads(rest)
        elif verb == "STOPSIGNAL":
            self.stop_signal = rest
        elif verb == "HEALTHCHECK":
            self.health = _read_health(rest)
        elif verb not in ("ARG", "EXPOSE"):
            raise SystemExit(f"Do not know the instruction {verb}; teach me.")

    def _set(self, rest: str) -> None:
        words = shlex.split(rest)
        pairs = [word.split("=", 1) for word in words] if "=" in words[0] else [words]  # old form
        for name, value in pairs:
            self.environment[name] = Template(value).safe_substitute(self.environment)

    def _copy(self, words: list[str], context: Path, others: dict[str, "Root"]) -> None:
        is_ours = not words[0].startswith("--from=")
        origin = context if is_ours else others[words.pop(0).removeprefix("--from=")].path
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc") if is_ours else None
        *names, last = words
        target = self.path / last.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        for source in (origin / name.lstrip("/") for name in names):
            if source.is_dir():
                shutil.copytree(source, target, symlinks=True, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copy(source, target)

    def _run(self, command: Sequence[str]) -> None:
        """Run a command of the image's making, as root."""
        script = f"{mounted_systems(self.path)}{self.inside(command)}"
        subprocess.run([*NAMESPACES, "sh", "-ec", script], check=True)

    def inside(self, command: Sequence[str]) -> str:
        """Return the line of a shell that turns into a command in this root."""
        pairs = [f"{name}={value}" for name, value in self.environment.items()]
        within = shlex.join(["env", "-C", self.folder, *command])
        return f"exec env -i {shlex.join(pairs)} chroot {shlex.quote(str(self.path))} {within}"


NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]


def mounted_systems(root: Path) -> str:
    """Return the lines of a shell that give a root the processes, devices and system."""
    here = shlex.quote(str(root))
    return (
        f"mount -t proc proc {here}/proc; mount --rbind /dev {here}/dev; "
        f"mount --rbind /sys {here}/sys; "
    )


def _read_health(rest: str) -> Health:
    options, _, command = rest.partition("CMD ")
    said = dict(re.findall(r"--([\w-]+)=(\w+)", options))
    return Health(
        command=json.loads(command),
        interval_s=seconds(said["interval"]),
        timeout_s=seconds(said["timeout"]),
        retries=int(said["retries"]),
        start_s=seconds(said.get("start-period", "0s")),
    )


def seconds(text: str) -> float:
    """Return a span such as 10s or 1m in seconds."""
    return float(text[:-1]) * UNITS[text[-1]]


def build(
    context: Path, base: Path, into: Path, *, is_built: bool = False, without: str = r"(?!)"
) -> Root:
    """Follow a Dockerfile's steps from copies of a clean root; return the last stage.

    Args:
        context: The folder of the Dockerfile.
        base: The clean root.
        into: The folder for the stages.
        is_built: The stages are there; only see how to run in the last.
        without: Steps to leave out, as the clean root has what they bring.
    """
    made: dict[str, Root] = {}
    for stage in parse((context / "Dockerfile").read_text(encoding="utf-8")):
        root = made[stage.name] = Root(into / stage.name)
        if not is_built:
            into.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-a", "--reflink=auto", str(base), str(root.path)], check=True)
        for verb, rest in stage.instructions:
            if verb == "RUN" and re.search(without, rest):
                print(f"{stage.name}: not followed: {' '.join(rest.split())[:60]} ...", flush=True)
            elif not (is_built and verb in ("RUN", "COPY")):
                print(f"{stage.name}: {verb} {' '.join(rest.split())}", flush=True)
                root.follow(verb, rest, context, made)
    return made["last"]
