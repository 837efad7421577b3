"""A real PostgreSQL server for tests, on a socket of its own, gone afterwards."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

_START_S = 30.0


class PostgresServer:
    """A running server.

    Attributes:
        url: Its database.
    """

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        self._folder, self._binaries = folder, binaries
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        settings = ("listen_addresses=", f"unix_socket_directories={self._folder}", "fsync=off")
        options = [word for setting in settings for word in ("-c", setting)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._folder / "data", *options],
                user=_user(),
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _START_S
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"It did not start: {(self._folder / 'log').read_text()}")
            time.sleep(0.05)

    def stop(self, how: Literal["fast", "immediate"]) -> None:
        """Stop the server: `fast` ends sessions in order, `immediate` is a crash."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT if how == "fast" else signal.SIGQUIT)
            self._process.wait()
        self._process = None

    def restart(self, how: Literal["fast", "immediate"], *, down_s: float) -> None:
        """Stop the server, and start it again after some seconds."""
        self.stop(how)
        time.sleep(down_s)
        self.start()

    def empty_database(self) -> str:
        """Return the URL of the database, emptied: much faster than a new one for each test."""
        import psycopg

        others = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(others)
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.url

    def is_ready(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def running_server(binaries: Path) -> Iterator[PostgresServer]:
    """Start a server from a folder of PostgreSQL's programs; as root it runs as `nobody`."""
    folder = Path(tempfile.mkdtemp(prefix="pul-postgres-"))
    if (user := _user()) is not None:
        shutil.chown(folder, user)
    data = folder / "data"
    options = ["--pgdata", data, "--username", "postgres", "--auth", "trust", "--no-sync"]
    subprocess.run(
        [binaries / "initdb", *options], user=user, cwd=folder, check=True, capture_output=True
    )
    server = PostgresServer(folder, binaries)
    try:
        server.start()
        yield server
    finally:
        server.stop("immediate")  # nothing there is worth keeping
        shutil.rmtree(folder)


def _user() -> str | None:
    return "nobody" if os.geteuid() == 0 else None
