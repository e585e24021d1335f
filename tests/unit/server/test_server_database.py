"""The database: its migrations make what the tables say, and its transactions are what they promise."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from ecl.server.db.engine import Database
from ecl.server.db.migrate import HEAD, DatabaseTooNew, upgrade
from ecl.server.db.schema import metadata


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database in a file."""
    made = Database(f"sqlite:///{tmp_path}/a % b.db")
    yield made
    made.close()


def schema_of(database: Database) -> dict[str, object]:
    """Return everything that can be asked of the schema, in one order."""
    with database.read() as connection:
        look = inspect(connection)
        return {
            table: (
                [(c["name"], str(c["type"]), c["nullable"], c["primary_key"]) for c in look.get_columns(table)],
                sorted(map(str, look.get_indexes(table))),
                sorted(map(str, look.get_foreign_keys(table))),
                sorted(map(str, look.get_unique_constraints(table))),
                str(look.get_pk_constraint(table)),
            )
            for table in sorted(look.get_table_names())
        }


def test_migrations_make_the_same_schema(database: Database, tmp_path: Path) -> None:
    """A database that went through every migration is like a fresh one."""
    with database.write() as connection:
        upgrade(connection)
    fresh = Database(f"sqlite:///{tmp_path}/fresh.db")
    fresh.prepare()

    assert schema_of(database) == schema_of(fresh)
    assert set(schema_of(fresh)) == {*metadata.tables, "alembic_version"}
    fresh.close()


def test_alembic_finds_nothing_to_add(database: Database) -> None:
    """The tables and the migrations agree in Alembic's eyes, too, and HEAD is the newest revision."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with database.write() as connection:
        upgrade(connection)
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD


def test_prepare_is_repeatable_and_needs_no_alembic(tmp_path: Path) -> None:
    """A fresh database and one at the newest schema are ready without loading Alembic."""
    script = (
        "import sys; from ecl.server.db.engine import Database\n"
        f"for _ in range(2): d = Database('sqlite:///{tmp_path}/x.db'); d.prepare(); d.close()\n"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_newer_database_is_left_alone(database: Database) -> None:
    """A schema that this release does not know is refused with a clear error."""
    database.prepare()
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew, match="9999"):
        database.prepare()


def test_an_exception_undoes_the_transaction(database: Database) -> None:
    """What was written before an exception is not there afterwards, table changes included."""

    def fail_half_way() -> None:
        with database.write() as connection:
            connection.execute(text("CREATE TABLE t (n INTEGER)"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    with database.read() as connection:
        assert "t" not in inspect(connection).get_table_names()


def test_writers_wait_for_each_other(database: Database) -> None:
    """Read, compute, write from many threads at once loses no update."""
    with database.write() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
        connection.execute(text("INSERT INTO t VALUES (0)"))

    def add() -> None:
        for _ in range(10):
            with database.write() as connection:
                value = connection.execute(text("SELECT n FROM t")).scalar_one()
                connection.execute(text("UPDATE t SET n = :n"), {"n": value + 1})

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute(text("SELECT n FROM t")).scalar_one() == 80


def test_sqlite_is_set_up_for_durability(database: Database) -> None:
    """Commits survive a power cut, and foreign keys count."""
    with database.read() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
