"""A catalogue of raw statements, each with the class that it must be put into.

The tables are those of ``tests.support.busy_tables``. Rows that PostgreSQL can't run inside a transaction, or that the
servers of the tests don't all know, carry ``measured=False``.
"""

from __future__ import annotations

from dataclasses import dataclass

from nonstop.descriptions.statements import Kind

READS, BRIEF, UNKNOWN = Kind.READS, Kind.BRIEF, Kind.UNKNOWN
ONLINE_INDEX, NOT_VALID = Kind.ONLINE_INDEX, Kind.NOT_VALID
CONCURRENT, BLOCKING = Kind.CONCURRENT, Kind.BLOCKING


@dataclass(frozen=True)
class Case:
    """``sql`` holds one statement for each of ``kinds``.

    ``before`` runs first, in the same transaction. ``passes``: a look at the catalog shows that it is brief after all.
    ``cautious``: the class is stricter than what happens on these tables, because neither text nor catalog tells.
    """

    sql: str
    kinds: tuple[Kind, ...]
    before: str = ""
    passes: bool = False
    cautious: bool = False
    measured: bool = True
    loses_data: bool = False


def reads(sql: str, **more) -> Case:
    return Case(sql, (READS,), **more)


def brief(sql: str, **more) -> Case:
    return Case(sql, (BRIEF,), **more)


def loses(sql: str, *kinds: Kind, **more) -> Case:
    return Case(sql, kinds or (BRIEF,), loses_data=True, **more)


def blocking(sql: str, **more) -> Case:
    return Case(sql, (BLOCKING,), **more)


def unknown(sql: str, **more) -> Case:
    return Case(sql, (UNKNOWN,), **more)


ROWS = [
    reads("SELECT count(*) FROM orders"),
    reads("(SELECT id FROM orders) UNION ALL (SELECT id FROM cars)"),
    reads("/* DROP TABLE orders; */ SELECT 1"),
    reads("-- ALTER TABLE orders ADD COLUMN x serial;\nSELECT 'DROP TABLE orders'"),
    reads("SELECT $x$; DROP TABLE orders; $x$ AS text"),
    reads("SELECT * FROM orders WHERE id = 5 FOR UPDATE"),
    reads("INSERT INTO orders (id, car_id, price) VALUES (900001, 1, 5), (900002, 2, 6)"),
    reads("INSERT INTO orders SELECT 900003 ON CONFLICT (id) DO UPDATE SET (note, price) = ('x', 1)"),
    reads("UPDATE orders SET note = upper(note), price = coalesce(price, 0) WHERE id IN (1, 2)"),
    reads(
        "WITH old (at) AS (SELECT at FROM loose LIMIT 1) DELETE FROM loose l USING old WHERE l.at = old.at"
    ),
    reads("DELETE FROM ONLY loose WHERE at = 1"),
    loses("DELETE FROM items", READS),
    loses("WITH gone AS (DELETE FROM items RETURNING *) SELECT count(*) FROM gone", READS),
    reads("TABLE cars"),
    reads("VALUES (1, 'a'), (2, 'b')"),
    reads("MERGE INTO orders o USING cars c ON o.id = c.id WHEN MATCHED THEN UPDATE SET note = c.plate"),
    reads("COPY orders (id, note) TO STDOUT", measured=False),
    reads("EXPLAIN ALTER TABLE orders ADD COLUMN x int", measured=False),
    reads("EXPLAIN (ANALYZE, COSTS OFF) UPDATE orders SET note = 'x' WHERE id = 1"),
    reads("SELECT nextval('orders_id_seq'), clock_timestamp(), gen_random_uuid()"),
    reads("PREPARE one AS SELECT * FROM orders WHERE id = $1"),
    reads("SET LOCAL search_path = app"),
    reads("SAVEPOINT here"),
    reads("LOCK TABLE orders IN ROW EXCLUSIVE MODE"),
    reads("DECLARE walk CURSOR FOR SELECT * FROM orders"),
    Case("SELECT 1; ; -- nothing more\n /* ; */", (READS,)),
]

NEW_THINGS = [
    brief("CREATE TABLE fresh (id serial PRIMARY KEY, code uuid DEFAULT gen_random_uuid() UNIQUE)"),
    brief(
        "CREATE TABLE fresh (id int PRIMARY KEY, order_id int REFERENCES orders, car int REFERENCES public.cars (id))"
    ),
    brief("CREATE TABLE fresh (id int, FOREIGN KEY (id) REFERENCES measurements_keyed)"),
    brief("CREATE TABLE fresh (id int PRIMARY KEY, up int REFERENCES fresh)"),
    brief("CREATE TABLE fresh () INHERITS (vehicles)"),
    brief("CREATE TABLE fresh (LIKE orders INCLUDING ALL)"),
    brief("CREATE TABLE fresh AS SELECT * FROM orders"),
    brief("SELECT * INTO TEMP fresh FROM orders"),
    brief("CREATE TEMP TABLE fresh (id int PRIMARY KEY)"),
    brief("CREATE TEMPORARY TABLE fresh ON COMMIT DROP AS TABLE orders"),
    brief(
        "ALTER TABLE pg_temp.fresh ADD COLUMN code uuid DEFAULT gen_random_uuid()",
        before="CREATE TEMP TABLE fresh ()",
    ),
    brief("CREATE INDEX ON pg_temp.fresh (id)", before="CREATE TEMP TABLE fresh (id int)"),
    brief("CREATE TABLE fresh PARTITION OF measurements_keyed DEFAULT"),
    blocking(
        "CREATE TABLE fresh PARTITION OF measurements_keyed FOR VALUES FROM (9000) TO (9999)", passes=True
    ),
    blocking("CREATE TABLE fresh PARTITION OF measurements FOR VALUES FROM (9000) TO (9999)"),
    brief("CREATE VIEW fresh AS SELECT * FROM orders"),
    brief("CREATE OR REPLACE VIEW open_orders AS SELECT id, second_car FROM orders"),
    brief("CREATE MATERIALIZED VIEW fresh AS SELECT count(*) FROM orders"),
    brief("CREATE SEQUENCE fresh OWNED BY orders.id"),
    brief("CREATE TYPE fresh AS ENUM ('a', 'b')"),
    brief("CREATE DOMAIN fresh AS int CHECK (VALUE > 0)"),
    brief("CREATE SCHEMA fresh"),
    brief(
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 2; /* ; DROP TABLE orders; */ SELECT 1; $$"
    ),
    brief(
        "CREATE FUNCTION g() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END"
    ),
    brief("CREATE TRIGGER t BEFORE UPDATE OF note ON public.orders FOR EACH ROW EXECUTE FUNCTION touch()"),
    brief("CREATE TRIGGER t AFTER INSERT ON measurements FOR EACH ROW EXECUTE FUNCTION touch()"),
    brief("CREATE RULE r AS ON INSERT TO orders DO ALSO (SELECT 1; SELECT 2)"),
    brief("CREATE POLICY p ON orders USING (true)"),
    brief("CREATE STATISTICS fresh (dependencies) ON price, note FROM orders"),
    brief("CREATE PUBLICATION fresh FOR TABLE orders, cars"),
    unknown("CREATE SCHEMA fresh CREATE TABLE t (id int)"),
]

COLUMNS = [
    brief("ALTER TABLE orders ADD COLUMN x varchar(50)"),
    brief("/* why */ -- and how\nalter table if exists only Public.Orders add x int"),
    brief('ALTER TABLE "Order Items" ADD COLUMN "New One" text NOT NULL DEFAULT \'a, b\''),
    brief("ALTER TABLE app.events ADD x timestamptz DEFAULT now(), ADD y numeric(10, 2) DEFAULT 0 NOT NULL"),
    brief("ALTER TABLE orders ADD COLUMN x double precision DEFAULT (1.5 + 2)::numeric"),
    brief("ALTER TABLE orders ADD COLUMN x int REFERENCES cars (id) ON DELETE SET NULL"),
    brief("ALTER TABLE vehicles ADD COLUMN x int"),
    brief("ALTER TABLE measurements ADD COLUMN x int DEFAULT 5"),
    brief("ALTER FOREIGN TABLE elsewhere ADD COLUMN x int", measured=False),
    blocking("ALTER TABLE orders ADD COLUMN x uuid DEFAULT gen_random_uuid()"),
    blocking("ALTER TABLE orders ADD COLUMN x float DEFAULT random()"),
    blocking("ALTER TABLE orders ADD COLUMN x timestamptz DEFAULT pg_catalog.clock_timestamp()"),
    blocking("ALTER TABLE orders ADD COLUMN x int DEFAULT nextval('orders_id_seq')"),
    blocking("ALTER TABLE orders ADD COLUMN x int REFERENCES cars ON DELETE SET DEFAULT DEFAULT 1"),
    blocking("ALTER TABLE orders ADD x bigserial"),
    blocking("ALTER TABLE orders ADD COLUMN x int GENERATED BY DEFAULT AS IDENTITY"),
    blocking("ALTER TABLE orders ADD COLUMN x numeric GENERATED ALWAYS AS (price * 2) STORED"),
    blocking("ALTER TABLE orders ADD COLUMN x int DEFAULT 1 CHECK (x > 0)"),
    blocking("ALTER TABLE orders ADD COLUMN x int UNIQUE"),
    blocking("ALTER TABLE keyless ADD COLUMN x serial PRIMARY KEY"),
    blocking("ALTER TABLE orders ADD COLUMN x positive DEFAULT 1"),
    blocking("ALTER TABLE orders ADD COLUMN x mood DEFAULT 'ok'", passes=True),
    blocking("ALTER TABLE orders ADD COLUMN x int DEFAULT steady(1), ADD y public.mood", passes=True),
    blocking("ALTER TABLE orders ADD COLUMN x mood, ADD y positive"),
    blocking("ALTER TABLE orders ALTER COLUMN checked SET NOT NULL, ADD CHECK (price > 0)"),
    blocking("ALTER TABLE orders ALTER COLUMN checked SET NOT NULL, VALIDATE CONSTRAINT not_validated"),
    blocking("ALTER TABLE orders ADD COLUMN x int DEFAULT unsteady(1)"),
    loses("ALTER TABLE orders DROP COLUMN note"),
    loses("ALTER TABLE orders DROP IF EXISTS car_id"),
    loses("ALTER TABLE vehicles DROP COLUMN wheels"),
    loses("ALTER TABLE orders DROP COLUMN id CASCADE", UNKNOWN),
    brief("ALTER TABLE orders RENAME COLUMN note TO remark"),
    brief("ALTER TABLE vehicles RENAME wheels TO feet"),
    brief("ALTER TABLE orders ALTER COLUMN note SET DEFAULT gen_random_uuid()::text"),
    brief("ALTER TABLE measurements ALTER value DROP DEFAULT"),
    brief("ALTER TABLE orders ALTER plate DROP NOT NULL, ALTER note SET DEFAULT 'x'"),
    brief("ALTER TABLE orders ALTER COLUMN price SET STATISTICS 500"),
    brief("ALTER TABLE orders ALTER COLUMN price SET (n_distinct = 5)"),
    brief("ALTER TABLE orders ALTER COLUMN note SET STORAGE EXTERNAL"),
    brief("ALTER TABLE cars ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY"),
    blocking("ALTER TABLE orders ALTER COLUMN note SET NOT NULL"),
    blocking("ALTER TABLE measurements ALTER COLUMN value SET NOT NULL"),
    blocking("ALTER TABLE orders ALTER COLUMN checked SET NOT NULL", passes=True),
    blocking("ALTER TABLE orders ALTER COLUMN price TYPE bigint"),
    blocking("ALTER TABLE orders ALTER note SET DATA TYPE varchar(500)"),
    blocking("ALTER TABLE orders ALTER plate TYPE text", passes=True),
    blocking("ALTER TABLE orders ADD COLUMN x int, ALTER COLUMN note SET NOT NULL"),
    blocking("ALTER TABLE cars ALTER COLUMN id TYPE bigint"),
    blocking("ALTER TABLE orders ALTER COLUMN car_id TYPE bigint"),
]

CONSTRAINTS = [
    Case("ALTER TABLE orders ADD CONSTRAINT c CHECK (price >= 0)", (NOT_VALID,)),
    Case("ALTER TABLE orders ADD CHECK (price >= 0 AND price IS NOT NULL)", (NOT_VALID,)),
    Case("ALTER TABLE orders ADD CHECK (length(note) < 500 OR price > 0)", (NOT_VALID,)),
    Case(
        "ALTER TABLE orders ADD FOREIGN KEY (second_car) REFERENCES cars (id) ON DELETE CASCADE -- soon",
        (NOT_VALID,),
    ),
    Case(
        'ALTER TABLE ONLY "Order Items" ADD CONSTRAINT "F K" FOREIGN KEY ("Order") REFERENCES orders',
        (NOT_VALID,),
    ),
    Case(
        "ALTER TABLE app.events ADD FOREIGN KEY (order_id) REFERENCES public.orders, ADD CHECK (id > 0)",
        (NOT_VALID,),
    ),
    Case("ALTER TABLE orders ADD COLUMN x int, ADD CONSTRAINT c CHECK (price >= 0)", (NOT_VALID,)),
    Case("ALTER TABLE measurements ADD CHECK (value >= 0)", (NOT_VALID,)),
    brief("ALTER TABLE orders ADD CONSTRAINT c CHECK (price >= 0) NOT VALID"),
    brief("ALTER TABLE orders ADD FOREIGN KEY (second_car) REFERENCES cars NOT VALID"),
    Case("ALTER TABLE orders VALIDATE CONSTRAINT not_validated", (CONCURRENT,)),
    Case("ALTER TABLE orders VALIDATE CONSTRAINT fk_not_validated", (CONCURRENT,)),
    blocking("ALTER TABLE orders VALIDATE CONSTRAINT not_validated, ADD COLUMN x int"),
    blocking("ALTER TABLE orders ADD CONSTRAINT u UNIQUE (id, note)"),
    blocking("ALTER TABLE app.events ADD UNIQUE (id)"),
    blocking("ALTER TABLE keyless ADD PRIMARY KEY (code)"),
    blocking("ALTER TABLE orders ADD EXCLUDE USING btree (code WITH =)"),
    brief("ALTER TABLE orders ADD CONSTRAINT u UNIQUE USING INDEX ux_orders_code"),
    blocking("ALTER TABLE keyless ADD PRIMARY KEY USING INDEX ux_keyless_nullable"),
    blocking("ALTER TABLE keyless ADD CONSTRAINT k PRIMARY KEY USING INDEX ux_keyless_code", passes=True),
    brief("ALTER TABLE orders DROP CONSTRAINT orders_car_id_fkey"),
    brief("ALTER TABLE orders DROP CONSTRAINT IF EXISTS not_validated"),
    unknown("ALTER TABLE cars DROP CONSTRAINT cars_pkey CASCADE"),
    brief("ALTER TABLE orders ALTER CONSTRAINT orders_car_id_fkey DEFERRABLE INITIALLY DEFERRED"),
    brief("ALTER TABLE orders RENAME CONSTRAINT orders_car_id_fkey TO fk"),
    blocking("ALTER TABLE orders ADD CONSTRAINT n NOT NULL note", measured=False),
    brief("ALTER TABLE orders ADD CONSTRAINT n NOT NULL note NOT VALID", measured=False),
    brief("ALTER TABLE orders ADD CONSTRAINT c CHECK (price > 0) NOT ENFORCED", measured=False),
    blocking("ALTER DOMAIN positive ADD CONSTRAINT c CHECK (VALUE < 1000000)"),
    brief("ALTER DOMAIN positive ADD CONSTRAINT c CHECK (VALUE < 1000000) NOT VALID"),
    blocking("ALTER DOMAIN positive SET NOT NULL"),
    brief("ALTER DOMAIN positive SET DEFAULT 7"),
]

INDEXES = [
    Case("CREATE INDEX ix ON orders (price)", (ONLINE_INDEX,)),
    Case(
        "CREATE UNIQUE INDEX IF NOT EXISTS ix ON public.orders USING btree (code, id) INCLUDE (note)",
        (ONLINE_INDEX,),
    ),
    Case(
        "/* it helps */ create /* really */ index on Orders (lower(note), (price + 1), price desc) where price > 5",
        (ONLINE_INDEX,),
    ),
    Case('CREATE INDEX "An Index" ON "Order Items" ("Order")', (ONLINE_INDEX,)),
    Case("CREATE INDEX ON app.events (order_id) WITH (fillfactor = 70)", (ONLINE_INDEX,)),
    Case("CREATE INDEX ON ONLY vehicles (wheels)", (ONLINE_INDEX,)),
    Case("CREATE INDEX ON measurements (value)", (ONLINE_INDEX,)),
    Case("CREATE INDEX CONCURRENTLY ix ON orders (price)", (CONCURRENT,), measured=False),
    Case("DROP INDEX ix_orders_price", (BRIEF,)),
    Case("drop index if exists ix_orders_price, app.ix_events, nowhere", (BRIEF,)),
    Case("DROP INDEX CONCURRENTLY ix_orders_price", (CONCURRENT,), measured=False),
    loses("DROP INDEX ix_orders_price CASCADE", UNKNOWN),
    brief("ALTER INDEX ix_orders_price RENAME TO ix_other"),
    brief("ALTER INDEX ix_measurements ATTACH PARTITION ix_measurements_1"),
    brief("ALTER INDEX ix_orders_price SET (fillfactor = 70)"),
    blocking("ALTER INDEX ix_orders_price SET TABLESPACE pg_default", cautious=True),
    blocking("REINDEX INDEX ix_orders_price"),
    blocking("REINDEX (VERBOSE) TABLE public.orders"),
    Case("REINDEX TABLE CONCURRENTLY orders", (CONCURRENT,), measured=False),
    blocking("REINDEX SCHEMA app", measured=False),
    Case("REINDEX (CONCURRENTLY) INDEX ix_orders_price", (CONCURRENT,), measured=False),
]

WHOLE_TABLES = [
    loses("DROP TABLE loose"),
    loses("DROP TABLE IF EXISTS items, loose, nowhere"),
    loses("DROP TABLE measurements"),
    loses("DROP TABLE measurements_low"),
    loses("DROP TABLE orders CASCADE", UNKNOWN),
    loses("DROP SCHEMA app CASCADE", UNKNOWN),
    brief("ALTER TABLE orders RENAME TO purchases"),
    brief("ALTER TABLE orders SET SCHEMA app"),
    brief("ALTER TABLE orders OWNER TO CURRENT_USER"),
    brief("ALTER TABLE orders SET (fillfactor = 70, autovacuum_enabled = off)"),
    brief("ALTER TABLE orders RESET (fillfactor)"),
    brief("ALTER TABLE orders ENABLE ROW LEVEL SECURITY"),
    brief("ALTER TABLE orders NO FORCE ROW LEVEL SECURITY"),
    brief("ALTER TABLE orders DISABLE TRIGGER touched"),
    brief("ALTER TABLE orders ENABLE REPLICA TRIGGER touched"),
    brief("ALTER TABLE orders CLUSTER ON ix_orders_price"),
    brief("ALTER TABLE orders SET WITHOUT CLUSTER"),
    brief("ALTER TABLE orders REPLICA IDENTITY FULL"),
    brief("ALTER TABLE loose INHERIT loose_parent"),
    brief("ALTER TABLE trucks NO INHERIT vehicles"),
    blocking("ALTER TABLE measurements ATTACH PARTITION loose FOR VALUES FROM (5000) TO (9000)"),
    blocking("ALTER TABLE measurements_keyed ATTACH PARTITION loose_keyed FOR VALUES FROM (10000) TO (20000)", passes=True),
    blocking("ALTER TABLE measurements_keyed ATTACH PARTITION keyless FOR VALUES FROM (10000) TO (20000)",
             before="ALTER TABLE keyless RENAME code TO id; ALTER TABLE keyless DROP nullable; UPDATE keyless SET id = id + 10000"),
    brief("ALTER TABLE measurements DETACH PARTITION measurements_low"),
    Case("ALTER TABLE measurements_keyed DETACH PARTITION measurements_keyed_1 CONCURRENTLY", (CONCURRENT,), measured=False),
    blocking("ALTER TABLE orders SET UNLOGGED", before="DROP TABLE items, \"Order Items\", app.events CASCADE"),
    blocking("ALTER TABLE orders SET TABLESPACE pg_default", cautious=True),
    blocking("ALTER TABLE orders SET ACCESS METHOD heap", cautious=True),
    blocking("ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE other", measured=False),
    loses("TRUNCATE items", BLOCKING),
    loses("truncate table only orders, cars RESTART IDENTITY CASCADE", BLOCKING),
    blocking("LOCK TABLE orders, cars IN SHARE ROW EXCLUSIVE MODE NOWAIT"),
    blocking("LOCK orders"),
    brief("LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE"),
    blocking("CLUSTER orders USING ix_orders_price"),
    blocking("VACUUM FULL orders", measured=False),
    # PostgreSQL 19
    blocking("REPACK orders USING INDEX ix_orders_price", measured=False),
    blocking("REPACK (CONCURRENTLY off) orders", measured=False),
    blocking("REPACK", measured=False),
    Case("REPACK (CONCURRENTLY, ANALYZE) orders", (CONCURRENT,), measured=False),
    blocking("ALTER TABLE measurements MERGE PARTITIONS (measurements_low, measurements_high) INTO measurements_all", measured=False),
    blocking(
        "ALTER TABLE measurements SPLIT PARTITION measurements_low INTO (PARTITION a FOR VALUES FROM (1) TO (2), PARTITION b DEFAULT)",
        measured=False,
    ),
    reads("WAIT FOR LSN '0/306EE20' WITH (TIMEOUT '10s')", measured=False),
    # COPY is no function, nor are its ends
    reads("COPY (SELECT id FROM orders) TO STDOUT", measured=False),
    reads("COPY orders (id) TO STDOUT (FORMAT csv)", measured=False),
    reads("COPY orders FROM STDIN (FORMAT csv, HEADER)", measured=False),
    Case("COPY (SELECT made_up(id) FROM orders) TO STDOUT", (UNKNOWN,), measured=False),
    blocking("VACUUM (FULL true, ANALYZE) orders, cars", measured=False),
    Case("VACUUM (FULL off) orders", (CONCURRENT,), measured=False),
    Case("VACUUM ANALYZE orders (price)", (CONCURRENT,), measured=False),
    Case("ANALYZE orders (price), cars", (CONCURRENT,)),
    blocking("REFRESH MATERIALIZED VIEW totals"),
    Case("REFRESH MATERIALIZED VIEW CONCURRENTLY public.totals WITH DATA", (CONCURRENT,)),
    blocking("PREPARE TRANSACTION 'kept'", measured=False),
]  # fmt: skip

OTHER_THINGS = [
    brief("DROP VIEW open_orders"),
    brief("DROP MATERIALIZED VIEW totals"),
    brief("DROP SEQUENCE numbers"),
    brief("DROP TYPE unused"),
    brief("DROP STATISTICS noted"),
    brief("ALTER STATISTICS noted SET STATISTICS 50"),
    brief("DROP FUNCTION steady(int)"),
    brief("DROP TRIGGER touched ON orders"),
    brief("ALTER TRIGGER touched ON orders RENAME TO t"),
    brief("DROP RULE noted ON loose_parent"),
    brief("ALTER VIEW open_orders RENAME TO others"),
    brief("ALTER SEQUENCE orders_id_seq AS bigint RESTART WITH 100000"),
    brief("ALTER SEQUENCE numbers RENAME TO others"),
    brief("ALTER TYPE mood ADD VALUE 'fine' AFTER 'ok'"),
    brief("ALTER TYPE mood RENAME VALUE 'ok' TO 'okay'"),
    brief("ALTER FUNCTION steady(int) STRICT"),
    brief("GRANT SELECT ON orders TO PUBLIC"),
    brief("REVOKE ALL ON TABLE orders FROM PUBLIC"),
    brief("COMMENT ON TABLE orders IS 'what; they want'"),
    brief("COMMENT ON COLUMN public.orders.note IS NULL"),
    unknown("DO $$ BEGIN EXECUTE 'DROP TABLE loose'; END $$"),
    unknown("DO LANGUAGE plpgsql 'BEGIN ALTER TABLE orders ADD x serial; END'"),
    unknown("CALL change_all()"),
    unknown("SELECT change_everything()"),
    unknown("SELECT DISTINCT ON (id) change_everything() FROM orders", measured=False),
    unknown("SELECT app.\"count\"(1)", measured=False),
    unknown("EXECUTE something", measured=False),
    unknown("DISCARD ALL", measured=False),
    unknown("DROP OWNED BY nobody", measured=False, loses_data=True),
    unknown("ALTER EXTENSION hstore UPDATE", measured=False),
]  # fmt: skip

SEVERAL = [
    Case("ALTER TABLE orders ADD COLUMN x int; CREATE INDEX ix ON orders (x); -- end", (BRIEF, ONLINE_INDEX)),
    Case("BEGIN; SELECT ';'; ALTER TABLE orders ADD y serial; COMMIT", (READS, READS, BLOCKING, READS), measured=False),
    Case("CREATE TABLE fresh (id int); CREATE INDEX ON fresh (id); ALTER TABLE fresh ADD PRIMARY KEY (id)",
         (BRIEF, ONLINE_INDEX, BLOCKING), cautious=True),
    Case("DO $do$ BEGIN NULL; END; $do$; DROP INDEX ix_orders_price;", (UNKNOWN, BRIEF)),
]  # fmt: skip

CATALOGUE = [
    *ROWS, *NEW_THINGS, *COLUMNS, *CONSTRAINTS, *INDEXES, *WHOLE_TABLES, *OTHER_THINGS, *SEVERAL,
]  # fmt: skip
