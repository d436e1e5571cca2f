"""``apply --discard-data``, and what a person or a program is told of what is lost."""

from __future__ import annotations

import json

from tests.support.forked import ForkServer
from tests.support.operations import send
from tests.support.projects import Project
from tests.support.scripts import write_script


def test_the_flag_and_what_is_said(project: Project, forks: ForkServer) -> None:
    send(
        project.url,
        "CREATE TABLE orders (id INTEGER, plate TEXT)",
        "INSERT INTO orders VALUES (1, 'a'), (2, 'b')",
    )
    write_script(
        project.migrations,
        "001_x.py",
        'op.drop_column("orders", "plate")',
        'op.drop_table("orders")',
        template="bare",
    )

    def run(*arguments: str) -> tuple[int, str]:
        end = forks.run(*arguments, "--dir", project.migrations, env=project.environment)
        return end.returncode, end.output

    code, output = run("apply")
    assert code == 8
    assert "Error: this would lose data: orders.plate: 2 values" in output
    assert "State: 001_x was undone completely." in output
    assert "--discard-data" in output

    code, output = run("apply", "--discard-data")
    assert code == 0, output
    assert "note: orders.plate: 2 values are discarded (--discard-data)" in output

    code, output = run("rollback", "--yes", "--json")
    assert code == 0, output
    assert json.loads(output)["migrations"][0]["notes"] == ["orders: 2 rows are lost"]

    _, output = run("log")
    assert "orders.plate: 2 values are discarded (--discard-data)" in output


def test_the_flag_belongs_to_apply(project: Project, forks: ForkServer) -> None:
    end = forks.run("rollback", "--discard-data", "--dir", project.migrations, env=project.environment)
    assert end.returncode == 2
