"""The shape that our migrations were made for: create_all() at import, raw SQL with inspect, no word of nonstop."""

from __future__ import annotations

from pathlib import Path

from tests.support.commands import CommandLine
from tests.support.fingerprint import fingerprint
from tests.support.projects import make_project
from tests.support.snapshots import applied

APPLICATION = """

class Order(db.Model):
    __tablename__ = "orders"
    id = db.Column(db.Integer, primary_key=True)
    vin = db.Column(db.String(17), nullable=False)


with app.app_context():
    db.create_all()
"""
HEAD = '''#!/usr/bin/env python3
"""
Migration {number}: {title}
"""

import sys
import os

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from app import app, db
from sqlalchemy import text, inspect
'''
TAIL = """

if __name__ == '__main__':
    import sys

    if len(sys.argv) > 1 and sys.argv[1] == 'rollback':
        rollback()
    else:
        apply()
"""
ADD_CAR_NUMBER = """

def apply():
    with app.app_context():
        columns = [column['name'] for column in inspect(db.engine).get_columns('orders')]
        if 'car_number' in columns:
            print('car_number is there already')
            return True
        with db.engine.connect() as conn:
            conn.execute(text("ALTER TABLE orders ADD COLUMN car_number VARCHAR(20)"))
            conn.execute(text("CREATE INDEX IF NOT EXISTS idx_orders_car_number ON orders(car_number)"))
            conn.commit()
        print('car_number added')
        return True


def rollback():
    with app.app_context():
        with db.engine.connect() as conn:
            conn.execute(text("DROP INDEX IF EXISTS idx_orders_car_number"))
            conn.execute(text("ALTER TABLE orders DROP COLUMN car_number"))
            conn.commit()
        return True
"""
CREATE_PARTS = """

def apply():
    with app.app_context():
        tables = inspect(db.engine).get_table_names()
        with db.engine.connect() as conn:
            if 'categories' not in tables:
                conn.execute(text("CREATE TABLE categories (id INTEGER PRIMARY KEY, name VARCHAR(100) NOT NULL UNIQUE)"))
            if 'parts' not in tables:
                conn.execute(text(
                    "CREATE TABLE parts (id INTEGER PRIMARY KEY, name VARCHAR(100) NOT NULL,"
                    " category_id INTEGER NOT NULL REFERENCES categories(id))"
                ))
                conn.execute(text("CREATE INDEX IF NOT EXISTS idx_parts_category ON parts(category_id)"))
            conn.commit()
        return True


def rollback():
    with app.app_context():
        with db.engine.connect() as conn:
            conn.execute(text("DROP TABLE IF EXISTS parts"))
            conn.execute(text("DROP TABLE IF EXISTS categories"))
            conn.commit()
        return True
"""


def test_there_and_back_and_there_again_and_each_script_alone(
    tmp_path: Path, database_url: str, cli: CommandLine
) -> None:
    project = make_project(tmp_path / "project", database_url, "flask")
    with (project.folder / "app.py").open("a", encoding="utf-8") as file:
        file.write(APPLICATION)
    scripts = []
    for number, title, body in (
        ("001", "add_car_number", ADD_CAR_NUMBER),
        ("002", "create_parts", CREATE_PARTS),
    ):
        scripts.append(project.migrations / f"{number}_{title}.py")
        scripts[-1].write_text(HEAD.format(number=number, title=title) + body + TAIL, encoding="utf-8")

    def run(*command: str | Path) -> str:
        done = cli(*command, "--dir", project.migrations, env=project.environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def alone(script: Path, *arguments: str) -> None:
        done = cli.python(script, *arguments, env=project.environment)
        assert done.returncode == 0, done.stdout + done.stderr

    assert cli.python(project.folder / "app.py", env=project.environment).returncode == 0  # init_db
    run("apply")
    schema = fingerprint(database_url)
    assert applied(database_url) == [1, 2]
    assert "pending" not in run("status").replace("0 pending", "")
    run("rollback", "--yes")
    assert set(fingerprint(database_url)["tables"]) == {"orders"}
    run("apply")
    assert fingerprint(database_url) == schema
    for script in scripts:
        alone(script)
    for script in reversed(scripts):
        alone(script, "rollback")
    assert set(fingerprint(database_url)["tables"]) == {"orders"}
    for script in scripts:
        alone(script)
    assert fingerprint(database_url) == schema
