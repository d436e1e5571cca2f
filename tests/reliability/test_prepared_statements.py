"""The application prepares its statements, as psycopg does by itself: which of them survive a migration (C21).

A plan that is kept on the server is bound to the columns of its result. PostgreSQL refuses to run it with others:
"cached plan must not change result type". What counts is what the application asks for, and when it commits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, create_engine, event, exc, text

from tests.guard.conftest import Scene
from tests.support.scripts import Template, sql, write_script

POOL = 3
REQUESTS = 8
"""More than psycopg's ``prepare_threshold`` of 5: from the sixth on, the plan on the server is used."""
NAMED = (
    "SELECT id, note FROM orders WHERE id = :id",
    "UPDATE orders SET note = :note WHERE id = :id RETURNING id, note",
    "INSERT INTO orders (id, note) VALUES (:new, :note) RETURNING id, note",
    "DELETE FROM orders WHERE id = :new",
)
STAR = ("SELECT * FROM orders WHERE id = :id",)
FORMS = {
    "op": (
        """
op.add_column("orders", Column("car_number", String(20)))
op.create_index("ix_car_number", "orders", ["car_number"])
""",
        """
op.drop_index("ix_car_number", "orders")
op.drop_column("orders", "car_number")
""",
    ),
    "raw": (
        sql(
            "ALTER TABLE orders ADD COLUMN car_number VARCHAR(20)",
            "CREATE INDEX ix_car_number ON orders (car_number)",
        ),
        sql("DROP INDEX ix_car_number", "ALTER TABLE orders DROP COLUMN car_number"),
    ),
}


@contextmanager
def application(scene: Scene, isolation_level: str = "READ COMMITTED") -> Iterator[Engine]:
    """An application with SQLAlchemy's own pool, the driver's settings as they come."""
    url = scene.url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url, pool_size=POOL, max_overflow=0, isolation_level=isolation_level)
    try:
        yield engine
    finally:
        engine.dispose()


def serve(engine: Engine, statements: tuple[str, ...], commits: bool) -> list[str]:
    """One request on each connection of the pool; what went wrong comes back."""
    errors = []
    connections = [engine.connect() for _ in range(POOL)]
    for number, connection in enumerate(connections):
        try:
            for statement in statements:
                connection.execute(text(statement), {"id": 1, "note": "x", "new": 100 + number})
            if commits:
                connection.commit()
        except exc.DBAPIError as error:
            errors.append(str(error.orig))
    for connection in connections:
        connection.close()
    return errors


def prepared_statements(engine: Engine) -> int:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar_one()
        connection.commit()
        return int(found)


@pytest.mark.parametrize("isolation_level", ["READ COMMITTED", "AUTOCOMMIT"])
@pytest.mark.parametrize("form", ["op", "raw"])
def test_c21_an_application_that_names_its_columns_goes_on(
    scene: Scene, form: str, isolation_level: str
) -> None:
    migration(scene, form)
    commits = isolation_level != "AUTOCOMMIT"
    with application(scene, isolation_level) as engine:
        for command in ("apply", "rollback"):
            for _ in range(REQUESTS):
                assert serve(engine, NAMED, commits) == []
            assert prepared_statements(engine) > 0
            run(scene, command)
            for _ in range(REQUESTS):
                assert serve(engine, NAMED, commits) == []


def test_c21_a_star_that_is_committed_fails_once_on_each_connection(scene: Scene) -> None:
    """What the docs say of it: so an application should name its columns, as every mapped class does."""
    migration(scene, "op")
    with application(scene) as engine:
        for _ in range(REQUESTS):
            assert serve(engine, STAR, commits=True) == []
        run(scene, "apply")
        assert serve(engine, STAR, commits=True) == ["cached plan must not change result type"] * POOL
        for _ in range(REQUESTS):
            assert serve(engine, STAR, commits=True) == []


def test_c21_a_star_that_is_rolled_back_does_not_fail(scene: Scene) -> None:
    """As at the end of a request that only read: the driver then forgets what it has prepared."""
    migration(scene, "op")
    with application(scene) as engine:
        for _ in range(REQUESTS):
            assert serve(engine, STAR, commits=False) == []
        run(scene, "apply")
        for _ in range(REQUESTS):
            assert serve(engine, STAR, commits=False) == []


def test_c21_a_star_in_autocommit_mode_fails_until_the_connection_is_new(scene: Scene) -> None:
    migration(scene, "op")
    with application(scene, "AUTOCOMMIT") as engine:
        for _ in range(REQUESTS):
            assert serve(engine, STAR, commits=False) == []
        run(scene, "apply")
        for _ in range(3):
            assert serve(engine, STAR, commits=False) == ["cached plan must not change result type"] * POOL
        engine.dispose()
        assert serve(engine, STAR, commits=False) == []


def test_c21_without_prepared_statements_a_star_does_not_fail(scene: Scene) -> None:
    migration(scene, "op")
    with application(scene) as engine:

        @event.listens_for(engine, "connect")
        def prepare_nothing(connection, record) -> None:
            connection.prepare_threshold = None

        for _ in range(REQUESTS):
            assert serve(engine, STAR, commits=True) == []
        run(scene, "apply")
        assert serve(engine, STAR, commits=True) == []


def migration(scene: Scene, form: str) -> None:
    """A column and its index, as Felix Hub's first migration has them."""
    apply, rollback = FORMS[form]
    template: Template = "bare" if form == "op" else "raw"
    write_script(scene.project.migrations, "001_add_car_number.py", apply, rollback, template)


def run(scene: Scene, command: str) -> None:
    options = ("--yes",) if command == "rollback" else ()
    end = scene.forks.run(command, *options, "--dir", scene.project.migrations, env=scene.project.environment)
    assert end.returncode == 0, end.output
    assert scene.has_column("orders", "car_number") == (command == "apply")
