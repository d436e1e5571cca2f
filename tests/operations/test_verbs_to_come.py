"""op.rename_column, op.alter_type, op.backfill: refused with what to do by hand, which works."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import BigInteger, String

from nonstop import op
from nonstop.errors import Refused
from tests.support.databases import engine_for
from tests.support.forked import ForkServer
from tests.support.operations import Trial, send
from tests.support.projects import Project

PAGES = Path(__file__).resolve().parents[2] / "docs" / "operations"
CALLS: dict[str, Callable[[], None]] = {
    "rename_column": lambda: op.rename_column("orders", "vin", "chassis"),
    "alter_type": lambda: op.alter_type("orders", "id", BigInteger),
    "backfill": lambda: op.backfill("orders", "vin", "upper(plate)", where="vin IS NULL", schema="shop"),
}


@pytest.mark.parametrize("verb", CALLS)
def test_it_says_what_to_do_by_hand(verb: str) -> None:
    with pytest.raises(Refused, match=f"op.{verb}: .*there is no such verb yet") as caught:
        CALLS[verb]()
    assert caught.value.details[0] == "Instead, by hand, in steps:"
    assert caught.value.details[1].startswith("1. ")
    assert caught.value.next_step


def test_types_are_named_as_people_write_them() -> None:
    with pytest.raises(Refused, match=re.escape("orders.id as BigInteger")):
        op.alter_type("orders", "id", BigInteger)
    with pytest.raises(Refused, match=re.escape("orders.vin as VARCHAR(80)")):
        op.alter_type("orders", "vin", String(80))


@pytest.mark.parametrize(
    "call", ["rename_column('orders', 'vin', 'v')", "alter_type('orders', 'vin', String)"]
)
def test_c18_c19_a_verb_that_would_need_a_trigger_is_refused_and_nothing_changes(
    trial: Trial, call: str
) -> None:
    """So there is no trigger of ours that could outlive its column, or come after it."""
    assert_refused_by_hand_instead(trial, call)


def test_c11_c16_c37_c38_a_backfill_is_refused_and_nothing_changes(trial: Trial) -> None:
    assert_refused_by_hand_instead(trial, "backfill('orders', 'plate', 'upper(vin)')")


def assert_refused_by_hand_instead(trial: Trial, call: str) -> None:
    before = trial.look()
    trial.script(f"op.{call}")
    error = trial.failure()
    assert isinstance(error, Refused)
    assert error.exit_code == 8
    assert "Instead, by hand, in steps:" in error.details
    assert trial.look() == before


@pytest.fixture
def filling(project: Project) -> Project:
    """2,501 rows to fill, one of which is filled already, and the script of the page as it stands there."""
    send(
        project.url,
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, vin VARCHAR(20), chassis VARCHAR(20))",
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)"
        " INSERT INTO orders SELECT i * 3, 'vin ' || i, CASE WHEN i = 7 THEN 'kept' END FROM n",
    )
    page = (PAGES / "backfill.md").read_text(encoding="utf-8")
    (source,) = (code for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "def apply" in code)
    (project.migrations / "004_fill_chassis.py").write_text(source, encoding="utf-8")
    return project


def filled(project: Project) -> tuple[int, int]:
    """How many rows the script has filled, and how many have what they had before."""
    engine = engine_for(project.url)
    with engine.connect() as connection:
        counts = connection.exec_driver_sql(
            "SELECT sum(CASE WHEN chassis = upper(vin) THEN 1 ELSE 0 END),"
            " sum(CASE WHEN chassis = 'kept' THEN 1 ELSE 0 END) FROM orders"
        ).one()
    engine.dispose()
    return int(counts[0]), int(counts[1])


def test_c38_the_backfill_by_hand_fills_every_row(filling: Project, forks: ForkServer) -> None:
    """A thousand keys after the other, each of them once."""
    ended = forks.run("apply", "--dir", filling.migrations, env=filling.environment)
    assert ended.returncode == 0, ended.output
    assert filled(filling) == (2500, 1)


def test_c16_the_backfill_by_hand_is_taken_up_after_a_kill(filling: Project, forks: ForkServer) -> None:
    for point in count():
        ended = forks.run("apply", "--dir", filling.migrations, env=filling.environment, kill_at=point)
        assert ended.was_killed, "it was never killed between two batches"
        if filled(filling)[0]:
            break
    assert filled(filling) in {(999, 1), (1999, 1)}
    ended = forks.run("apply", "--dir", filling.migrations, env=filling.environment)
    assert ended.returncode == 0, ended.output
    assert filled(filling) == (2500, 1)


def test_a_type_change_that_only_the_catalog_notes_can_be_sent(postgres_trial: Trial) -> None:
    """The call of the page, as it stands there: no row is written anew (C24)."""
    page = (PAGES / "alter_type.md").read_text(encoding="utf-8")
    (call,) = (code for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "op.execute" in code)
    postgres_trial.script(call)
    filenode = "SELECT pg_relation_filenode('orders')"
    with psycopg.connect(postgres_trial.url, autocommit=True) as connection:
        before = connection.execute(filenode).fetchone()
        postgres_trial.apply()
        assert connection.execute(filenode).fetchone() == before
    assert "character varying(80)" in str(postgres_trial.look()[0]["tables"]["orders"]["columns"]["vin"])
