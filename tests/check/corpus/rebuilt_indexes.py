"""Indexes of partitioned tables, indexes that are built anew, statistics."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import POSTGRESQL, bad, good, pair, raw, verbs

EXAMPLES = (
    *pair(
        "readings_by_sensor",
        "index readings.sensor in all partitions",
        "a sensor's page shows its own readings",
        bad(
            "plain_on_the_parent",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("CREATE INDEX IF NOT EXISTS idx_readings_sensor ON readings (sensor)"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP INDEX IF EXISTS idx_readings_sensor"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "verb",
            verbs(
                'op.create_index("idx_readings_sensor", "readings", ["sensor"])',
                'op.drop_index("idx_readings_sensor", "readings")',
            ),
        ),
        rows=(20,),
    ),
    *pair(
        "bloated_index",
        "rebuild the indexes of orders",
        "they have grown to three times their size since the import",
        bad(
            "reindex",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("REINDEX TABLE orders"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "reindex_concurrently",
            raw("""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(text("REINDEX TABLE CONCURRENTLY orders"))
"""),
            on=POSTGRESQL,
        ),
        rows=(22,),
    ),
    *pair(
        "fresh_statistics",
        "index payments.paid_on and bring the statistics up to date",
        "the planner does not know about the new index's column otherwise",
        bad(
            "vacuum_full",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(text("CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_payments_paid_on ON payments (paid_on)"))
    connection.execute(text("VACUUM FULL ANALYZE payments"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP INDEX IF EXISTS idx_payments_paid_on"))
"""),
            on=POSTGRESQL,
        ),
        bad(
            "cluster",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("CLUSTER payments USING payments_pkey"))
    connection.execute(text("ALTER TABLE payments SET WITHOUT CLUSTER"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "analyze",
            verbs("""
op.create_index("idx_payments_paid_on", "payments", ["paid_on"])
op.execute("ANALYZE payments")
""", """
op.drop_index("idx_payments_paid_on", "payments")
"""),
        ),
        rows=(14, 24),
    ),
)  # fmt: skip
