"""A service of the compose file, run in a root as Docker would run it in its image."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import yaml

from tests.container.image import NAMESPACES, Health, Root, mounted_systems, seconds

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "compose.yaml"
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")
# What Docker leaves to root in a container unless it is told otherwise.
USUAL = (
    "chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,"
    "sys_chroot,mknod,audit_write,setfcap"
)


def services(environment: Mapping[str, str]) -> dict[str, Any]:
    """Read the services of compose.yaml, its variables filled in."""
    text = COMPOSE.read_text(encoding="utf-8")
    filled = VARIABLE.sub(lambda found: environment.get(found[1]) or found[2], text)
    read: dict[str, Any] = yaml.safe_load(filled)["services"]
    return read


def exported() -> dict[str, str]:
    """Return the variables that the comment of compose.yaml tells its user to export."""
    lines = re.findall(r"^#\s+export (.+)$", COMPOSE.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(word.split("=", 1) for line in lines for word in shlex.split(line))


def health_of(service: Mapping[str, Any], root: Root) -> Health:
    """Return the health check of a service: its own, or that of its image."""
    said = service.get("healthcheck")
    if said is None:
        assert root.health is not None
        return root.health
    return Health(
        command=said["test"][1:],  # after CMD
        interval_s=seconds(said["interval"]),
        timeout_s=seconds(said["timeout"]),
        retries=said["retries"],
        start_s=seconds(said.get("start_period", "0s")),
    )


class Container:
    """A service that runs: `with` starts it and stops it as `docker stop` does.

    All containers share this process's network, and find each other by the names of the services.
    """

    def __init__(self, root: Root, service: Mapping[str, Any], volumes: Path) -> None:
        self.root, self.service = root, service
        self.health = health_of(service, root)
        for name, value in service["environment"].items():
            root.environment[name] = str(value or "")
        self._mounts = [self._place(text.split(":"), volumes) for text in service["volumes"]]
        for folder in service["tmpfs"]:
            (root.path / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        self._hosts = volumes / "hosts"
        self._hosts.write_text(f"127.0.0.1 localhost {' '.join(services({}))}\n", encoding="utf-8")
        (root.path / "etc/hosts").touch()

    def _place(self, words: list[str], volumes: Path) -> tuple[Path, str, bool]:
        """Return what is mounted, where, and whether it may only be read."""
        source, target, *options = words
        inside = self.root.path / target.lstrip("/")
        inside.mkdir(parents=True, exist_ok=True)
        is_named = source[0] not in "./"
        path = volumes / source if is_named else (ROOT / source).resolve()
        if is_named and not path.exists():
            subprocess.run(["cp", "-a", str(inside), str(path)], check=True)  # filled as by Docker
        return path, target, "ro" in options

    def __enter__(self) -> Self:
        self.began = time.monotonic()
        script = f"{self._mounted()}{self._limited([*self.root.entry, *self.root.command])}"
        self._process = subprocess.Popen([*NAMESPACES, "sh", "-ec", script], start_new_session=True)
        while not (found := psutil.Process(self._process.pid).children()):
            if self._process.poll() is not None:
                raise SystemExit("The container did not start.")
            time.sleep(0.01)
        self._first = found[0]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ask its first process to end, as `docker stop` does, and end it after ten seconds."""
        name, began = self.root.path.parent.name, time.monotonic()
        if self._first.is_running():
            self._first.send_signal(signal.Signals[self.root.stop_signal])
        try:
            self._process.wait(timeout=10)
            print(f"{name} stopped {time.monotonic() - began:.1f} s after it was asked", flush=True)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if kind is None:
                raise SystemExit(f"{name} did not stop within 10 s.") from None

    def execute(
        self, command: Sequence[str], timeout_s: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as `docker compose exec` does."""
        enter = ["nsenter", f"--target={self._first.pid}", "--mount", "--pid"]
        return subprocess.run(
            [*enter, "sh", "-ec", self._limited(command)],
            text=True,
            capture_output=True,
            timeout=timeout_s,
        )

    def demand(self, command: Sequence[str]) -> str:
        """Run a command in it that must succeed; return what it printed."""
        ended = self.execute(command)
        if ended.returncode:
            raise SystemExit(f"{shlex.join(command)}: {ended.stdout}{ended.stderr}")
        return ended.stdout.strip()

    def wait_for_end(self) -> int:
        """Wait until it ends by itself; return its exit status."""
        return self._process.wait(timeout=self.health.patience_s)

    def wait_until_healthy(self) -> None:
        """Ask its health check until it succeeds, for as long as Docker would."""
        while not self._is_healthy():
            is_late = time.monotonic() - self.began > self.health.patience_s
            if is_late or self._process.poll() is not None:
                raise SystemExit("The container did not become healthy.")
            time.sleep(1)
        name = self.root.path.parent.name
        print(f"{name} healthy after {time.monotonic() - self.began:.1f} s", flush=True)

    def _is_healthy(self) -> bool:
        try:
            return self.execute(self.health.command, self.health.timeout_s).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def _limited(self, command: Sequence[str]) -> str:
        """Return the line of a shell that runs a command with the service's few rights."""
        limits = ["--bounding-set=-all" if self._keeps_none() else f"--bounding-set={_only(USUAL)}"]
        if self._keeps_none():
            limits.append("--inh-caps=-all")
        if "no-new-privileges:true" in self.service.get("security_opt", ()):
            limits.append("--no-new-privs")
        user = self.root.user
        if user != "root":
            limits += [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        return self.root.inside(["setpriv", *limits, *command])

    def _keeps_none(self) -> bool:
        return bool(self.service.get("cap_drop") == ["ALL"])

    def _mounted(self) -> str:
        """Return the lines of a shell that mount what the service asks for over its root."""
        root = self.root.path
        lines = [f"mount --bind {_quoted(root)} {_quoted(root)}"]
        if self.service.get("read_only"):
            lines.append(f"mount -o remount,ro,bind {_quoted(root)}")
        mounts = [(self._hosts, "/etc/hosts", True), *self._mounts]
        for folder in self.service["tmpfs"]:
            options = "noexec,nosuid,nodev,mode=1777"  # as Docker does
            lines.append(f"mount -t tmpfs -o {options} tmpfs {_quoted(root)}{_quoted(folder)}")
        for source, target, is_fixed in mounts:
            place = f"{_quoted(root)}{_quoted(target)}"
            lines.append(f"mount --bind {_quoted(source)} {place}")
            if is_fixed:
                lines.append(f"mount -o remount,ro,bind {place}")
        return "; ".join([*lines, mounted_systems(root)])


def remove_volumes(volumes: Path) -> None:
    """Begin with no volumes, as on a machine that never ran the services."""
    shutil.rmtree(volumes, ignore_errors=True)
    volumes.mkdir(parents=True)


def _quoted(path: Path | str) -> str:
    return shlex.quote(str(path))


def _only(capabilities: str) -> str:
    return ",".join(["-all", *(f"+{name}" for name in capabilities.split(","))])
