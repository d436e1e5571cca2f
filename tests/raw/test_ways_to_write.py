"""Scripts that know nothing of nonstop reach the database in many ways; all are recorded, and none loses a commit."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from tests.support.fingerprint import fingerprint, rows
from tests.support.forked import Ended, ForkServer
from tests.support.projects import Project
from tests.support.scripts import write_script
from tests.support.snapshots import applied, ledger

MAKE = 'execute(text("CREATE TABLE visits (id INTEGER)"))'
VISIT = 'execute(text("INSERT INTO visits VALUES (1)"))'

# Each makes the table and puts one row into it.
WAYS = {
    "begin": f"""
        with db.engine.begin() as connection:
            connection.{MAKE}
            connection.{VISIT}
        """,
    "connect and commit": f"""
        with db.engine.connect() as connection:
            connection.{MAKE}
            connection.{VISIT}
            connection.commit()
        """,
    "connect and begin": f"""
        with db.engine.connect() as connection:
            with connection.begin():
                connection.{MAKE}
            with connection.begin():
                connection.{VISIT}
        """,
    "a connection that is never closed": f"""
        connection = db.engine.connect()
        connection.{MAKE}
        connection.commit()
        connection.{VISIT}
        connection.commit()
        """,
    "a commit for each statement": f"""
        with db.engine.connect() as connection:
            connection.{MAKE}
            connection.commit()
            connection.{VISIT}
            connection.commit()
        """,
    "a transaction for each statement": f"""
        with db.engine.begin() as connection:
            connection.{MAKE}
        with db.engine.begin() as connection:
            connection.{VISIT}
        """,
    "a savepoint that is given up": f"""
        with db.engine.begin() as connection:
            connection.{MAKE}
            with connection.begin_nested() as savepoint:
                connection.{VISIT}
                savepoint.rollback()
            with connection.begin_nested():
                connection.{VISIT}
        """,
    "a commit, then a look at the catalog": f"""
        with db.engine.connect() as connection:
            connection.{MAKE}
            connection.{VISIT}
            connection.commit()
            assert inspect(db.engine).has_table("visits")
            assert connection.execute(text("SELECT count(*) FROM visits")).scalar() == 1
        """,
    "a look at the catalog in between": f"""
        with db.engine.begin() as connection:
            assert not inspect(db.engine).has_table("visits")
            connection.{MAKE}
            assert inspect(connection).has_table("visits")
            assert not inspect(db.engine).has_table("visits")
            connection.{VISIT}
        """,
    "a commit, then a read that fails": f"""
        with db.engine.connect() as connection:
            connection.{MAKE}
            connection.{VISIT}
            connection.commit()
            try:
                connection.execute(text("SELECT * FROM no_such_table"))
            except Exception:
                pass
        """,
    "a commit, then a write that fails": f"""
        with db.engine.connect() as connection:
            connection.{MAKE}
            connection.{VISIT}
            connection.commit()
            try:
                connection.execute(text("INSERT INTO no_such_table VALUES (1)"))
            except Exception:
                connection.rollback()
        """,
    "a rollback after the commit": f"""
        with db.engine.connect() as connection:
            connection.{MAKE}
            connection.{VISIT}
            connection.commit()
            connection.rollback()
        """,
    "a write after the commit that is rolled back": f"""
        with db.engine.connect() as connection:
            connection.{MAKE}
            connection.{VISIT}
            connection.commit()
            connection.{VISIT}
            connection.rollback()
        """,
    "autocommit by option": f"""
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.{MAKE}
            connection.{VISIT}
        """,
    "autocommit by engine": f"""
        with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.{MAKE}
            connection.{VISIT}
        """,
    "autocommit by an engine of its own": f"""
        engine = create_engine(db.engine.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.{MAKE}
            connection.{VISIT}
        engine.dispose()
        """,
    "a transaction, then autocommit": f"""
        with db.engine.begin() as connection:
            connection.{MAKE}
        with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.{VISIT}
        """,
    "another isolation level": f"""
        with db.engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
            connection.{MAKE}
            connection.{VISIT}
            connection.commit()
        """,
    "an engine without a pool": f"""
        engine = create_engine(db.engine.url, poolclass=NullPool)
        with engine.begin() as connection:
            connection.{MAKE}
        with engine.begin() as connection:
            connection.{VISIT}
        """,
    "an engine with one connection": f"""
        engine = create_engine(db.engine.url, pool_size=1, max_overflow=0)
        with engine.begin() as connection:
            connection.{MAKE}
        with engine.connect() as connection:
            connection.{VISIT}
            connection.commit()
        engine.dispose()
        """,
    "an engine that is disposed of at once": f"""
        engine = create_engine(db.engine.url)
        with engine.begin() as connection:
            connection.{MAKE}
            connection.{VISIT}
        engine.dispose()
        """,
    "two engines": f"""
        other = create_engine(db.engine.url)
        with db.engine.begin() as connection:
            connection.{MAKE}
        with other.begin() as connection:
            connection.{VISIT}
        with db.engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM visits")).scalar() == 1
        """,
    "exec_driver_sql": """
        with db.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE visits (id INTEGER)")
            connection.exec_driver_sql("INSERT INTO visits VALUES (1)")
        """,
    "tables of SQLAlchemy": """
        visits = Table("visits", MetaData(), Column("id", Integer))
        visits.create(db.engine)
        with db.engine.begin() as connection:
            connection.execute(visits.insert(), [{"id": 1}])
        """,
}
SESSIONS = {
    "one commit": f"""
        db.session.{MAKE}
        db.session.{VISIT}
        db.session.commit()
        """,
    "two commits": f"""
        db.session.{MAKE}
        db.session.commit()
        db.session.{VISIT}
        db.session.commit()
        """,
    "a commit, then a look": f"""
        db.session.{MAKE}
        db.session.{VISIT}
        db.session.commit()
        assert db.session.execute(text("SELECT count(*) FROM visits")).scalar() == 1
        assert inspect(db.engine).has_table("visits")
        """,
    "a commit, then an error and a rollback": f"""
        db.session.{MAKE}
        db.session.{VISIT}
        db.session.commit()
        try:
            db.session.execute(text("SELECT * FROM no_such_table"))
        except Exception:
            db.session.rollback()
        """,
    "a session and an engine": f"""
        db.session.{MAKE}
        db.session.commit()
        with db.engine.begin() as connection:
            connection.{VISIT}
        """,
}
IMPORTS = """
from sqlalchemy import Column, Integer, MetaData, Table, create_engine
from sqlalchemy.pool import NullPool
"""
FORGOTTEN = {
    "connection": f"""
        with db.engine.connect() as connection:
            connection.{MAKE}
        """,
    "session": f"db.session.{MAKE}",
}


@pytest.fixture
def project(project_of_kind: Callable[..., Project], request: pytest.FixtureRequest) -> Project:
    """A Flask application where the test is about ``db.session``, else one that starts faster."""
    return project_of_kind("flask" if "session" in request.node.name else "light")


def run(forks: ForkServer, project: Project, verb: str, *flags: str) -> Ended:
    return forks.run(verb, *flags, "--dir", project.migrations, env=project.environment)


def check_life(forks: ForkServer, project: Project, lines: str) -> None:
    """Apply, apply again, roll back: recorded each time, and executed once."""
    drop = "\nwith db.engine.begin() as connection:\n    connection.execute(text('DROP TABLE visits'))"
    write_script(project.migrations, "001_make_visits.py", IMPORTS + dedent(lines), drop)
    done = run(forks, project, "apply")
    assert done.returncode == 0, done.output
    assert "Done: 1 applied" in done.output
    assert applied(project.url) == [1]
    assert ledger(project.url)["nonstop_steps"] == []
    assert rows(project.url)["visits"][0] == 1
    again = run(forks, project, "apply")
    assert (again.returncode, "Nothing to apply" in again.output) == (0, True), again.output
    undone = run(forks, project, "rollback")
    assert undone.returncode == 0, undone.output
    assert applied(project.url) == []
    assert fingerprint(project.url)["tables"] == {}


@pytest.mark.repetitive(12)
@pytest.mark.parametrize("way", WAYS)
def test_through_an_engine(way: str, project: Project, forks: ForkServer) -> None:
    check_life(forks, project, WAYS[way])


@pytest.mark.parametrize("way", SESSIONS)
def test_through_the_session(way: str, project: Project, forks: ForkServer) -> None:
    check_life(forks, project, SESSIONS[way])


@pytest.mark.parametrize(
    "way", ["begin", "a transaction for each statement", "a commit, then a read that fails"]
)
def test_through_the_other_driver(way: str, postgres_project: Project, forks: ForkServer) -> None:
    pytest.importorskip("psycopg2")
    lines = WAYS[way].replace("db.engine", "engine")
    own_engine = 'engine = create_engine(db.engine.url.set(drivername="postgresql+psycopg2"))\n'
    check_life(forks, postgres_project, own_engine + dedent(lines))


def test_an_index_is_built_concurrently_after_a_transaction(
    postgres_project: Project, forks: ForkServer
) -> None:
    """The commit before it is sent first: the build would wait for that transaction for ever."""
    build = "CREATE INDEX CONCURRENTLY visits_id ON visits (id)"
    lines = f"""
        with db.engine.begin() as connection:
            connection.{MAKE}
            connection.{VISIT}
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text({build!r}))
    """
    check_life(forks, postgres_project, lines)


@pytest.mark.parametrize("way", FORGOTTEN)
def test_a_forgotten_commit_ends_as_in_plain_python(way: str, project: Project, forks: ForkServer) -> None:
    """SQLite's driver begins no transaction for a table: it is there. Of what is undone the report has a note."""
    write_script(project.migrations, "001_make_visits.py", dedent(FORGOTTEN[way]))
    done = run(forks, project, "apply")
    assert done.returncode == 0, done.output
    is_there = project.url.startswith("sqlite")
    assert ("a commit() forgotten?" in done.output) is not is_there
    assert ("visits" in fingerprint(project.url)["tables"]) is is_there
