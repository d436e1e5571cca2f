"""What ``op`` refuses to run into, and what it adopts."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, inspect, text

from tests.support.databases import engine_for
from tests.support.project_commands import ProjectCommands
from tests.support.projects import Project
from tests.support.scripts import write_script
from tests.support.snapshots import applied, snapshot

ADD_COLUMN = "op.add_column('orders', Column('car_number', String(20)))"
CREATE_TABLE = "op.create_table('parts', Column('id', Integer, primary_key=True), Column('name', String(40)))"
CREATE_INDEX = "op.create_index('ix_orders_car_number', 'orders', ['car_number'])"


def make(url: str, *columns: str, index: str = "") -> None:
    """Make what the application's ``db.create_all()`` would have made, with one row in ``orders``."""
    statements = [f"CREATE TABLE orders ({', '.join(['id INTEGER PRIMARY KEY', *columns])})", index]
    engine = engine_for(url)
    with engine.begin() as connection:
        for statement in filter(None, statements):
            connection.execute(text(statement))
        connection.execute(text("INSERT INTO orders (id) VALUES (1)"))
    engine.dispose()


# --- conflicts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "has", "wants"),
    [
        ("car_number VARCHAR(20) NOT NULL DEFAULT 'none'", "NOT NULL", "NULL"),
        ("car_number INTEGER", "INTEGER", "VARCHAR(20)"),
        ("car_number VARCHAR(20) DEFAULT 'none'", "default 'none'", "default none"),
    ],
)
def test_a_column_of_another_definition(
    project: Project, run: ProjectCommands, column: str, has: str, wants: str
) -> None:
    make(project.url, column)
    write_script(project.migrations, "001_add_car_number.py", ADD_COLUMN, template="bare")

    run.undoes(
        "apply", exit_code=4,
        says=("column orders.car_number exists already with another definition", f"it has {has}", f"wants {wants}"),
        next_step="change the script to fit",
    )  # fmt: skip


def test_an_index_on_other_columns(project: Project, run: ProjectCommands) -> None:
    index = "CREATE INDEX ix_orders_car_number ON orders (id)"
    make(project.url, "car_number VARCHAR(20)", index=index)
    write_script(project.migrations, "001_add_index.py", CREATE_INDEX, template="bare")

    run.undoes("apply", exit_code=4, says=("index ix_orders_car_number", "(id)", "(car_number)"))


def test_a_table_that_lacks_a_column(project: Project, run: ProjectCommands) -> None:
    make(project.url)
    script = CREATE_TABLE.replace("parts", "orders")
    write_script(project.migrations, "001_create_orders.py", script, template="bare")

    run.undoes("apply", exit_code=4, says=("table orders", "no column name"))


def test_a_conflict_undoes_the_script_and_keeps_the_scripts_before_it(
    project: Project, run: ProjectCommands
) -> None:
    make(project.url, "car_number INTEGER")
    write_script(project.migrations, "001_create_parts.py", CREATE_TABLE, template="bare")
    write_script(project.migrations, "002_add_car_number.py", ADD_COLUMN, template="bare")

    run.fails("apply", exit_code=4, says="another definition")
    assert applied(project.url) == [1]


def test_a_table_that_is_not_there(project: Project, run: ProjectCommands) -> None:
    write_script(project.migrations, "001_add_car_number.py", ADD_COLUMN, template="bare")

    run.undoes("apply", exit_code=4, says="there is no table orders", next_step="create it first")


# --- refused before it is sent --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says", "next_step"),
    [
        (
            "op.add_column('orders', Column('car_number', String(20), nullable=False))",
            "orders.car_number is NOT NULL and has no server default",
            "add it nullable first",
        ),
        (
            "op.add_column('orders', Column('car_number', String(20), unique=True))",
            "orders.car_number carries an index, a key or a constraint",
            "op.create_index",
        ),
        (
            "op.create_index('ix', 'orders', 'car_number')",
            "the columns of ix are one string",
            "['car_number']",
        ),
    ],
)
def test_a_call_that_can_not_be_online(
    project: Project, run: ProjectCommands, call: str, says: str, next_step: str
) -> None:
    make(project.url)
    write_script(project.migrations, "001_add_car_number.py", call, template="bare")

    run.undoes("apply", exit_code=4, says=says, next_step=next_step)


# --- adoption -------------------------------------------------------------------------------------


def test_what_create_all_has_made_is_adopted(project: Project, run: ProjectCommands) -> None:
    make(
        project.url,
        "car_number VARCHAR(20)",
        index="CREATE INDEX ix_orders_car_number ON orders (car_number)",
    )
    models = MetaData()
    Table("parts", models, Column("id", Integer, primary_key=True), Column("name", String(40)))
    engine = engine_for(project.url)
    models.create_all(engine)
    engine.dispose()
    calls = "\n".join([CREATE_TABLE, ADD_COLUMN, CREATE_INDEX])
    write_script(project.migrations, "001_make_all.py", calls, template="bare")
    before = snapshot(project.url)

    [script] = run.succeeds("apply")["migrations"]

    assert [note.partition(":")[0] for note in script["notes"]] == [
        "create table parts",
        "add column orders.car_number",
        "create index ix_orders_car_number on orders(car_number)",
    ]
    assert all("is so already" in note for note in script["notes"])
    after = snapshot(project.url)
    assert (after["schema"], after["rows"]) == (before["schema"], before["rows"])
    assert applied(project.url) == [1]


def test_what_is_half_there_is_completed(project: Project, run: ProjectCommands) -> None:
    make(project.url, "car_number VARCHAR(20)")
    write_script(project.migrations, "001_index.py", f"{ADD_COLUMN}\n{CREATE_INDEX}", template="bare")

    [script] = run.succeeds("apply")["migrations"]

    assert script["notes"] == ["add column orders.car_number: is so already"]
    engine = engine_for(project.url)
    assert [index["name"] for index in inspect(engine).get_indexes("orders")] == ["ix_orders_car_number"]
    engine.dispose()
