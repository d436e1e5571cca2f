"""Who may see which rows."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import POSTGRESQL, bad, good, pair, raw

SECURITY_OFF = """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE payments DISABLE ROW LEVEL SECURITY"))
    connection.execute(text("ALTER TABLE payments NO FORCE ROW LEVEL SECURITY"))
    connection.execute(text("DROP POLICY IF EXISTS everybody ON payments"))
"""

EXAMPLES = pair(
    "row_security",
    "prepare payments for tenants of their own",
    "each shop is to see its own payments one day",
    bad(
        "without_a_policy",
        Promise.ADDITIVE,
        raw("""
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE payments ENABLE ROW LEVEL SECURITY"))
    connection.execute(text("ALTER TABLE payments FORCE ROW LEVEL SECURITY"))
""", SECURITY_OFF),
        on=POSTGRESQL,
        against_code=True,
    ),
    good(
        "that_lets_everybody_in",
        raw("""
with db.engine.begin() as connection:
    connection.execute(text("DROP POLICY IF EXISTS everybody ON payments"))
    connection.execute(text("CREATE POLICY everybody ON payments USING (true)"))
    connection.execute(text("ALTER TABLE payments ENABLE ROW LEVEL SECURITY"))
""", SECURITY_OFF),
        on=POSTGRESQL,
        against_code=True,
    ),
)  # fmt: skip
