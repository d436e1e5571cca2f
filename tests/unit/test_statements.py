"""Statements told apart and classed by their text alone. What a server makes of them: tests/postgresql."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonstop.databases.postgresql_names import chosen_name
from nonstop.databases.postgresql_statements import classify, needs, split
from nonstop.databases.postgresql_tokens import tokens
from nonstop.descriptions.operations import LockClass
from nonstop.descriptions.statements import Condition, Fact, Kind, Reach
from tests.support.statements import CATALOGUE, Case


@pytest.mark.parametrize("case", CATALOGUE, ids=lambda case: case.sql)
def test_the_catalogue(case: Case) -> None:
    found = needs(case.sql)
    assert tuple(need.kind for _, need in found) == case.kinds
    assert any(need.loses_data for _, need in found) == case.loses_data
    for _, need in found:
        assert need.reason or need.kind in (Kind.READS, Kind.BRIEF, Kind.CONCURRENT)
        assert need.correction or need.kind is not Kind.BLOCKING
        made_online = need.kind in (Kind.ONLINE_INDEX, Kind.NOT_VALID)
        is_our_build = need.kind is Kind.CONCURRENT and "INDEX CONCURRENTLY ix" in case.sql
        assert bool(need.rewritten) == (made_online or is_our_build)


def test_the_catalogue_is_large_and_has_every_class() -> None:
    assert len(CATALOGUE) >= 80
    assert len({case.sql + case.before for case in CATALOGUE}) == len(CATALOGUE)
    assert {kind for case in CATALOGUE for kind in case.kinds} == set(Kind)


# --- telling statements apart --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "statements"),
    [
        ("", []),
        (" ; -- nothing\n; /* ; */", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("-- why; how\nSELECT 1; SELECT 2", ["-- why; how\nSELECT 1", "SELECT 2"]),
        ("/* a /* b; */ c; */ SELECT 1", ["/* a /* b; */ c; */ SELECT 1"]),
        ("SELECT 'a;''b;'; SELECT 2", ["SELECT 'a;''b;'", "SELECT 2"]),
        (r"SELECT E'a\';b'; SELECT 'c\'; SELECT 3", [r"SELECT E'a\';b'", r"SELECT 'c\'", "SELECT 3"]),
        ("SELECT $$a;b$$; SELECT $t$ $$;$$ $t$", ["SELECT $$a;b$$", "SELECT $t$ $$;$$ $t$"]),
        ("SELECT a$b$c; SELECT $1; SELECT 2", ["SELECT a$b$c", "SELECT $1", "SELECT 2"]),
        ('SELECT "a;""b;"; SELECT 2', ['SELECT "a;""b;"', "SELECT 2"]),
        ("SELECT U&'a;b', U&\"c;d\"; SELECT 2", ["SELECT U&'a;b', U&\"c;d\"", "SELECT 2"]),
        ("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
         ["CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "SELECT 3"]),
        ("CREATE FUNCTION f() BEGIN ATOMIC SELECT 1 AS case; END; LOCK TABLE t",
         ["CREATE FUNCTION f() BEGIN ATOMIC SELECT 1 AS case; END", "LOCK TABLE t"]),
        ("CREATE FUNCTION f() BEGIN ATOMIC SELECT t.end, t.case FROM t; SELECT 2 AS end; END; SELECT 3",
         ["CREATE FUNCTION f() BEGIN ATOMIC SELECT t.end, t.case FROM t; SELECT 2 AS end; END", "SELECT 3"]),
        ("CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END; SELECT 3",
         ["CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END", "SELECT 3"]),
        ("BEGIN; SELECT 1; END; SELECT 2", ["BEGIN", "SELECT 1", "END", "SELECT 2"]),
        ("SELECT 'never closed; SELECT 2", ["SELECT 'never closed; SELECT 2"]),
        ("SELECT $$never closed; SELECT 2", ["SELECT $$never closed; SELECT 2"]),
        ("SELECT 1 /* never closed; SELECT 2", ["SELECT 1 /* never closed; SELECT 2"]),
        ("SELECT ')'; SELECT 2", ["SELECT ')'", "SELECT 2"]),
    ],
)  # fmt: skip
def test_statements_end_where_postgresql_ends_them(sql: str, statements: list[str]) -> None:
    assert split(sql) == statements


@given(st.text(alphabet="aE'\"$\\;/*-()[] \n.1é", max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    """No text makes it fail, no token is lost, and whatever is not understood is not called harmless."""
    assert all(text[token.start : token.end].strip() for token in tokens(text))
    for statement in split(text):
        assert statement in text
        assert classify(statement).kind is Kind.UNKNOWN or statement.lstrip().startswith(
            ("--", "/", "(", "[")
        )


# --- names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "relation"),
    [
        ("Orders", "orders"),
        ('"orders"', "orders"),
        ('"Orders"', '"Orders"'),
        ('App . "Order Items"', 'app."Order Items"'),
        ('"a.b"', '"a.b"'),
        ('"("."; ,"', '"("."; ,"'),
        ('"say ""so"""', '"say ""so"""'),
        ('U&"d\\0061ta"', "data"),
        ("ONLY orders *", "orders"),
        ("/* the */ orders -- table\n", "orders"),
        ("ÄPFEL", "Äpfel"),
    ],
)
def test_names_are_as_to_regclass_reads_them(written: str, relation: str) -> None:
    assert classify(f"ALTER TABLE IF EXISTS {written} DROP COLUMN x").relations == (relation,)


def test_both_tables_of_a_foreign_key_are_named() -> None:
    need = classify("ALTER TABLE a ADD CONSTRAINT k FOREIGN KEY (x, y) REFERENCES s.b (x, y) NOT VALID")
    assert need.relations == ("a", "s.b")
    assert need.lock is LockClass.SHARE_ROW_EXCLUSIVE


def test_dropped_tables_and_indexes_are_all_named() -> None:
    assert classify('DROP TABLE IF EXISTS a, s."B", c RESTRICT').relations == ("a", 's."B"', "c")
    assert classify("DROP INDEX a, s.b").indexes == ("a", "s.b")
    assert Reach.REFERENCED in classify("DROP TABLE a").reach


def test_what_a_script_makes_is_told() -> None:
    assert classify("CREATE TEMP TABLE IF NOT EXISTS t (id int)").creates == ("t",)
    assert classify("CREATE TEMP TABLE t (id int REFERENCES u)").temporary
    assert classify("CREATE INDEX ON s.t (a)").creates == ("s.t_a_idx",)
    assert not classify("ALTER TABLE pg_temp.t ALTER COLUMN a TYPE bigint").relations


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("orders", "car_id", "fkey"), "orders_car_id_fkey"),
        (("orders", "", "pkey"), "orders_pkey"),
        (("t" * 60, "c" * 60, "idx"), f"{'t' * 29}_{'c' * 29}_idx"),
        (("t" * 80, "c", "fkey"), f"{'t' * 56}_c_fkey"),
    ],
)
def test_chosen_names_are_postgresql_s(parts: tuple[str, str, str], name: str) -> None:
    assert chosen_name(*parts) == name
    assert len(name) <= 63


# --- what is said about a statement --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plain", "online"),
    [
        ("CREATE INDEX i ON t (a)", ["CREATE INDEX CONCURRENTLY i ON t (a)"]),
        ("create unique index if not exists i on t (a) -- so", ["create unique index CONCURRENTLY if not exists i on t (a) -- so"]),
        ("CREATE INDEX ON t (a, lower(b))", ["CREATE INDEX CONCURRENTLY t_a_lower_idx ON t (a, lower(b))"]),
        ("ALTER TABLE ONLY t ADD CHECK (a > 0) -- so",
         ["ALTER TABLE ONLY t ADD CONSTRAINT t_a_check CHECK (a > 0) NOT VALID -- so", "ALTER TABLE ONLY t VALIDATE CONSTRAINT t_a_check"]),
        ("-- first\nALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES u DEFERRABLE, ADD b int",
         ["-- first\nALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES u DEFERRABLE NOT VALID, ADD b int",
          "ALTER TABLE t VALIDATE CONSTRAINT k"]),
    ],
)  # fmt: skip
def test_the_online_form(plain: str, online: list[str]) -> None:
    assert list(classify(plain).rewritten) == online


@pytest.mark.parametrize(
    ("sql", "correction"),
    [
        ('ALTER TABLE s.orders ALTER "Car" SET NOT NULL', 'op.set_not_null("orders", "Car", schema="s")'),
        ("ALTER TABLE orders ADD UNIQUE (a, b)", 'op.add_unique("orders_a_b_key", "orders", ["a", "b"])'),
        ("ALTER TABLE orders ADD CONSTRAINT k PRIMARY KEY (id)", 'op.add_primary_key("k", "orders", ["id"])'),
        ("ALTER TABLE t ADD COLUMN c uuid NOT NULL DEFAULT gen_random_uuid()",
         ("ALTER TABLE t ADD COLUMN c uuid;\nALTER TABLE t ALTER COLUMN c SET DEFAULT gen_random_uuid();\n"
         "-- then the old rows, some thousand at a time, each batch committed:\n"
         "UPDATE t SET c = gen_random_uuid() WHERE c IS NULL AND …;")),
        ("ALTER TABLE t ADD c bigserial",
         ("ALTER TABLE t ADD COLUMN c bigint;\nCREATE SEQUENCE t_c_seq OWNED BY t.c;\n"
         "ALTER TABLE t ALTER COLUMN c SET DEFAULT nextval('t_c_seq');\n"
         "-- then the old rows, some thousand at a time, each batch committed:\n"
         "UPDATE t SET c = nextval('t_c_seq') WHERE c IS NULL AND …;")),
        ("ALTER TABLE t ADD c int CHECK (c > 0)", 'ALTER TABLE t ADD COLUMN c int;\nop.add_check("t_c_check", "t", "c > 0")'),
        ("REINDEX (VERBOSE) TABLE s.t", "REINDEX (VERBOSE) TABLE CONCURRENTLY s.t"),
        ("REFRESH MATERIALIZED VIEW v", "REFRESH MATERIALIZED VIEW CONCURRENTLY v  -- it needs a unique index"),
    ],
)  # fmt: skip
def test_the_correction_uses_the_user_s_own_names(sql: str, correction: str) -> None:
    assert classify(sql).correction == correction


def test_a_constraint_that_is_enforced_again_is_read() -> None:
    """From PostgreSQL 18: on the servers of these tests it is an error."""
    assert classify("ALTER TABLE t ALTER CONSTRAINT c ENFORCED").kind is Kind.BLOCKING
    assert classify("ALTER TABLE t ALTER CONSTRAINT c NOT ENFORCED").kind is Kind.BRIEF
    assert classify("ALTER TABLE t ALTER CONSTRAINT c DEFERRABLE").kind is Kind.BRIEF


def test_what_the_catalog_must_tell() -> None:
    assert classify("ALTER TABLE s.t ALTER a SET NOT NULL, ALTER b SET NOT NULL, ADD c int").unless == (
        Condition(Fact.COLUMN_IS_NOT_NULL, "a", of="s.t"),
        Condition(Fact.COLUMN_IS_NOT_NULL, "b", of="s.t"),
    )
    assert classify("ALTER TABLE t ADD c s.mood DEFAULT f()").unless == (
        Condition(Fact.FUNCTION_IS_NOT_VOLATILE, "f"),
        Condition(Fact.TYPE_IS_NO_DOMAIN, "s.mood"),
    )
    assert not classify("ALTER TABLE t ALTER a SET NOT NULL, ALTER b TYPE text USING b::text").unless


def test_several_statements_in_one_are_not_judged_by_the_first() -> None:
    assert classify("SELECT 1; DROP TABLE orders").kind is Kind.UNKNOWN
    assert classify("").kind is Kind.READS
