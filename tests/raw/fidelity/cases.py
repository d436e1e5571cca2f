"""Raw scripts as people write them. Plain Python decides how each has to end."""

from __future__ import annotations

from tests.raw.fidelity.case import BOTH, POSTGRESQL, SQLITE, Case

CARS = "CREATE TABLE cars (id integer PRIMARY KEY, plate text, a integer DEFAULT 1, b integer DEFAULT 1); INSERT INTO cars (id, plate) VALUES (1,'AA'),(2,'BB'); CREATE UNIQUE INDEX uq_plate ON cars (plate);"
SHOPS = "CREATE TABLE shops (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE tags (id INTEGER PRIMARY KEY, shop INTEGER REFERENCES shops(id) ON DELETE SET NULL); INSERT INTO shops VALUES (1,'a'),(2,NULL); INSERT INTO tags VALUES (1,1),(2,2);"
DISCARDS = 'discards_data = "asked for"'
LARGE = "CREATE TABLE big (id integer PRIMARY KEY, a text, b text, c text, d text); INSERT INTO big SELECT n, repeat('a',30), repeat('b',30), repeat('c',30), repeat('d',30) FROM generate_series(1, 400000) n;"
CASES: tuple[Case, ...] = (
    Case(
        "orm_session_add",
        BOTH,
        setup=CARS,
        body="""
db.session.execute(text("ALTER TABLE cars ADD COLUMN note text"))
db.session.execute(text("UPDATE cars SET note = 'x'"))
db.session.commit()
""",
    ),
    Case(
        "session_without_commit",
        BOTH,
        setup=CARS,
        body="""
db.session.execute(text("UPDATE cars SET plate = 'x' WHERE id = 1"))
""",
    ),
    Case(
        "session_ddl_rollback",
        BOTH,
        setup=CARS,
        body="""
db.session.execute(text("ALTER TABLE cars ADD COLUMN note text"))
db.session.rollback()
""",
    ),
    Case(
        "raw_connection_insert",
        BOTH,
        setup=CARS,
        body="""
raw = db.engine.raw_connection()
cur = raw.cursor()
cur.execute("INSERT INTO cars (id, plate) VALUES (7, 'raw')")
raw.commit()
raw.close()
""",
    ),
    Case(
        "raw_connection_no_commit",
        BOTH,
        setup=CARS,
        body="""
raw = db.engine.raw_connection()
cur = raw.cursor()
cur.execute("INSERT INTO cars (id, plate) VALUES (7, 'raw')")
raw.close()
""",
    ),
    Case(
        "raw_connection_ddl_no_commit",
        BOTH,
        setup=CARS,
        body="""
raw = db.engine.raw_connection()
raw.cursor().execute("CREATE TABLE rawt (id integer)")
raw.close()
""",
    ),
    Case(
        "driver_cursor_of_connection",
        BOTH,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.connection.cursor().execute("INSERT INTO cars (id, plate) VALUES (7, 'raw')")
""",
    ),
    Case(
        "driver_cursor_ddl_of_connection",
        BOTH,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.connection.cursor().execute("CREATE TABLE rawt (id integer)")
    c.execute(text("INSERT INTO rawt VALUES (1)"))
""",
    ),
    Case(
        "executescript",
        SQLITE,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.connection.executescript("CREATE TABLE s (n); INSERT INTO s VALUES (1); UPDATE cars SET a = 9;")
""",
    ),
    Case(
        "executescript_after_insert",
        SQLITE,
        setup=CARS,
        body="""
with db.engine.connect() as c:
    c.execute(text("INSERT INTO cars (id, plate) VALUES (9, 'z')"))
    c.connection.executescript("CREATE TABLE s (n); INSERT INTO s VALUES (1);")
    c.rollback()
""",
    ),
    Case(
        "raw_executescript",
        SQLITE,
        setup=CARS,
        body="""
raw = db.engine.raw_connection()
raw.executescript("CREATE TABLE s (n); INSERT INTO s VALUES (1);")
raw.close()
""",
    ),
    Case(
        "autocommit_statements",
        BOTH,
        setup=CARS,
        body="""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
    c.execute(text("ALTER TABLE cars ADD COLUMN note text"))
    c.execute(text("UPDATE cars SET note = 'y'"))
""",
    ),
    Case(
        "autocommit_engine",
        BOTH,
        setup=CARS,
        body="""
e = db.engine.execution_options(isolation_level="AUTOCOMMIT")
with e.connect() as c:
    c.execute(text("CREATE TABLE au (id integer)"))
    c.execute(text("INSERT INTO au VALUES (1)"))
""",
    ),
    Case(
        "autocommit_explicit_begin",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
    c.execute(text("BEGIN"))
    c.execute(text("UPDATE cars SET a = 5"))
    c.execute(text("ROLLBACK"))
    c.execute(text("BEGIN"))
    c.execute(text("UPDATE cars SET b = 5"))
    c.execute(text("COMMIT"))
""",
    ),
    Case(
        "text_commit",
        BOTH,
        setup=CARS,
        body="""
with db.engine.connect() as c:
    c.execute(text("UPDATE cars SET a = 5"))
    c.execute(text("COMMIT"))
    c.execute(text("UPDATE cars SET b = 5"))
    c.execute(text("ROLLBACK"))
""",
    ),
    Case(
        "begin_nested_rollback",
        BOTH,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("UPDATE cars SET a = 5"))
    try:
        with c.begin_nested():
            c.execute(text("UPDATE cars SET b = 5"))
            raise ValueError
    except ValueError:
        pass
""",
    ),
    Case(
        "nested_ddl_rollback",
        BOTH,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    try:
        with c.begin_nested():
            c.execute(text("ALTER TABLE cars ADD COLUMN note text"))
            raise ValueError
    except ValueError:
        pass
    c.execute(text("UPDATE cars SET b = 5"))
""",
    ),
    Case(
        "create_all",
        BOTH,
        setup=CARS,
        body="""
from sqlalchemy import MetaData, Table, Column, Integer, String, Index
m = MetaData()
Table("t1", m, Column("id", Integer, primary_key=True), Column("name", String(30), index=True))
m.create_all(db.engine)
""",
    ),
    Case(
        "create_all_twice",
        BOTH,
        setup=CARS,
        body="""
from sqlalchemy import MetaData, Table, Column, Integer, String, Index
m = MetaData()
Table("t1", m, Column("id", Integer, primary_key=True), Column("name", String(30), unique=True))
m.create_all(db.engine)
m.create_all(db.engine)
with db.engine.begin() as c:
    m.tables["t1"].drop(c)
    m.create_all(c)
""",
    ),
    Case(
        "inspect_between",
        BOTH,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("ALTER TABLE cars ADD COLUMN note text"))
    cols = [x["name"] for x in inspect(c).get_columns("cars")]
    assert "note" in cols
    if not inspect(c).has_table("zz"):
        c.execute(text("CREATE TABLE zz (id integer)"))
""",
    ),
    Case(
        "inspect_engine_idempotent",
        BOTH,
        setup=CARS,
        body="""
if "note" not in [x["name"] for x in inspect(db.engine).get_columns("cars")]:
    with db.engine.begin() as c:
        c.execute(text("ALTER TABLE cars ADD COLUMN note text"))
""",
    ),
    Case(
        "caught_integrity_error",
        BOTH,
        setup=CARS,
        body="""
from sqlalchemy.exc import IntegrityError
for i in (1, 5):
    try:
        with db.engine.begin() as c:
            c.execute(text("INSERT INTO cars (id, plate) VALUES (:i, :p)"), {"i": i, "p": f"P{i}"})
    except IntegrityError:
        pass
""",
    ),
    Case(
        "caught_ddl_error",
        BOTH,
        setup=CARS,
        body="""
try:
    with db.engine.begin() as c:
        c.execute(text("CREATE TABLE cars (id integer)"))
except Exception:
    pass
with db.engine.begin() as c:
    c.execute(text("CREATE TABLE after_it (id integer)"))
""",
    ),
    Case(
        "caught_ddl_error_in_transaction",
        SQLITE,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("CREATE TABLE one (id integer)"))
    try:
        c.execute(text("ALTER TABLE cars ADD COLUMN a integer"))
    except Exception:
        pass
    c.execute(text("CREATE TABLE two (id integer)"))
""",
    ),
    Case(
        "error_after_commit",
        BOTH,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("UPDATE cars SET a = 5"))
raise RuntimeError("x")
""",
    ),
    Case(
        "error_before_commit",
        BOTH,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("UPDATE cars SET a = 5"))
    raise RuntimeError("x")
""",
    ),
    Case(
        "many_commits",
        BOTH,
        setup=CARS,
        body="""
with db.engine.connect() as c:
    for i in range(5):
        c.execute(text("UPDATE cars SET a = a + 1"))
        c.commit()
""",
    ),
    Case(
        "executemany",
        BOTH,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("INSERT INTO cars (id, plate) VALUES (:i, :p)"), [{"i": i, "p": f"P{i}"} for i in range(10, 30)])
""",
    ),
    Case(
        "percent_signs",
        BOTH,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("UPDATE cars SET plate = '100%' WHERE id = 1"))
    c.exec_driver_sql("UPDATE cars SET plate = '50%%' WHERE id = 2" if c.dialect.name == "postgresql" else "UPDATE cars SET plate = '50%' WHERE id = 2")
    c.execute(text("CREATE INDEX ix_p ON cars (a) WHERE plate LIKE 'A%'"))
""",
    ),
    Case(
        "temp_table",
        BOTH,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("CREATE TEMPORARY TABLE tt AS SELECT * FROM cars"))
    c.execute(text("UPDATE cars SET a = (SELECT count(*) FROM tt)"))
""",
    ),
    Case(
        "temp_table_on_commit",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("CREATE TEMPORARY TABLE tt ON COMMIT DROP AS SELECT * FROM cars"))
    c.execute(text("UPDATE cars SET a = (SELECT count(*) FROM tt)"))
with db.engine.begin() as c:
    assert c.execute(text("SELECT to_regclass('tt')")).scalar() is None
""",
    ),
    Case(
        "do_block",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("DO $$ BEGIN ALTER TABLE cars ADD COLUMN note text; UPDATE cars SET note = 'z'; END $$"))
""",
    ),
    Case(
        "function_and_trigger",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("CREATE FUNCTION up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.plate = upper(NEW.plate); RETURN NEW; END $$"))
    c.execute(text("CREATE TRIGGER up BEFORE UPDATE ON cars FOR EACH ROW EXECUTE FUNCTION up()"))
    c.execute(text("UPDATE cars SET plate = 'cc' || id"))
""",
    ),
    Case(
        "sqlite_trigger",
        SQLITE,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("CREATE TRIGGER up AFTER UPDATE OF plate ON cars BEGIN UPDATE cars SET a = a + 1 WHERE id = NEW.id; END"))
    c.execute(text("UPDATE cars SET plate = 'cc' || id"))
""",
    ),
    Case(
        "procedure_commits",
        POSTGRESQL,
        setup=CARS
        + "CREATE PROCEDURE work() LANGUAGE plpgsql AS $$ BEGIN UPDATE cars SET a = 5; COMMIT; UPDATE cars SET b = 6; COMMIT; END $$;",
        body="""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
    c.execute(text("CALL work()"))
""",
    ),
    Case(
        "enum",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("CREATE TYPE colour AS ENUM ('red', 'blue')"))
    c.execute(text("ALTER TABLE cars ADD COLUMN colour colour DEFAULT 'red'"))
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
    c.execute(text("ALTER TYPE colour ADD VALUE 'green'"))
with db.engine.begin() as c:
    c.execute(text("UPDATE cars SET colour = 'green' WHERE id = 1"))
""",
    ),
    Case(
        "index_concurrently",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
    c.execute(text("CREATE INDEX CONCURRENTLY ix_a ON cars (a)"))
    c.execute(text("DROP INDEX CONCURRENTLY uq_plate"))
""",
    ),
    Case(
        "unnamed_everything",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("CREATE INDEX ON cars ((a + 1))"))
    c.execute(text("CREATE INDEX ON cars ((plate::varchar))"))
    c.execute(text("ALTER TABLE cars ADD CHECK (a > int '0')"))
    c.execute(text("ALTER TABLE cars ADD UNIQUE (b, a, id)"))
    c.execute(text("ALTER TABLE cars ADD FOREIGN KEY (a) REFERENCES cars"))
""",
    ),
    Case(
        "multi_statement_text",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("ALTER TABLE cars ADD COLUMN note text; UPDATE cars SET note = 'q'; CREATE INDEX ix_n ON cars (note)"))
""",
    ),
    Case(
        "isolation_serializable",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.connect().execution_options(isolation_level="SERIALIZABLE") as c:
    with c.begin():
        c.execute(text("UPDATE cars SET a = 5"))
        assert c.execute(text("SHOW transaction_isolation")).scalar() == "serializable"
""",
    ),
    Case(
        "set_transaction",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    assert c.execute(text("SHOW transaction_isolation")).scalar() == "repeatable read"
    c.execute(text("UPDATE cars SET a = 5"))
""",
    ),
    Case(
        "read_only_transaction",
        POSTGRESQL,
        setup=CARS,
        body="""
try:
    with db.engine.begin() as c:
        c.execute(text("SET TRANSACTION READ ONLY"))
        c.execute(text("UPDATE cars SET a = 5"))
except Exception as e:
    print(type(e))
with db.engine.begin() as c:
    c.execute(text("UPDATE cars SET b = 5"))
""",
    ),
    Case(
        "deferred_constraint_mode",
        POSTGRESQL,
        setup="CREATE TABLE parent (id integer PRIMARY KEY); CREATE TABLE child (id integer PRIMARY KEY, p integer REFERENCES parent(id) DEFERRABLE INITIALLY IMMEDIATE);",
        body="""
with db.engine.begin() as c:
    c.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    c.execute(text("INSERT INTO child VALUES (1, 1)"))
    c.execute(text("INSERT INTO parent VALUES (1)"))
""",
    ),
    Case(
        "nullpool_engine",
        BOTH,
        setup=CARS,
        body="""
from sqlalchemy import create_engine, NullPool
e = create_engine(db.engine.url, poolclass=NullPool)
with e.begin() as c:
    c.execute(text("UPDATE cars SET a = 5"))
""",
    ),
    Case(
        "second_engine_static",
        SQLITE,
        setup=CARS,
        body="""
from sqlalchemy import create_engine, StaticPool
e = create_engine(db.engine.url, poolclass=StaticPool)
with e.begin() as c:
    c.execute(text("UPDATE cars SET a = 5"))
with e.connect() as c:
    c.execute(text("CREATE TABLE st (id integer)"))
""",
    ),
    Case(
        "pysqlite_begin_events",
        SQLITE,
        setup=CARS,
        app="""
with app.app_context():
    @event.listens_for(db.engine, "connect")
    def do_connect(dbapi_connection, record):
        dbapi_connection.isolation_level = None
    @event.listens_for(db.engine, "begin")
    def do_begin(conn):
        conn.exec_driver_sql("BEGIN")
""",
        body="""
with db.engine.connect() as c:
    c.execute(text("CREATE TABLE ev (id integer)"))
with db.engine.begin() as c:
    c.execute(text("UPDATE cars SET a = 5"))
    with c.begin_nested():
        c.execute(text("UPDATE cars SET b = 5"))
""",
    ),
    Case(
        "server_side_cursor",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.connect() as c:
    for row in c.execution_options(stream_results=True).execute(text("SELECT id FROM cars")):
        pass
    c.execute(text("UPDATE cars SET a = 6"))
    c.commit()
""",
    ),
    Case(
        "two_connections_interleaved",
        POSTGRESQL,
        setup=CARS + "CREATE TABLE other (id integer)",
        body="""
with db.engine.connect() as c, db.engine.connect() as d:
    c.execute(text("UPDATE cars SET a = 6"))
    d.execute(text("INSERT INTO other VALUES (1)"))
    c.commit()
    d.rollback()
""",
    ),
    Case(
        "delete_refused_or_not",
        BOTH,
        setup=CARS,
        discards=DISCARDS,
        body="""
with db.engine.begin() as c:
    c.execute(text("DELETE FROM cars WHERE id = 1"))
""",
    ),
    Case(
        "drop_column",
        BOTH,
        setup=CARS,
        discards=DISCARDS,
        body="""
with db.engine.begin() as c:
    c.execute(text("ALTER TABLE cars DROP COLUMN b"))
""",
    ),
    Case(
        "delete_rolled_back_to_savepoint",
        BOTH,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    n = c.begin_nested()
    c.execute(text("DELETE FROM cars"))
    n.rollback()
    c.execute(text("UPDATE cars SET a = 3"))
""",
    ),
    Case(
        "sqlite_rebuild_old_renamed_first",
        SQLITE,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("ALTER TABLE cars RENAME TO cars_old"))
    c.execute(text("CREATE TABLE cars (id integer PRIMARY KEY, plate text NOT NULL, a integer, b integer)"))
    c.execute(text("INSERT INTO cars SELECT id, plate, a, b FROM cars_old"))
    c.execute(text("DROP TABLE cars_old"))
""",
    ),
    Case(
        "truncate_own_table",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("CREATE TABLE own (id integer)"))
    c.execute(text("INSERT INTO own VALUES (1)"))
    c.execute(text("TRUNCATE own"))
""",
    ),
    Case(
        "two_phase",
        POSTGRESQL,
        setup=CARS,
        body="""
c = db.engine.connect()
t = c.begin_twophase()
c.execute(text("UPDATE cars SET a = 9"))
t.prepare()
t.commit()
c.close()
""",
    ),
    Case(
        "copy_in",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    cur = c.connection.cursor()
    with cur.copy("COPY cars (id, plate) FROM STDIN") as copy:
        copy.write_row((8, "copied"))
""",
    ),
    Case(
        "subprocess",
        POSTGRESQL,
        setup=CARS,
        body="""
import subprocess
program = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL'], autocommit=True).execute('UPDATE cars SET a = 8')"
subprocess.run([sys.executable, "-c", program], check=True)
""",
    ),
    Case(
        "alembic_operations",
        BOTH,
        setup=CARS,
        body="""
from alembic.migration import MigrationContext
from alembic.operations import Operations
import sqlalchemy as sa
with db.engine.connect() as c:
    op = Operations(MigrationContext.configure(c))
    op.add_column("cars", sa.Column("al", sa.Integer()))
    op.create_table("al", sa.Column("id", sa.Integer(), primary_key=True))
""",
    ),
    Case(
        "alembic_batch",
        SQLITE,
        setup=CARS,
        body="""
from alembic.migration import MigrationContext
from alembic.operations import Operations
import sqlalchemy as sa
with db.engine.begin() as c:
    op = Operations(MigrationContext.configure(c))
    with op.batch_alter_table("cars") as b:
        b.alter_column("plate", nullable=False)
        b.drop_index("uq_plate")
""",
    ),
    Case(
        "set_search_path_local",
        POSTGRESQL,
        setup="CREATE SCHEMA tb; CREATE TABLE tb.x (id integer)",
        body="""
with db.engine.begin() as c:
    c.execute(text("SET LOCAL search_path TO tb"))
    c.execute(text("ALTER TABLE x ADD COLUMN n integer"))
    c.execute(text("CREATE INDEX ix_n ON x (n)"))
""",
    ),
    Case(
        "datestyle",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("SET datestyle = 'SQL, DMY'"))
    c.execute(text("UPDATE cars SET plate = now()::date::text WHERE id = 1 AND false"))
    c.execute(text("SET timezone = 'Asia/Tokyo'"))
    c.execute(text("UPDATE cars SET a = 2"))
with db.engine.begin() as c:
    c.execute(text("UPDATE cars SET b = 2"))
""",
    ),
    Case(
        "lock_timeout_own",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("SET LOCAL lock_timeout = '2s'"))
    c.execute(text("ALTER TABLE cars ADD COLUMN n integer"))
    assert c.execute(text("SELECT 1")).scalar() == 1
""",
    ),
    Case(
        "advisory_lock",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("SELECT pg_advisory_lock(5)"))
    c.execute(text("UPDATE cars SET a = 2"))
with db.engine.begin() as c:
    c.execute(text("UPDATE cars SET b = 2"))
    c.execute(text("SELECT pg_advisory_unlock(5)"))
""",
    ),
    Case(
        "listen_notify",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("NOTIFY x, 'y'"))
    c.execute(text("UPDATE cars SET a = 2"))
""",
    ),
    Case(
        "prepare_execute",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("PREPARE p AS UPDATE cars SET a = 4"))
    c.execute(text("EXECUTE p"))
    c.execute(text("DEALLOCATE p"))
""",
    ),
    Case(
        "declare_cursor",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("DECLARE k CURSOR FOR SELECT id FROM cars"))
    c.execute(text("FETCH 1 FROM k"))
    c.execute(text("UPDATE cars SET a = 4"))
    c.execute(text("CLOSE k"))
""",
    ),
    Case(
        "partitioned",
        POSTGRESQL,
        setup="CREATE TABLE m (id integer, d date) PARTITION BY RANGE (d); CREATE TABLE m1 PARTITION OF m FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); INSERT INTO m VALUES (1, '2020-02-02');",
        body="""
with db.engine.begin() as c:
    c.execute(text("CREATE INDEX ix_m ON m (id)"))
    c.execute(text("CREATE TABLE m2 PARTITION OF m FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')"))
    c.execute(text("ALTER TABLE m ADD CHECK (id > 0)"))
""",
    ),
    Case(
        "comment_grant_owner",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("COMMENT ON TABLE cars IS 'vehicles'"))
    c.execute(text("GRANT SELECT ON cars TO PUBLIC"))
    c.execute(text("ALTER TABLE cars SET (fillfactor = 90)"))
    c.execute(text("ANALYZE cars"))
""",
    ),
    Case(
        "matview",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("CREATE MATERIALIZED VIEW mv AS SELECT count(*) AS n FROM cars"))
    c.execute(text("UPDATE cars SET a = 4"))
    c.execute(text("REFRESH MATERIALIZED VIEW mv"))
""",
    ),
    Case(
        "sequence_identity",
        POSTGRESQL,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("CREATE SEQUENCE s START 100"))
    c.execute(text("ALTER TABLE cars ALTER COLUMN id SET DEFAULT nextval('s')"))
    c.execute(text("INSERT INTO cars (plate) VALUES ('seq')"))
""",
    ),
    Case(
        "vacuum_autocommit",
        BOTH,
        setup=CARS,
        body="""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
    c.execute(text("VACUUM"))
    c.execute(text("UPDATE cars SET a = 4"))
""",
    ),
    Case(
        "commit_failing_deferred_then_retry",
        BOTH,
        setup="CREATE TABLE parent (id integer PRIMARY KEY); CREATE TABLE child (id integer PRIMARY KEY, p integer REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED);",
        body="""
from sqlalchemy.exc import IntegrityError
c = db.engine.connect()
c.execute(text("INSERT INTO child VALUES (1, 1)"))
try:
    c.commit()
except IntegrityError:
    c.rollback()
c.execute(text("INSERT INTO parent VALUES (1)"))
c.execute(text("INSERT INTO child VALUES (1, 1)"))
c.commit()
c.close()
""",
    ),
    Case(
        "sqlite_pragma_user_version",
        SQLITE,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("ALTER TABLE cars ADD COLUMN n integer"))
    c.execute(text("PRAGMA user_version = 3"))
with db.engine.begin() as c:
    c.execute(text("INSERT INTO cars (id, plate) VALUES (5, (SELECT 'v' || user_version FROM pragma_user_version))"))
""",
    ),
    Case(
        "foreign_keys_rebuild",
        SQLITE,
        setup=SHOPS,
        body="""
with db.engine.connect() as c:
    c.execute(text("PRAGMA foreign_keys=OFF"))
    c.execute(text("CREATE TABLE n (id INTEGER PRIMARY KEY, name TEXT NOT NULL)"))
    c.execute(text("INSERT INTO n SELECT id, coalesce(name, '-') FROM shops"))
    c.execute(text("DROP TABLE shops"))
    c.execute(text("ALTER TABLE n RENAME TO shops"))
    c.execute(text("PRAGMA foreign_key_check"))
    c.commit()
    c.execute(text("PRAGMA foreign_keys=ON"))
""",
    ),
    Case(
        "returning",
        BOTH,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    n = c.execute(text("INSERT INTO cars (id, plate) VALUES (9, 'r') RETURNING id")).scalar()
    c.execute(text("UPDATE cars SET a = :n WHERE id = :n"), {"n": n})
""",
    ),
    Case(
        "on_conflict",
        BOTH,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("CREATE UNIQUE INDEX uq_a ON cars (a, id)"))
    c.execute(text("INSERT INTO cars (id, plate) VALUES (1, 'z') ON CONFLICT (id) DO UPDATE SET plate = excluded.plate"))
""",
    ),
    Case(
        "invalidate",
        BOTH,
        setup=CARS,
        body="""
c = db.engine.connect()
c.execute(text("UPDATE cars SET a = 3"))
c.invalidate()
c.close()
with db.engine.begin() as c:
    c.execute(text("UPDATE cars SET b = 3"))
""",
    ),
    Case(
        "dispose_between",
        BOTH,
        setup=CARS,
        body="""
with db.engine.begin() as c:
    c.execute(text("UPDATE cars SET a = 3"))
db.engine.dispose()
with db.engine.begin() as c:
    c.execute(text("UPDATE cars SET b = 3"))
""",
    ),
    Case(
        "generator_expression_of_connections",
        BOTH,
        setup=CARS,
        body="""
conn = db.engine.connect()
trans = conn.begin()
conn.execute(text("UPDATE cars SET a = 3"))
trans.commit()
trans = conn.begin()
conn.execute(text("UPDATE cars SET b = 3"))
trans.rollback()
conn.close()
""",
    ),
    Case(
        "four_drops",
        POSTGRESQL,
        setup=LARGE,
        discards=DISCARDS,
        body="""
with db.engine.begin() as c:
    for x in "abcd":
        c.execute(text(f"ALTER TABLE big DROP COLUMN {x}"))
""",
    ),
    Case(
        "widen",
        POSTGRESQL,
        setup=LARGE.replace("a text", "a varchar(40)"),
        body="""
with db.engine.begin() as c:
    c.execute(text("ALTER TABLE big ALTER a TYPE varchar(60)"))
    c.execute(text("ALTER TABLE big ALTER a TYPE text"))
""",
    ),
    Case(
        "add_validate",
        POSTGRESQL,
        setup=LARGE,
        body="""
with db.engine.begin() as c:
    c.execute(text("ALTER TABLE big ADD CONSTRAINT k CHECK (id > 0) NOT VALID"))
with db.engine.begin() as c:
    c.execute(text("ALTER TABLE big VALIDATE CONSTRAINT k"))
""",
    ),
    Case(
        "four_adds",
        POSTGRESQL,
        setup=LARGE,
        body="""
with db.engine.begin() as c:
    for x in "wxyz":
        c.execute(text(f"ALTER TABLE big ADD COLUMN {x} integer DEFAULT 5"))
""",
    ),
    Case(
        "large_index_then_rename",
        POSTGRESQL,
        setup=LARGE,
        body="""
with db.engine.begin() as c:
    c.execute(text("CREATE INDEX ix_a ON big (a)"))
    c.execute(text("ALTER TABLE big RENAME TO bigger"))
""",
    ),
    Case(
        "large_indexes_and_checks",
        POSTGRESQL,
        setup=LARGE,
        body="""
with db.engine.begin() as c:
    c.execute(text("ALTER TABLE big ADD COLUMN e integer"))
    c.execute(text("CREATE INDEX ix_a ON big (a)"))
    c.execute(text("CREATE INDEX ON big (b)"))
    c.execute(text("ALTER TABLE big ADD CHECK (id > 0)"))
    c.execute(text("ALTER TABLE big ADD FOREIGN KEY (e) REFERENCES big"))
""",
    ),
    Case(
        "large_rollback_shape",
        POSTGRESQL,
        setup=LARGE + "CREATE INDEX ix_a ON big (a);",
        discards=DISCARDS,
        body="""
with db.engine.begin() as c:
    c.execute(text("DROP INDEX IF EXISTS ix_a"))
    c.execute(text("ALTER TABLE big DROP COLUMN a"))
""",
    ),
)
