"""Raw scripts made up by a generator: sequences of DDL, rows, savepoints, commits and sessions. The seed is the name."""

from __future__ import annotations

from random import Random

from tests.raw.fidelity.case import BOTH, Case

SETUP = (
    "CREATE TABLE cars (id integer PRIMARY KEY, plate text, a integer DEFAULT 1);"
    "INSERT INTO cars (id, plate) VALUES (1, 'AA'), (2, 'BB'); CREATE INDEX ix_a ON cars (a);"
)
STATEMENTS = (
    "INSERT INTO cars (id, plate) VALUES ({n}, 'P{n}')",
    "UPDATE cars SET a = a + {n}",
    "UPDATE cars SET plate = 'x{n}' WHERE id = 1",
    "CREATE TABLE t{n} (id integer)",
    "CREATE TABLE u{n} AS SELECT * FROM cars",
    "ALTER TABLE cars ADD COLUMN c{n} integer DEFAULT {n}",
    "CREATE INDEX i{n} ON cars (a, id)",
    "CREATE VIEW v{n} AS SELECT id FROM cars",
    "SELECT count(*) FROM cars",
)
FAILING = ("INSERT INTO cars (id) VALUES (1)", "CREATE TABLE cars (id integer)", "SELECT * FROM nowhere")
COUNT = 60


ENDS = ("c.commit()", "c.rollback()", "c.close()", "pass", "c.commit()\nraise ValueError('the end')")


class Writer:
    """Writes one script, line by line."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.lines = ["c = db.engine.connect()"]
        self._numbers = iter(range(10, 1000))
        self._savepoints: list[str] = []

    def statement(self) -> None:
        self.lines.append(f"c.{self._execute(STATEMENTS)}")

    def end(self) -> None:
        """End the transaction, or the session with it."""
        self.lines += self.random.choice(
            (["c.commit()"], ["c.rollback()"], ["c.close()", "c = db.engine.connect()"])
        )
        self._savepoints.clear()

    def savepoint(self) -> None:
        """Set one, or go back to the last one, or forget it."""
        if not self._savepoints or self.random.random() < 0.5:
            self._savepoints.append(f"s{len(self._savepoints)}")
            self.lines.append(f'c.execute(text("SAVEPOINT {self._savepoints[-1]}"))')
            return
        verb = self.random.choice(("ROLLBACK TO", "RELEASE", "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT"))
        self.lines.append(f'c.execute(text("{verb} {self._savepoints[-1]};"))')
        if verb.startswith("RELEASE"):
            self._savepoints.pop()

    def error(self) -> None:
        """An error that is caught, with nothing open before it."""
        self.lines += [
            "c.commit()",
            "try:",
            f"    c.{self._execute(FAILING)}",
            "except Exception:",
            "    c.rollback()",
        ]
        self._savepoints.clear()

    def other_session(self) -> None:
        self.lines += ["c.commit()", "with db.engine.begin() as d:", f"    d.{self._execute(STATEMENTS)}"]
        self._savepoints.clear()

    def _execute(self, statements: tuple[str, ...]) -> str:
        statement = self.random.choice(statements).format(n=next(self._numbers))
        return f'execute(text("{statement}"))'


def generated(seed: int) -> Case:
    """A script of some ten lines on one or two sessions."""
    writer = Writer(seed)
    steps = (
        *[writer.statement] * 6,
        *[writer.savepoint] * 3,
        *[writer.end] * 3,
        writer.error,
        writer.other_session,
    )
    for _ in range(writer.random.randint(3, 12)):
        writer.random.choice(steps)()
    return Case(f"seed_{seed}", BOTH, "\n".join([*writer.lines, writer.random.choice(ENDS)]), SETUP)


CASES = tuple(generated(seed) for seed in range(COUNT))
