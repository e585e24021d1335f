"""The database: its migrations make what the tables say, and its transactions are what they promise."""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import column, inspect, select, table, text
from sqlalchemy.engine.interfaces import ReflectedIndex

from ecl.server.db import migrate
from ecl.server.db.database_id import database_id
from ecl.server.db.engine import Database
from ecl.server.db.migrate import HEAD, DatabaseTooNew, upgrade
from ecl.server.db.recount import recount_all
from ecl.server.db.schema import metadata
from ecl.server.db.url import UnusableDatabase, parse_url
from ecl.server.db.usage import usage_of
from ecl.server.domain.quota import Usage
from support.postgres import Postgres

VERSIONS = Path(migrate.__file__).with_name("migrations") / "versions"
OLDER = sorted(path.name[:4] for path in VERSIONS.glob("0*.py"))[:-1]

NewURL = Callable[[], str]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> NewURL:
    """A function that gives the URL of an empty database, of one kind and then of the other."""
    numbers = count()
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path}/a % b {next(numbers)}.db"
    running: Postgres = request.getfixturevalue("postgres")
    return running.create


@pytest.fixture
def new_database(new_url: NewURL) -> Iterator[Callable[[], Database]]:
    """A function that gives an empty database."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Database(new_url())))


@pytest.fixture
def database(new_database: Callable[[], Database]) -> Database:
    """An empty database."""
    return new_database()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """An empty database in a file."""
    with closing(Database(f"sqlite:///{tmp_path}/x.db")) as made:
        yield made


def schema_of(database: Database) -> dict[str, object]:
    """Return everything that can be asked of the schema, in one order."""
    with database.read() as connection:
        look = inspect(connection)
        # SQLAlchemy does not see what an index of an expression has.
        statement = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY sql"
        indexes = connection.execute(text(statement)).all() if database.is_sqlite else []
        return {"indexes of SQLite": indexes} | {
            table: (
                [(c["name"], str(c["type"]), c["nullable"], str(c["default"])) for c in look.get_columns(table)],
                sorted(_index(index) for index in look.get_indexes(table)),
                sorted(map(str, look.get_foreign_keys(table))),
                sorted(map(str, look.get_unique_constraints(table))),
                str(look.get_pk_constraint(table)),
            )
            for table in sorted(look.get_table_names())
        }


def _index(index: ReflectedIndex) -> str:
    # The condition of a partial index is an object.
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return str({**index, "dialect_options": options})


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.parametrize("revision", OLDER)
def test_migrations_make_the_same_schema(new_database: Callable[[], Database], revision: str) -> None:
    """A database of any earlier release becomes like a fresh one, and what is in it stays."""
    old, fresh = new_database(), new_database()
    with old.write() as connection:
        upgrade(connection, revision)
        columns = "id, name, region, enabled, created_at"
        connection.execute(text(f"INSERT INTO projects ({columns}) VALUES ('an-id', 'a project', 'jp1', true, 1)"))
    old.prepare()
    fresh.prepare()

    assert schema_of(old) == schema_of(fresh)
    assert set(schema_of(fresh)) == {*metadata.tables, "alembic_version", "indexes of SQLite"}
    with old.read() as connection:
        assert connection.execute(text("SELECT name FROM projects")).scalar_one() == "a project"


def test_a_migration_counts_what_projects_use(new_database: Callable[[], Database]) -> None:
    """The sums of a database from before they were kept are those of its images."""
    old = new_database()
    with old.write() as connection:
        upgrade(connection, "0008")
        for number, (owner, status, size) in enumerate(
            [
                ("a", "active", 10),
                ("a", "active", 5),
                ("a", "uploading", 7),
                ("a", "deleted", 3),
                (None, "queued", None),
            ]
        ):
            values = {"id": f"image-{number}", "owner": owner, "status": status, "size": size}
            connection.execute(_OLD_IMAGE, values)
            if status == "active":
                for store in ("one", "two"):
                    connection.execute(_OLD_LOCATION, {"id": values["id"], "store": store})
    old.prepare()

    with old.read() as connection:
        assert usage_of(connection, "jp1", "a") == Usage(30, 7, 3, 1)
    assert recount_all(old, "jp1") == []


_OLD_IMAGE = text(
    "INSERT INTO images (region, id, owner, status, size, visibility, min_disk, min_ram, protected, os_hidden, "
    "created_at, updated_at) VALUES ('jp1', :id, :owner, :status, :size, 'shared', 0, 0, false, false, 1, 1)"
)
_OLD_LOCATION = text("INSERT INTO image_locations (region, image_id, store, created_at) VALUES ('jp1', :id, :store, 1)")


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_alembic_finds_nothing_to_add(database: Database) -> None:
    """The tables and the migrations agree in Alembic's eyes, too, and HEAD is the newest revision."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with database.write() as connection:
        upgrade(connection)
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD


def test_prepare_is_repeatable_and_needs_no_alembic(new_url: NewURL) -> None:
    """A fresh database and one at the newest schema are ready without loading Alembic."""
    script = (
        "import sys; from ecl.server.db.engine import Database\n"
        f"for _ in range(2): d = Database({new_url()!r}); d.prepare(); d.close()\n"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_database_has_one_identity(new_database: Callable[[], Database]) -> None:
    """A database gets its UUID once, at its first preparation or its migration, and no two have the same."""
    old, fresh = new_database(), new_database()
    with old.write() as connection:
        upgrade(connection, "0003")
    identities: list[str] = []
    for database in (old, fresh) * 2:
        database.prepare()
        with database.read() as connection:
            identities.append(database_id(connection))

    assert identities[:2] == identities[2:]
    assert len({uuid.UUID(identity) for identity in identities}) == 2


def test_only_one_makes_the_tables(database: Database) -> None:
    """Of several that prepare an empty database at once, none fails."""
    failed: list[BaseException] = []

    def prepare() -> None:
        try:
            database.prepare()
        except Exception as exc:
            failed.append(exc)

    _at_once([prepare] * 4)
    assert failed == []


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
    """Read for a change, compute, write from many threads at once loses no update."""
    with database.write() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
        connection.execute(text("INSERT INTO t VALUES (0)"))

    def add() -> None:
        for _ in range(10):
            with database.write() as connection:
                value = connection.execute(select(column("n")).select_from(table("t")).with_for_update()).scalar_one()
                connection.execute(text("UPDATE t SET n = :n"), {"n": value + 1})

    _at_once([add] * 8)
    with database.read() as connection:
        assert connection.execute(text("SELECT n FROM t")).scalar_one() == 80


def test_a_reader_sees_one_state(database: Database) -> None:
    """What is committed while somebody reads is not seen before the next reading."""
    with database.write() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    with database.read() as connection:
        before = connection.execute(text("SELECT COUNT(*) FROM t")).scalar_one()
        with database.write() as other:
            other.execute(text("INSERT INTO t VALUES (1)"))
        after = connection.execute(text("SELECT COUNT(*) FROM t")).scalar_one()
    with database.read() as connection:
        then = connection.execute(text("SELECT COUNT(*) FROM t")).scalar_one()

    assert (before, after, then) == (0, 0, 1)


def test_sqlite_is_set_up_for_durability(sqlite: Database) -> None:
    """Commits survive a power cut, and foreign keys count."""
    with sqlite.read() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_postgresql_must_be_utf8(postgres: Postgres) -> None:
    """A database in another encoding is refused: it could not hold every name."""
    url = postgres.create(encoding="'SQL_ASCII'", template="template0")
    with closing(Database(url)) as made, pytest.raises(UnusableDatabase, match=r"SQL_ASCII.*ENCODING 'UTF8'"):
        made.prepare()


def test_a_lost_connection_fails_nobody(postgres: Postgres) -> None:
    """After the server has ended every session, the next transactions get new ones."""
    with closing(Database(postgres.create())) as made:
        for _ in range(2):
            with made.read() as connection:
                assert connection.execute(text("SELECT 1")).scalar_one() == 1
            postgres.end_sessions(made.name)
        with made.write() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:////a/b.db", "sqlite"),
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgres://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg"),
    ],
)
def test_urls_that_are_known(url: str, driver: str) -> None:
    """A URL need not name the driver."""
    assert parse_url(url).drivername == driver


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "is not a URL"),
        ("u:s3cret@h/d", "is not a URL"),
        ("postgresql://u:s3cret@h:port/d", "is not a URL"),
        ("postgresql://u:@:s3cret@h/d", "is not a URL"),
        ("postgresql://u:p@s3cret@h/d", "more than one @"),
        ("mysql://u:s3cret@h/d", "begins with mysql"),
        ("postgresql+asyncpg://u:s3cret@h/d", r"begins with postgresql\+asyncpg"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_urls_that_are_refused(url: str, word: str) -> None:
    """A URL that cannot be used is refused with what is wrong about it, and nothing of its password."""
    with pytest.raises(UnusableDatabase, match=word) as refused:
        parse_url(url)
    assert "s3cret" not in str(refused.value)


def test_the_driver_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the driver the error says what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UnusableDatabase, match=r"pip install 'ecl-image\[server,postgres\]'"):
        parse_url("postgresql://u:p@h/d")


def _at_once(calls: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
