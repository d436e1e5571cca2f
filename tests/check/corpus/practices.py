"""What a script owes to whoever runs it: a way back, a second run, a crash, an honest answer."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import POSTGRESQL, bad, good, pair, raw, verbs, whole

ADD_BIRTHDAY = """
columns = {column["name"] for column in inspect(db.engine).get_columns("customers")}
with db.engine.begin() as connection:
    if "birthday" not in columns:
        connection.execute(text("ALTER TABLE customers ADD COLUMN birthday DATE"))
    connection.execute(text("CREATE INDEX IF NOT EXISTS idx_customers_name ON customers (name)"))
"""
DROP_BIRTHDAY = """
columns = {column["name"] for column in inspect(db.engine).get_columns("customers")}
with db.engine.begin() as connection:
    connection.execute(text("DROP INDEX IF EXISTS idx_customers_name"))
    if "birthday" in columns:
        connection.execute(text("ALTER TABLE customers DROP COLUMN birthday"))
"""
VOUCHERS = "CREATE TABLE IF NOT EXISTS vouchers (id INTEGER PRIMARY KEY, code VARCHAR(20) NOT NULL)"

EXAMPLES = (
    *pair(
        "birthday",
        "add customers.birthday, and an index on their names",
        "the shop congratulates",
        bad("no_way_back", Promise.REVERSIBLE, raw(ADD_BIRTHDAY, None)),
        bad("no_way_back_by_choice", Promise.REVERSIBLE, verbs(
            'op.add_column("customers", Column("birthday", Date))', 'op.irreversible("nobody would want that")'
        )),
        bad(
            "index_is_forgotten",
            Promise.REVERSIBLE,
            raw(ADD_BIRTHDAY, """
columns = {column["name"] for column in inspect(db.engine).get_columns("customers")}
with db.engine.begin() as connection:
    if "birthday" in columns:
        connection.execute(text("ALTER TABLE customers DROP COLUMN birthday"))
"""),
        ),
        bad(
            "way_back_fails",
            Promise.REVERSIBLE,
            raw(ADD_BIRTHDAY, """
with db.engine.begin() as connection:
    connection.execute(text("DROP INDEX IF EXISTS idx_customers_names"))
    connection.execute(text("ALTER TABLE customers DROP COLUMN birth_day"))
"""),
        ),
        good("both_ways", raw(ADD_BIRTHDAY, DROP_BIRTHDAY)),
        good(
            "verbs",
            verbs("""
op.add_column("customers", Column("birthday", Date))
op.create_index("idx_customers_name", "customers", ["name"])
""", """
op.drop_index("idx_customers_name", "customers")
op.drop_column("customers", "birthday")
"""),
        ),
        rows=(52,),
    ),
    *pair(
        "longer_names",
        "let boxed_by hold longer names",
        "two departments have merged, and so have their names",
        bad(
            "comes_back_as_text",
            Promise.REVERSIBLE,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE archive ALTER COLUMN boxed_by TYPE varchar(80)"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE archive ALTER COLUMN boxed_by TYPE text"))
"""),
            on=POSTGRESQL,
            against_code=True,
        ),
        good(
            "second_column",
            verbs(
                'op.add_column("archive", Column("department", String(80)))',
                'op.drop_column("archive", "department")',
            ),
            against_code=True,
        ),
        rows=(37, 52),
    ),
    *pair(
        "vouchers",
        "create vouchers, and note them with the orders",
        "regular customers get one at Christmas",
        bad(
            "half_of_it_looks_like_all",
            Promise.CRASH_SAFE,
            raw(f"""
if inspect(db.engine).has_table("vouchers"):
    return True
with db.engine.begin() as connection:
    connection.execute(text("{VOUCHERS}"))
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE orders ADD COLUMN voucher_id INTEGER"))
""", """
columns = {column["name"] for column in inspect(db.engine).get_columns("orders")}
with db.engine.begin() as connection:
    if "voucher_id" in columns:
        connection.execute(text("ALTER TABLE orders DROP COLUMN voucher_id"))
    connection.execute(text("DROP TABLE IF EXISTS vouchers"))
"""),
        ),
        bad(
            "commits_without_looking",
            Promise.CRASH_SAFE,
            raw("""
with db.engine.connect() as connection:
    connection.execute(text("CREATE TABLE vouchers (id INTEGER PRIMARY KEY, code VARCHAR(20) NOT NULL)"))
    connection.commit()
    connection.execute(text("ALTER TABLE orders ADD COLUMN voucher_id INTEGER"))
    connection.commit()
""", """
with db.engine.connect() as connection:
    connection.execute(text("ALTER TABLE orders DROP COLUMN voucher_id"))
    connection.commit()
    connection.execute(text("DROP TABLE vouchers"))
    connection.commit()
"""),
        ),
        bad(
            "first_step_is_counted_twice",
            Promise.CRASH_SAFE,
            raw("""
if "voucher_id" in {column["name"] for column in inspect(db.engine).get_columns("orders")}:
    return True
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(text("INSERT INTO archive (label) VALUES ('Vouchers of this year')"))
    connection.execute(text("ALTER TABLE orders ADD COLUMN voucher_id INTEGER"))
""", """
if "voucher_id" in {column["name"] for column in inspect(db.engine).get_columns("orders")}:
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM archive WHERE label = 'Vouchers of this year'"))
        connection.execute(text("ALTER TABLE orders DROP COLUMN voucher_id"))
"""),
        ),
        good(
            "each_step_looks",
            raw(f"""
with db.engine.begin() as connection:
    connection.execute(text("{VOUCHERS}"))
if "voucher_id" not in {{column["name"] for column in inspect(db.engine).get_columns("orders")}}:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE orders ADD COLUMN voucher_id INTEGER"))
""", """
if "voucher_id" in {column["name"] for column in inspect(db.engine).get_columns("orders")}:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE orders DROP COLUMN voucher_id"))
with db.engine.begin() as connection:
    connection.execute(text("DROP TABLE IF EXISTS vouchers"))
"""),
        ),
        good(
            "one_transaction",
            raw(f"""
if inspect(db.engine).has_table("vouchers"):
    return True
with db.engine.begin() as connection:
    connection.execute(text("{VOUCHERS}"))
    connection.execute(text("ALTER TABLE orders ADD COLUMN voucher_id INTEGER"))
""", """
if not inspect(db.engine).has_table("vouchers"):
    return True
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE orders DROP COLUMN voucher_id"))
    connection.execute(text("DROP TABLE vouchers"))
"""),
        ),
    ),
    *pair(
        "ratings",
        "create ratings",
        "customers say what they think of an item",
        bad(
            "errors_are_only_printed",
            Promise.DOCUMENTED,
            raw("""
try:
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS ratings (id INTEGER PRIMARY KEY, stars INTEGER)"))
except Exception as error:
    print(f"Error: {error}")
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP TABLE IF EXISTS ratings"))
"""),
        ),
        bad(
            "no_reason",
            Promise.DOCUMENTED,
            whole('''
                from nonstop import op
                from sqlalchemy import Column, Integer


                def apply():
                    op.create_table("ratings", Column("id", Integer, primary_key=True), Column("stars", Integer))


                def rollback():
                    op.drop_table("ratings")
            '''),
        ),
        good(
            "errors_are_told",
            raw("""
try:
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS ratings (id INTEGER PRIMARY KEY, stars INTEGER)"))
except Exception as error:
    print(f"Error: {error}")
    return False
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP TABLE IF EXISTS ratings"))
"""),
        ),
    ),
)  # fmt: skip
