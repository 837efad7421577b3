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

_START_S = 30.0


class PostgresServer:
    """A running server.

    Attributes:
        url: Its database.
    """

    def __init__(self, socket: Path) -> None:
        self.url = f"postgresql://postgres@/postgres?host={socket}"

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
    user = "nobody" if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
    data = folder / "data"
    options = ["--pgdata", data, "--username", "postgres", "--auth", "trust", "--no-sync"]
    subprocess.run(
        [binaries / "initdb", *options], user=user, cwd=folder, check=True, capture_output=True
    )
    settings = [
        "-c",
        "listen_addresses=",
        "-c",
        f"unix_socket_directories={folder}",
        "-c",
        "fsync=off",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", data, *settings],
            user=user,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        server = PostgresServer(folder)
        _wait(server, process, folder / "log")
        yield server
    finally:
        process.send_signal(signal.SIGQUIT)  # at once: nothing there is worth keeping
        process.wait()
        shutil.rmtree(folder)


def _wait(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while not server.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}")
        time.sleep(0.05)
