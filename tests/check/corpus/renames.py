"""Renames, and columns that are split, merged or moved: with the old name alive, and without."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import POSTGRESQL, bad, good, pair, raw, verbs

EXAMPLES = (
    *pair(
        "city_is_town",
        "call customers.city customers.town",
        "villages have complained",
        bad(
            "renamed",
            Promise.COMPATIBLE,
            raw("""
if "city" in {column["name"] for column in inspect(db.engine).get_columns("customers")}:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE customers RENAME COLUMN city TO town"))
""", """
if "town" in {column["name"] for column in inspect(db.engine).get_columns("customers")}:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE customers RENAME COLUMN town TO city"))
"""),
        ),
        good(
            "both_kept_in_step",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE customers ADD COLUMN IF NOT EXISTS town text"))
    connection.execute(text(KEEP_IN_STEP))
    connection.execute(text(
        "CREATE OR REPLACE TRIGGER keep_town BEFORE INSERT OR UPDATE ON customers"
        " FOR EACH ROW EXECUTE FUNCTION keep_town()"
    ))
done = -1
while done is not None:
    with db.engine.begin() as connection:
        last = connection.execute(LAST_OF_BATCH, {"done": done}).scalar()
        connection.execute(FILL, {"done": done, "last": last})
    done = last
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP TRIGGER IF EXISTS keep_town ON customers"))
    connection.execute(text("DROP FUNCTION IF EXISTS keep_town()"))
    connection.execute(text("ALTER TABLE customers DROP COLUMN IF EXISTS town"))
""", before='''
KEEP_IN_STEP = """
    CREATE OR REPLACE FUNCTION keep_town() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            NEW.town := coalesce(NEW.town, NEW.city);
            NEW.city := coalesce(NEW.city, NEW.town);
        ELSIF NEW.city IS DISTINCT FROM OLD.city THEN
            NEW.town := NEW.city;
        ELSIF NEW.town IS DISTINCT FROM OLD.town AND OLD.town IS NOT DISTINCT FROM OLD.city THEN
            NEW.city := NEW.town;
        END IF;
        RETURN NEW;
    END $$"""
LAST_OF_BATCH = text(
    "SELECT max(id) FROM (SELECT id FROM customers WHERE id > :done ORDER BY id LIMIT 1000) AS batch"
)
FILL = text("UPDATE customers SET town = city WHERE id > :done AND id <= :last AND town IS NULL")
'''),
            on=POSTGRESQL,
        ),
        good(
            "new_column_only",
            verbs(
                'op.add_column("customers", Column("town", Text))',
                'op.drop_column("customers", "town")',
            ),
        ),
        rows=(40, 43, 51, 52),
    ),
    *pair(
        "items_are_products",
        "call the table items products",
        "the new catalogue sells services too",
        bad(
            "renamed",
            Promise.COMPATIBLE,
            verbs('op.rename_table("items", "products")', 'op.rename_table("products", "items")'),
        ),
        bad(
            "renamed_raw",
            Promise.ADDITIVE,
            raw("""
if inspect(db.engine).has_table("items"):
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE items RENAME TO products"))
""", """
if inspect(db.engine).has_table("products"):
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE products RENAME TO items"))
"""),
        ),
        good(
            "old_name_is_a_view",
            raw("""
if not inspect(db.engine).has_table("products"):
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE items RENAME TO products"))
        connection.execute(text("CREATE VIEW items AS SELECT * FROM products"))
""", """
if inspect(db.engine).has_table("products"):
    with db.engine.begin() as connection:
        connection.execute(text("DROP VIEW items"))
        connection.execute(text("ALTER TABLE products RENAME TO items"))
"""),
            on=POSTGRESQL,
            against_code=True,
        ),
        good(
            "new_name_is_a_view",
            raw("""
if "products" not in inspect(db.engine).get_view_names():
    with db.engine.begin() as connection:
        connection.execute(text("CREATE VIEW products AS SELECT id, sku, title, price FROM items"))
""", """
if "products" in inspect(db.engine).get_view_names():
    with db.engine.begin() as connection:
        connection.execute(text("DROP VIEW products"))
"""),
        ),
        rows=(41, 49),
    ),
    *pair(
        "title_is_label",
        "call items.title items.label",
        "it is what is printed on the label",
        bad(
            "renamed",
            Promise.ADDITIVE,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text(\"\"\"
        DO $$
        BEGIN
            ALTER TABLE items RENAME COLUMN title TO label;
        EXCEPTION WHEN undefined_column THEN NULL;
        END $$\"\"\"))
""", """
with db.engine.begin() as connection:
    connection.execute(text(\"\"\"
        DO $$
        BEGIN
            ALTER TABLE items RENAME COLUMN label TO title;
        EXCEPTION WHEN undefined_column THEN NULL;
        END $$\"\"\"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "view_with_both_names",
            raw("""
if not inspect(db.engine).has_table("items_2"):
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE items RENAME COLUMN title TO label"))
        connection.execute(text("ALTER TABLE items RENAME TO items_2"))
        connection.execute(text(
            "CREATE VIEW items AS SELECT id, sku, label AS title, price, barcode, weight, weight_grams FROM items_2"
        ))
""", """
if inspect(db.engine).has_table("items_2"):
    with db.engine.begin() as connection:
        connection.execute(text("DROP VIEW items"))
        connection.execute(text("ALTER TABLE items_2 RENAME TO items"))
        connection.execute(text("ALTER TABLE items RENAME COLUMN label TO title"))
"""),
            on=POSTGRESQL,
            against_code=True,
        ),
        rows=(40, 49),
    ),
    *pair(
        "name_in_two_parts",
        "split customers.name into first and last name",
        "letters begin with the last name",
        bad(
            "old_one_dropped",
            Promise.ADDITIVE,
            raw("""
columns = {column["name"] for column in inspect(db.engine).get_columns("customers")}
with db.engine.begin() as connection:
    if "last_name" not in columns:
        connection.execute(text("ALTER TABLE customers ADD COLUMN first_name VARCHAR(80)"))
        connection.execute(text("ALTER TABLE customers ADD COLUMN last_name VARCHAR(80)"))
    if "name" in columns:
        connection.execute(text("UPDATE customers SET last_name = name"))
        connection.execute(text("ALTER TABLE customers DROP COLUMN name"))
""", """
columns = {column["name"] for column in inspect(db.engine).get_columns("customers")}
with db.engine.begin() as connection:
    if "name" not in columns:
        connection.execute(text("ALTER TABLE customers ADD COLUMN name VARCHAR(80) NOT NULL DEFAULT ''"))
        connection.execute(text("UPDATE customers SET name = last_name WHERE last_name IS NOT NULL"))
    if "last_name" in columns:
        connection.execute(text("ALTER TABLE customers DROP COLUMN last_name"))
        connection.execute(text("ALTER TABLE customers DROP COLUMN first_name"))
"""),
        ),
        good(
            "expanded",
            raw("""
columns = {column["name"] for column in inspect(db.engine).get_columns("customers")}
with db.engine.begin() as connection:
    for name in ("first_name", "last_name"):
        if name not in columns:
            connection.execute(text(f"ALTER TABLE customers ADD COLUMN {name} VARCHAR(80)"))
done = -1
while done is not None:
    with db.engine.begin() as connection:
        last = connection.execute(LAST_OF_BATCH, {"done": done}).scalar()
        connection.execute(FILL, {"done": done, "last": last})
    done = last
""", """
columns = {column["name"] for column in inspect(db.engine).get_columns("customers")}
with db.engine.begin() as connection:
    for name in ("first_name", "last_name"):
        if name in columns:
            connection.execute(text(f"ALTER TABLE customers DROP COLUMN {name}"))
""", before="""
LAST_OF_BATCH = text(
    "SELECT max(id) FROM (SELECT id FROM customers WHERE id > :done ORDER BY id LIMIT 1000) AS batch"
)
FILL = text("UPDATE customers SET last_name = name WHERE id > :done AND id <= :last AND last_name IS NULL")
"""),
        ),
        rows=(44, 50),
    ),
    *pair(
        "phones_of_their_own",
        "move customers.phone into a table of its own",
        "customers have several phones",
        bad(
            "moved",
            Promise.COMPATIBLE,
            verbs("""
op.create_table(
    "phones",
    Column("id", Integer, primary_key=True),
    Column("customer_id", Integer, ForeignKey("customers.id", name="fk_phones_customer_id"), nullable=False),
    Column("number", String(20), nullable=False),
)
op.create_index("idx_phones_customer_id", "phones", ["customer_id"])
op.execute("INSERT INTO phones (customer_id, number) SELECT id, phone FROM customers WHERE phone IS NOT NULL")
op.drop_column("customers", "phone")
""", """
op.irreversible("the numbers are in another table now")
"""),
        ),
        good(
            "copied",
            verbs("""
op.create_table(
    "phones",
    Column("id", Integer, primary_key=True),
    Column("customer_id", Integer, ForeignKey("customers.id", name="fk_phones_customer_id"), nullable=False),
    Column("number", String(20), nullable=False),
)
op.create_index("idx_phones_customer_id", "phones", ["customer_id"])
op.execute(
    "INSERT INTO phones (customer_id, number) SELECT id, phone FROM customers WHERE phone IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM phones WHERE phones.customer_id = customers.id)"
)
""", """
op.drop_table("phones")
"""),
        ),
        rows=(32, 44),
    ),
)  # fmt: skip
