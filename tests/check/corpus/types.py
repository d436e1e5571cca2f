"""Types: with and without rewriting the table, enumerated ones, and tables made anew on SQLite."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import POSTGRESQL, SQLITE, bad, contract, good, pair, raw, verbs


def altered(table: str, column: str, new: str, old: str, using: str = "") -> str:
    """A script that changes a column's type, and changes it back."""
    return raw(
        f"""
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE {table} ALTER COLUMN {column} TYPE {new}"))
""",
        f"""
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE {table} ALTER COLUMN {column} TYPE {old}{using}"))
""",
    )


REBUILT = """
if {done}:
    return True
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE payments_new ({columns})"))
    connection.execute(text("INSERT INTO payments_new ({names}) SELECT {names} FROM payments"))
    connection.execute(text("DROP TABLE payments"))
    connection.execute(text("ALTER TABLE payments_new RENAME TO payments"))
"""
NAMES = "id, order_id, amount, method, paid_on"
COLUMNS = (
    "id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, amount INTEGER NOT NULL, method {0}, paid_on DATE"
)
LENGTH = '{{column["name"]: column for column in inspect(db.engine).get_columns("payments")}}["method"]["type"].length == {0}'

EXAMPLES = (
    *pair(
        "reference_length",
        "change how long orders.reference may be",
        "the new partner's references have another length",
        bad("shorter", Promise.ADDITIVE, altered("orders", "reference", "varchar(10)", "varchar(30)"), on=POSTGRESQL),
        good("longer", altered("orders", "reference", "varchar(60)", "varchar(30)"), on=POSTGRESQL),
        rows=(14, 37),
    ),
    *pair(
        "text_and_its_limits",
        "bring the texts of items and customers into line",
        "labels are printed from both",
        bad("limited", Promise.ADDITIVE, altered("customers", "city", "varchar(40)", "text"), on=POSTGRESQL),
        good("unlimited", altered("items", "title", "text", "varchar(120)"), on=POSTGRESQL),
        rows=(37, 47),
    ),
    *pair(
        "price_digits",
        "give items.price more digits",
        "prices in another currency need them",
        bad("scale", Promise.NO_DOWNTIME, altered("items", "price", "numeric(14, 4)", "numeric(10, 2)"), on=POSTGRESQL),
        # The column has a CHECK, which is tried on every row.
        bad(
            "precision_of_what_is_checked",
            Promise.NO_DOWNTIME,
            altered("items", "price", "numeric(14, 2)", "numeric(10, 2)"),
            on=POSTGRESQL,
        ),
        good("precision", altered("price_history", "price", "numeric(14, 2)", "numeric(10, 2)"), on=POSTGRESQL),
        rows=(37,),
    ),
    *pair(
        "big_amounts",
        "let payments.amount be as large as a bigint",
        "amounts in the smallest unit of a currency do not fit",
        bad("in_place", Promise.NO_DOWNTIME, altered("payments", "amount", "bigint", "integer"), on=POSTGRESQL),
        bad(
            "key_in_place",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(text("ALTER TABLE items ALTER COLUMN id TYPE bigint"))
    connection.execute(text("ALTER TABLE order_lines ALTER COLUMN item_id TYPE bigint"))
""", """
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(text("ALTER TABLE order_lines ALTER COLUMN item_id TYPE integer"))
    connection.execute(text("ALTER TABLE items ALTER COLUMN id TYPE integer"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "beside_the_old_one",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE payments ADD COLUMN IF NOT EXISTS amount_big bigint"))
    connection.execute(text(COPY_AMOUNT))
    connection.execute(text(
        "CREATE OR REPLACE TRIGGER copy_amount BEFORE INSERT OR UPDATE ON payments"
        " FOR EACH ROW EXECUTE FUNCTION copy_amount()"
    ))
done = -1
while done is not None:
    with db.engine.begin() as connection:
        last = connection.execute(LAST_OF_BATCH, {"done": done}).scalar()
        connection.execute(FILL, {"done": done, "last": last})
    done = last
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP TRIGGER IF EXISTS copy_amount ON payments"))
    connection.execute(text("DROP FUNCTION IF EXISTS copy_amount()"))
    connection.execute(text("ALTER TABLE payments DROP COLUMN IF EXISTS amount_big"))
""", before='''
COPY_AMOUNT = """
    CREATE OR REPLACE FUNCTION copy_amount() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.amount_big := NEW.amount;
        RETURN NEW;
    END $$"""
LAST_OF_BATCH = text(
    "SELECT max(id) FROM (SELECT id FROM payments WHERE id > :done ORDER BY id LIMIT 1000) AS batch"
)
FILL = text("UPDATE payments SET amount_big = amount WHERE id > :done AND id <= :last AND amount_big IS NULL")
'''),
            on=POSTGRESQL,
        ),
        rows=(14, 38, 39, 51),
    ),
    *pair(
        "amount_as_text",
        "keep a payment's amount as it was typed",
        "the accounts want to see it with its spaces",
        bad(
            "in_place",
            Promise.COMPATIBLE,
            altered("payments", "amount", "text", "integer", " USING amount::integer"),
            on=POSTGRESQL,
        ),
        good(
            "second_column",
            verbs('op.add_column("payments", Column("typed", Text))', 'op.drop_column("payments", "typed")'),
        ),
        rows=(38,),
    ),
    *pair(
        "method_length",
        "let payments.method be longer, by making the table anew",
        "SQLite can't change a column's type",
        bad(
            "rows_are_forgotten",
            Promise.ADDITIVE,
            raw(
                REBUILT.format(
                    done=LENGTH.format(40), columns=COLUMNS.format("VARCHAR(40)"), names="id, order_id, amount"
                ),
                REBUILT.format(
                    done=LENGTH.format(20), columns=COLUMNS.format("VARCHAR(20)"), names="id, order_id, amount"
                ),
            ),
            on=SQLITE,
        ),
        bad(
            "column_is_forgotten",
            Promise.COMPATIBLE,
            raw(
                REBUILT.format(
                    done=LENGTH.format(40),
                    columns=COLUMNS.format("VARCHAR(40)").removesuffix(", paid_on DATE"),
                    names="id, order_id, amount, method",
                ),
                REBUILT.format(
                    done=LENGTH.format(20),
                    columns=COLUMNS.format("VARCHAR(20)"),
                    names="id, order_id, amount, method",
                ),
            ),
            on=SQLITE,
        ),
        good(
            "complete",
            raw(
                REBUILT.format(done=LENGTH.format(40), columns=COLUMNS.format("VARCHAR(40)"), names=NAMES),
                REBUILT.format(done=LENGTH.format(20), columns=COLUMNS.format("VARCHAR(20)"), names=NAMES),
            ),
            on=SQLITE,
        ),
        rows=(37,),
    ),
    *pair(
        "order_is_returned",
        "let an order be returned",
        "the law gives customers two weeks",
        bad(
            "value_without_looking",
            Promise.IDEMPOTENT,
            raw("""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(text("ALTER TYPE order_status ADD VALUE 'returned'"))
"""),
            on=POSTGRESQL,
        ),
        bad(
            "value_used_at_once",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'returned'"))
    connection.execute(text("UPDATE orders SET status = 'returned' WHERE remark = 'sent back'"))
"""),
            on=POSTGRESQL,
            fails=True,
        ),
        bad(
            "value_takes_another_name",
            Promise.ADDITIVE,
            raw("""
with db.engine.begin() as connection:
    values = connection.execute(text("SELECT enum_range(NULL::order_status)::text")).scalar()
    if "shipped" in values:
        connection.execute(text("ALTER TYPE order_status RENAME VALUE 'shipped' TO 'returned'"))
""", """
with db.engine.begin() as connection:
    values = connection.execute(text("SELECT enum_range(NULL::order_status)::text")).scalar()
    if "returned" in values:
        connection.execute(text("ALTER TYPE order_status RENAME VALUE 'returned' TO 'shipped'"))
"""),
            on=POSTGRESQL,
        ),
        good("verb", verbs('op.add_enum_value("order_status", "returned")'), on=POSTGRESQL),
        good(
            "flag_beside_it",
            verbs(
                'op.add_column("orders", Column("returned_on", Date))', 'op.drop_column("orders", "returned_on")'
            ),
        ),
        rows=(45,),
    ),
    *pair(
        "carriers_are_gone",
        "drop the type carrier",
        "no column has it any more",
        bad(
            "at_once",
            Promise.ADDITIVE,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("DROP TYPE IF EXISTS carrier"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP TYPE IF EXISTS carrier"))
    connection.execute(text("CREATE TYPE carrier AS ENUM ('post', 'bike')"))
"""),
            on=POSTGRESQL,
            against_code=True,
        ),
        good(
            "contract",
            contract(
                raw("""
with db.engine.begin() as connection:
    connection.execute(text("DROP TYPE IF EXISTS carrier"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP TYPE IF EXISTS carrier"))
    connection.execute(text("CREATE TYPE carrier AS ENUM ('post', 'bike')"))
"""),
                "it is a type, there is no data in it",
            ),
            on=POSTGRESQL,
            against_code=True,
        ),
        rows=(45, 50),
    ),
)  # fmt: skip
