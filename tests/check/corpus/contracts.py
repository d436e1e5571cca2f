"""The second half of a change: what no running code uses is taken away, and not before."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import POSTGRESQL, bad, contract, good, pair, raw, verbs

DROP_FAX = 'op.drop_column("customers", "fax")'
ADD_FAX = 'op.add_column("customers", Column("fax", String(20)))'
DROP_WEIGHT = """
if "weight" in {column["name"] for column in inspect(db.engine).get_columns("items")}:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE items DROP COLUMN weight"))
"""
ADD_WEIGHT = """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE items ADD COLUMN IF NOT EXISTS weight integer"))
"""

EXAMPLES = (
    *pair(
        "fax",
        "drop customers.fax",
        "nobody has sent a fax since the last release but one",
        bad("without_a_phase", Promise.ADDITIVE, verbs(DROP_FAX, ADD_FAX), against_code=True),
        bad(
            "without_a_phase_raw",
            Promise.ADDITIVE,
            raw("""
if "fax" in {column["name"] for column in inspect(db.engine).get_columns("customers")}:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE customers DROP COLUMN fax"))
""", """
if "fax" not in {column["name"] for column in inspect(db.engine).get_columns("customers")}:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE customers ADD COLUMN fax VARCHAR(20)"))
"""),
            against_code=True,
        ),
        good("contract", contract(verbs(DROP_FAX, ADD_FAX), "fax numbers are of no use"), against_code=True),
        good(
            "contract_without_a_way_back",
            contract(
                verbs(DROP_FAX, 'op.irreversible("the numbers are gone")'), "fax numbers are of no use"
            ),
            against_code=True,
        ),
        rows=(42, 50, 53),
    ),
    *pair(
        "remark",
        "drop what is no longer read",
        "remarks are kept with the lines of an order",
        bad(
            "code_still_reads_it",
            Promise.COMPATIBLE,
            contract(
                verbs('op.drop_column("orders", "remark")', 'op.add_column("orders", Column("remark", Text))'),
                "remarks are with the lines",
            ),
            against_code=True,
        ),
        bad(
            "table_is_still_read",
            Promise.COMPATIBLE,
            contract(
                raw("""
with db.engine.begin() as connection:
    connection.execute(text("DROP TABLE IF EXISTS price_history"))
""", 'op.irreversible("it is gone")', before="from nonstop import op"),
                "prices are kept elsewhere",
            ),
            against_code=True,
        ),
        good(
            "code_no_longer_reads_it",
            contract(
                raw("""
if "memo" in {column["name"] for column in inspect(db.engine).get_columns("archive")}:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE archive DROP COLUMN memo"))
""", """
if "memo" not in {column["name"] for column in inspect(db.engine).get_columns("archive")}:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE archive ADD COLUMN memo TEXT"))
"""),
                "memos are with the lines",
            ),
            against_code=True,
        ),
        rows=(42, 54),
    ),
    *pair(
        "weight",
        "drop items.weight, which weight_grams has replaced",
        "the release that runs reads grams only",
        bad(
            "trigger_is_left",
            Promise.COMPATIBLE,
            contract(raw(DROP_WEIGHT, ADD_WEIGHT), "weight_grams has them all"),
            on=POSTGRESQL,
            against_code=True,
        ),
        good(
            "trigger_first",
            contract(
                raw("""
with db.engine.begin() as connection:
    connection.execute(text("DROP TRIGGER IF EXISTS copy_item_weight ON items"))
    connection.execute(text("DROP FUNCTION IF EXISTS copy_item_weight()"))
    connection.execute(text("ALTER TABLE items DROP COLUMN IF EXISTS weight"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE items ADD COLUMN IF NOT EXISTS weight integer"))
    connection.execute(text(COPY_WEIGHT))
    connection.execute(text(
        "CREATE OR REPLACE TRIGGER copy_item_weight BEFORE INSERT OR UPDATE ON items"
        " FOR EACH ROW EXECUTE FUNCTION copy_item_weight()"
    ))
""", before='''
COPY_WEIGHT = """
    CREATE OR REPLACE FUNCTION copy_item_weight() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.weight_grams := coalesce(NEW.weight_grams, NEW.weight * 1000);
    RETURN NEW;
END $$"""
'''),
                "weight_grams has them all",
            ),
            on=POSTGRESQL,
            against_code=True,
        ),
        rows=(42, 43, 51, 53),
    ),
    *pair(
        "former_view",
        "drop the view archive_labels",
        "the label printer has been sold",
        bad(
            "without_a_phase",
            Promise.ADDITIVE,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("DROP VIEW IF EXISTS archive_labels"))
""", """
if "archive_labels" not in inspect(db.engine).get_view_names():
    with db.engine.begin() as connection:
        connection.execute(text("CREATE VIEW archive_labels AS SELECT id, label FROM archive"))
"""),
            against_code=True,
        ),
        good(
            "contract",
            contract(
                raw("""
with db.engine.begin() as connection:
    connection.execute(text("DROP VIEW IF EXISTS archive_labels"))
""", """
if "archive_labels" not in inspect(db.engine).get_view_names():
    with db.engine.begin() as connection:
        connection.execute(text("CREATE VIEW archive_labels AS SELECT id, label FROM archive"))
"""),
                "a view holds no data",
            ),
            against_code=True,
        ),
        rows=(42, 50),
    ),
)  # fmt: skip
