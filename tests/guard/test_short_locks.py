"""While a strong lock is held, everyone waits: what can be loaded or connected before is not done then."""

from __future__ import annotations

import pytest

from tests.guard.conftest import Scene

CALLS = (
    'op.add_column("orders", Column("plate", String(20), server_default="none"))',
    'op.drop_column("orders", "note")',
    'op.set_not_null("orders", "note")',
    'op.set_default("orders", "note", "none")',
    'op.add_check("ck_orders_id", "orders", "id > 0")',
    'op.add_foreign_key("fk_orders_cars", "orders", ["id"], "cars", ["id"])',
    'op.add_unique("uq_orders_note", "orders", ["id", "note"])',
    'op.rename_table("orders", "jobs")',
)
# What is there when a statement that locks has just been sent, and what is there when op returns.
SCRIPT = """
import sys
from sqlalchemy import event
from sqlalchemy.engine import Engine

loaded = []

@event.listens_for(Engine, "after_cursor_execute")
def locked(connection, cursor, statement, *rest):
    if statement.startswith("ALTER"):
        loaded.append(set(sys.modules))

{call}
print(f"loaded under {{len(loaded)}} lock(s):", sorted(set(sys.modules) - loaded[0]))
"""


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.partition("(")[0])
def test_nothing_is_loaded_under_a_lock(scene: Scene, call: str) -> None:
    scene.script(SCRIPT.format(call=call), "op")
    end = scene.start("--discard-data").wait()
    assert end.returncode == 0, end.output
    assert "lock(s): []" in end.output, end.output


RAW_SCRIPT = """
import sys
import psycopg

connected = []
connect = psycopg.connect

def counting(*arguments, **options):
    connected.append(options.get("application_name"))
    return connect(*arguments, **options)

with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE orders ADD COLUMN plate VARCHAR(20)"))
    loaded = set(sys.modules)
    psycopg.connect = counting
    connection.execute(text("CREATE INDEX ix_plate ON orders (plate)"))
    connection.execute(text("CREATE INDEX ix_note ON orders (note)"))
    print("late:", sorted(set(sys.modules) - loaded), connected)
psycopg.connect = connect
"""


def test_plain_sql_is_judged_with_what_is_at_hand(online: Scene) -> None:
    """To judge the second statement takes some queries, but no connection and no module that is new."""
    online.script(RAW_SCRIPT)
    end = online.start().wait()
    assert end.returncode == 0, end.output
    assert "late: [] []" in end.output, end.output
    assert end.output.count("done online") == 2
