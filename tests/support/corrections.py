"""Makes the correction of a bad script on a scratch database, and runs it with the real command on another one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nonstop import scripts
from nonstop.check.corrections.correction import corrected
from nonstop.check.shapes.shape import Shape, shape_of
from nonstop.databases import open_database
from nonstop.databases.fingerprint import Fingerprint
from nonstop.descriptions.promises import CorrectedScript, Correction
from tests.support.fingerprint import fingerprint, look
from tests.support.forked import Ended, ForkServer
from tests.support.operations import send
from tests.support.projects import Project
from tests.support.scripts import sql, write_script
from tests.support.stage import closing_engine

LIVE = (
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, vin VARCHAR(50) NOT NULL, plate VARCHAR(20), amount INTEGER DEFAULT 1, customer_id INTEGER)",
    "CREATE INDEX idx_orders_vin ON orders (vin)",
    "CREATE TABLE pairs (a INTEGER, b VARCHAR(10), note TEXT, PRIMARY KEY (a, b))",
    "CREATE TABLE loose (word VARCHAR(10), number INTEGER)",
    "INSERT INTO customers VALUES (1, 'Ada'), (2, 'Bo')",
    "INSERT INTO orders (id, vin, plate, customer_id) VALUES (1, 'V1', 'x', 1), (2, 'V2', 'y', 2), (3, 'V3', NULL, 1)",
    "INSERT INTO pairs VALUES (1, 'a', ''), (1, 'b', 'kept'), (2, 'a', NULL)",
    "INSERT INTO loose VALUES ('one', 1), (NULL, 2)",
)
"""What the application has before the script: tables with rows."""
FUNCTION = "CREATE OR REPLACE FUNCTION doubled(n INTEGER) RETURNS INTEGER LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN n * 2; END'"
FUNCTION_OF_TRIGGER = """
CREATE OR REPLACE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.seen := 1;  -- a remark: with "quotes" and it's
    RETURN NEW;
END $$"""
CONSTRAINT_TRIGGER = (
    "CREATE CONSTRAINT TRIGGER looks AFTER INSERT ON orders"
    " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
)
TRIGGER = "CREATE TRIGGER stamps BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION stamp()"


def shape(url: str) -> Shape:
    """The shape of a database, without the ledger's tables."""
    with closing_engine(url) as engine, engine.connect() as connection:
        found = shape_of(open_database(url), connection)
    tables = {owner: table for owner, table in found.tables.items() if not table.name.startswith("nonstop_")}
    return replace(found, tables=tables)


@dataclass(frozen=True)
class Bench:
    """A project on a live database, and a scratch database with the same tables."""

    project: Project
    scratch: str
    forks: ForkServer

    @property
    def url(self) -> str:
        return self.project.url

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    def have(self, *statements: str) -> None:
        """Run statements on both databases."""
        send(self.url, *statements)
        send(self.scratch, *statements)

    def correct(
        self,
        *statements: str,
        docstring: str = "",
        name: str = "003_do_it.py",
        failing: Collection[str] = (),
    ) -> Correction | None:
        """What to write instead of a script that sends these statements; code fails on the tables ``failing`` then."""
        path = write_script(self.project.folder, name, sql(*statements))
        if docstring:
            source = path.read_text(encoding="utf-8")
            path.write_text(source.replace("\nMigration 003: do it\n", f"\n{docstring}\n"), encoding="utf-8")
        before = shape(self.scratch)
        with closing_engine(self.scratch) as engine:
            for statement in statements:
                with engine.begin() as connection:
                    connection.exec_driver_sql(statement)
        return corrected(scripts.read(path), before, shape(self.scratch), statements, failing)

    def corrected(self, *statements: str) -> Correction:
        """The same where there has to be a correction."""
        correction = self.correct(*statements)
        assert correction is not None
        return correction

    def try_out(self, correction: Correction) -> None:
        """Each script in its turn: apply, apply again, roll back, roll back again, apply. All of them stay applied."""
        assert len(correction.between) in (0, len(correction.scripts) - 1)
        for script in correction.scripts:
            self._try_out(script)

    def _try_out(self, script: CorrectedScript) -> None:
        number = script.file.partition("_")[0]
        before = self.look()
        self.apply(script)
        after = self.look()
        self.run("repair", "--mark-pending", number, "--yes")
        self.run("apply")
        assert self.look() == after, script.text
        if "op.irreversible" in script.text:
            return
        for _ in range(2):
            self.run("rollback", "--only", number, "--yes")
            is_contract = 'phase = "contract"' in script.text
            assert self.schema() == before[0] if is_contract else self.look() == before, script.text
            self.run("repair", "--mark-applied", number, "--yes")
        self.run("rollback", "--only", number, "--yes")
        self.run("apply")
        assert self.schema() == after[0], script.text

    def apply(self, script: CorrectedScript) -> None:
        """Write the script and apply it."""
        compile(script.text, script.file, "exec")
        (self.project.migrations / script.file).write_text(script.text, encoding="utf-8")
        self.run("apply")

    def run(self, *arguments: str) -> Ended:
        """The real command; it has to succeed."""
        ended = self.forks.run(*arguments, "--dir", self.project.migrations, env=self.project.environment)
        assert ended.returncode == 0, ended.output
        return ended

    def schema(self) -> Fingerprint:
        return fingerprint(self.url)

    def look(self) -> tuple[Fingerprint, dict[str, tuple[int, str]]]:
        return look(self.url)

    def ends_as_meant(self) -> bool:
        """Whether the live database looks like the scratch one, on which the bad script ran."""
        return self.schema() == fingerprint(self.scratch)


def texts(correction: Correction) -> Sequence[str]:
    return [script.text for script in correction.scripts]


def value(bench: Bench, query: str) -> object:
    """The first value of a query to the live database."""
    with closing_engine(bench.url) as engine, engine.connect() as connection:
        return connection.exec_driver_sql(query).scalar()


def make_bench(project: Project, scratch: str, forks: ForkServer) -> Bench:
    """A bench with the tables of ``LIVE``."""
    bench = Bench(project, scratch, forks)
    bench.have(*LIVE)
    return bench


def scratch_file(folder: Path) -> str:
    return f"sqlite:///{folder / 'scratch.db'}"
