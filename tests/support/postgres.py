"""A PostgreSQL of the tests' own: a cluster in a temporary folder, reached over a socket there."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from ecl.server.db.engine import Database
from ecl.server.db.migrate import is_migrated
from ecl.server.db.tables import metadata

__all__ = ["Postgres", "postgres", "running_postgres"]

#: Nothing that it holds outlives the tests, so it may forget all when the machine stops.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "max_connections": "300",
    "autovacuum": "off",
}
#: Where tests kill it: what it has acknowledged is written, though not flushed to the disk.
_WRITTEN = {"synchronous_commit": "on"}
#: It runs until standard input ends, so also when the tests are killed, and leaves nothing behind.
_SCRIPT = """
trap 'pg_ctl -D "$1/data" -m immediate -w stop; cd /; rm -rf "$1"' EXIT
initdb -D "$1/data" -U ecl -A trust -E UTF8 --locale=C --no-sync || exit 1
cat "$1/more.conf" >> "$1/data/postgresql.conf"
pg_ctl -D "$1/data" -l "$1/log" -w start || exit 1
echo ready
cat
"""
#: Users that it runs as where we are root, which it refuses to run as.
_NOT_ROOT = ("postgres", "nobody")


class Postgres:
    """
    A running cluster, for as many databases as there are services.

    Args:
        programs: The folder with initdb and the others.
        keeps_commits: True if what it has acknowledged survives a `kill`, which costs time.
    """

    def __init__(self, programs: Path, *, keeps_commits: bool = False) -> None:
        user = _user()
        self._folder = Path(tempfile.mkdtemp(prefix="ecl-pg-"))
        settings = {**_SETTINGS, **(_WRITTEN if keeps_commits else {}), "unix_socket_directories": str(self._folder)}
        lines = [f"{name} = '{value}'" for name, value in settings.items()]
        more = self._folder / "more.conf"
        more.write_text("\n".join(lines), encoding="ascii")
        if user is not None:
            for path in (more, self._folder):
                os.chown(path, user.pw_uid, user.pw_gid)
        self._as_user: dict[str, Any] = {
            "env": {"PATH": f"{programs}:/usr/bin:/bin", "LC_ALL": "C"},
            **({} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}),
        }
        self._script = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "postgres", self._folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            # Ctrl-C is for us: we end it.
            start_new_session=True,
            **self._as_user,
        )
        self._numbers = count(1)
        self._urls: dict[Path, str] = {}
        said = []
        assert self._script.stdout is not None
        for line in self._script.stdout:
            if line == "ready\n":
                break
            said.append(line)
        else:
            self.stop()
            pytest.fail(f"PostgreSQL did not start:\n{''.join(said)}", pytrace=False)

    def stop(self) -> None:
        """End it and remove all that it had."""
        assert self._script.stdin is not None
        assert self._script.stdout is not None
        self._script.stdin.close()
        self._script.stdout.read()
        self._script.stdout.close()
        self._script.wait()

    def kill(self) -> None:
        """Kill all its processes at once, as the kernel does when memory runs out; clients see connections break."""
        self._signal(signal.SIGKILL)

    def start_again(self) -> None:
        """Start it after `kill`, and return when it takes connections."""
        # Its process may still be there as a zombie, for which a new one would not start.
        for lock in (self._folder / "data" / "postmaster.pid", *self._folder.glob(".s.PGSQL.*")):
            lock.unlink()
        command = ["pg_ctl", "-D", str(self._folder / "data"), "-l", str(self._folder / "log"), "-w", "start"]
        done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, cwd="/", **self._as_user)
        assert done.returncode == 0, (self._folder / "log").read_text()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop all its processes (SIGSTOP) until the block ends."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        main = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for process in (main, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def url(self, name: str) -> str:
        """Return the URL of the database *name*."""
        return f"postgresql://ecl@/{name}?host={self._folder}"

    def create(self, **options: str) -> str:
        """Create an empty database (``encoding="LATIN1"``) and return its URL."""
        name = f"ecl{next(self._numbers)}"
        words = " ".join(f"{option} = {value}" for option, value in options.items())
        self.execute(f"CREATE DATABASE {name} {words}")
        return self.url(name)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement outside of any transaction."""
        import psycopg

        with psycopg.connect(f"host={self._folder} user=ecl dbname={database}", autocommit=True) as connection:
            connection.execute(statement.encode())

    def end_sessions(self, database: str) -> None:
        """End every session of a database, and return when they have ended."""
        self.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'")

    def url_of(self, folder: Path) -> str:
        """Return the database that belongs to a service's folder, the same one as long as there is the folder."""
        if folder not in self._urls:
            # Emptying one that nobody needs any more takes a tenth of the time that making one takes.
            unused = next((other for other in self._urls if not other.exists()), None)
            self._urls[folder] = self._prepared() if unused is None else self._emptied(self._urls.pop(unused))
        return self._urls[folder]

    def _prepared(self) -> str:
        url = self.create()
        with closing(Database(url)) as database:
            database.prepare()
        return url

    def _emptied(self, url: str) -> str:
        with closing(Database(url)) as database:
            self.end_sessions(database.name)
            with database.write() as connection:
                if not is_migrated(connection) or not set(metadata.tables) <= set(
                    inspect(connection).get_table_names()
                ):
                    # Its test took a table away, or made it one of an older release.
                    return self._prepared()
                for table in reversed(metadata.sorted_tables):
                    connection.execute(table.delete())
        return url


def _user() -> pwd.struct_passwd | None:
    """Return whom it runs as; None: us."""
    if os.geteuid() != 0:
        return None
    for name in _NOT_ROOT:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _programs() -> Path | None:
    """Return the folder of its programs, the newest that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    program = found[-1] if found else shutil.which("initdb")
    return None if program is None else Path(program).resolve().parent


@contextmanager
def running_postgres(*, keeps_commits: bool = False) -> Iterator[Postgres]:
    """
    Run a cluster of its own, for a test that ends it; the test skips where it is not installed.

    Args:
        keeps_commits: True if what it has acknowledged survives a `kill`.
    """
    programs = _programs()
    if programs is None:
        pytest.skip("the package postgresql is not installed (scripts/test-inputs)")
    running = Postgres(programs, keeps_commits=keeps_commits)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL; the test skips where it is not installed."""
    with running_postgres() as running:
        yield running
