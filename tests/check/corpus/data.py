"""Rows: seeds, backfills, purges."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import POSTGRESQL, bad, contract, good, pair, raw, verbs

ADD_SUM = """
if "line_sum" not in {column["name"] for column in inspect(db.engine).get_columns("order_lines")}:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE order_lines ADD COLUMN line_sum INTEGER"))
"""
DROP_SUM = """
if "line_sum" in {column["name"] for column in inspect(db.engine).get_columns("order_lines")}:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE order_lines DROP COLUMN line_sum"))
"""
BATCH = """
LAST_OF_BATCH = text(
    "SELECT max(id) FROM (SELECT id FROM order_lines WHERE id > :done ORDER BY id LIMIT 1000) AS batch"
)
FILL = text(
    "UPDATE order_lines SET line_sum = quantity * 100 WHERE id > :done AND id <= :last AND line_sum IS NULL"
)
"""

EXAMPLES = (
    *pair(
        "lost_and_found",
        "give lost things a box in the archive",
        "the counter needs a place to put them",
        bad(
            "once_more_on_each_run",
            Promise.IDEMPOTENT,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("INSERT INTO archive (label) VALUES ('Lost and found')"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DELETE FROM archive WHERE label = 'Lost and found'"))
"""),
        ),
        bad(
            "under_a_lock",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("LOCK TABLE customers, orders IN ACCESS EXCLUSIVE MODE"))
    connection.execute(text(
        "INSERT INTO archive (label) SELECT 'Lost and found'"
        " WHERE NOT EXISTS (SELECT 1 FROM archive WHERE label = 'Lost and found')"
    ))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DELETE FROM archive WHERE label = 'Lost and found'"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "where_not_exists",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text(
        "INSERT INTO archive (label) SELECT 'Lost and found'"
        " WHERE NOT EXISTS (SELECT 1 FROM archive WHERE label = 'Lost and found')"
    ))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DELETE FROM archive WHERE label = 'Lost and found'"))
"""),
        ),
        good(
            "looked_up_with_core",
            raw("""
with db.engine.begin() as connection:
    found = connection.execute(select(ARCHIVE.c.label).where(ARCHIVE.c.label == LABEL)).first()
    if found is None:
        connection.execute(insert(ARCHIVE).values(label=LABEL))
""", """
with db.engine.begin() as connection:
    connection.execute(delete(ARCHIVE).where(ARCHIVE.c.label == LABEL))
""", before="""
from sqlalchemy import column, delete, insert, select, table

ARCHIVE = table("archive", column("label"))
LABEL = "Lost and found"
"""),
        ),
    ),
    *pair(
        "countries",
        "create the countries that are delivered to",
        "the address form offers them",
        bad(
            "filled_on_each_run",
            Promise.IDEMPOTENT,
            verbs("""
op.create_table("countries", Column("code", String(2), nullable=False), Column("name", String(40)))
op.execute("INSERT INTO countries (code, name) VALUES ('CH', 'Switzerland'), ('IT', 'Italy')")
""", """
op.drop_table("countries")
"""),
        ),
        good(
            "filled_once",
            verbs("""
op.create_table("countries", Column("code", String(2), primary_key=True), Column("name", String(40)))
op.execute(
    "INSERT INTO countries (code, name) VALUES ('CH', 'Switzerland'), ('IT', 'Italy')"
    " ON CONFLICT (code) DO NOTHING"
)
""", """
op.drop_table("countries")
"""),
        ),
    ),
    *pair(
        "line_sums",
        "keep the sum of an order's line",
        "the monthly report adds up millions of them",
        bad(
            "in_one_statement",
            Promise.NO_DOWNTIME,
            raw(ADD_SUM + """
with db.engine.begin() as connection:
    connection.execute(text("UPDATE order_lines SET line_sum = quantity * 100 WHERE line_sum IS NULL"))
""", DROP_SUM),
            on=POSTGRESQL,
        ),
        bad(
            "in_one_transaction",
            Promise.NO_DOWNTIME,
            raw(ADD_SUM + """
done = -1
with db.engine.begin() as connection:
    while done is not None:
        last = connection.execute(LAST_OF_BATCH, {"done": done}).scalar()
        connection.execute(FILL, {"done": done, "last": last})
        done = last
""", DROP_SUM, before=BATCH),
            on=POSTGRESQL,
        ),
        good(
            "in_batches",
            raw(ADD_SUM + """
done = -1
while done is not None:
    with db.engine.begin() as connection:
        last = connection.execute(LAST_OF_BATCH, {"done": done}).scalar()
        connection.execute(FILL, {"done": done, "last": last})
    done = last
""", DROP_SUM, before=BATCH),
        ),
        good(
            "in_batches_that_skip_what_is_locked",
            raw(ADD_SUM + """
filled = None
while filled != 0:
    with db.engine.begin() as connection:
        filled = connection.execute(text(
            "UPDATE order_lines SET line_sum = quantity * 100 WHERE id IN"
            " (SELECT id FROM order_lines WHERE line_sum IS NULL ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED)"
        )).rowcount
""", DROP_SUM),
            on=POSTGRESQL,
        ),
        good(
            "in_batches_with_commit",
            raw(ADD_SUM + """
with db.engine.connect() as connection:
    ids = connection.execute(select(LINES.c.id).where(LINES.c.line_sum.is_(None)).order_by(LINES.c.id)).scalars().all()
    connection.commit()
    for first in range(0, len(ids), 500):
        connection.execute(
            update(LINES).where(LINES.c.id.in_(ids[first : first + 500])).values(line_sum=LINES.c.quantity * 100)
        )
        connection.commit()
""", DROP_SUM, before="""
from sqlalchemy import column, select, table, update

LINES = table("order_lines", column("id"), column("quantity"), column("line_sum"))
"""),
        ),
    ),
    *pair(
        "loyalty_points",
        "give the first customers a point",
        "they were promised one when the shop was opened",
        bad(
            "one_more_on_each_run",
            Promise.IDEMPOTENT,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE customers SET loyalty = loyalty + 1 WHERE id < 500"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("UPDATE customers SET loyalty = loyalty - 1 WHERE id < 500"))
"""),
        ),
        good(
            "award_of_its_own",
            verbs(
                'op.add_column("customers", Column("award", Integer, server_default=text("0")))',
                'op.drop_column("customers", "award")',
            ),
        ),
    ),
    *pair(
        "old_boxes",
        "empty the archive",
        "the boxes have been destroyed, as the law demands after ten years",
        bad(
            "deleted_at_once",
            Promise.ADDITIVE,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("DELETE FROM archive_pages"))
    connection.execute(text("DELETE FROM archive"))
"""),
            against_code=True,
        ),
        bad(
            "truncated",
            Promise.ADDITIVE,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("TRUNCATE archive, archive_pages"))
"""),
            on=POSTGRESQL,
            against_code=True,
        ),
        good(
            "contract_in_batches",
            contract(
                raw("""
for name in ("archive_pages", "archive"):
    deleted = None
    while deleted != 0:
        with db.engine.begin() as connection:
            deleted = connection.execute(
                text(f"DELETE FROM {name} WHERE id IN (SELECT id FROM {name} ORDER BY id LIMIT 500)")
            ).rowcount
""", 'op.irreversible("the boxes have been destroyed")', before="from nonstop import op"),
                "the boxes have been destroyed",
            ),
            against_code=True,
        ),
        rows=(50, 55),
    ),
    *pair(
        "finished_orders",
        "delete orders that the books have taken over",
        "the application shows none that are older than the books",
        bad(
            "deleted_at_once",
            Promise.ADDITIVE,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("DELETE FROM orders WHERE placed_at < '2099-01-01'"))
"""),
            against_code=True,
        ),
        good(
            "contract_in_batches",
            contract(
                raw("""
with db.engine.connect() as connection:
    last = connection.execute(text("SELECT max(id) FROM orders")).scalar() or 0
for first in range(0, last + 1, 500):
    with db.engine.begin() as connection:
        connection.execute(
            text("DELETE FROM orders WHERE id >= :first AND id < :end AND placed_at < '2099-01-01'"),
            {"first": first, "end": first + 500},
        )
""", 'op.irreversible("the books have them")', before="from nonstop import op"),
                "the books have them",
            ),
            against_code=True,
        ),
        rows=(50, 55),
    ),
)  # fmt: skip
