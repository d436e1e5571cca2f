"""Migration 001 of Felix Hub, a nullable column and its index, as each tool's users write it without special care."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Command
from benchmarks.peers import alembic, django, yoyo
from benchmarks.peers.felix_hub import BACKEND
from benchmarks.peers.project import PYTHON, Target, program, write
from tests.support.projects import make_project
from tests.support.scripts import write_script

ALEMBIC_SCRIPT = '''"""add car_number"""

import sqlalchemy as sa
from alembic import op

revision = "001"
down_revision = None


def upgrade():
    op.add_column("orders", sa.Column("car_number", sa.String(20), nullable=True))
    op.create_index("idx_orders_car_number", "orders", ["car_number"])


def downgrade():
    op.drop_index("idx_orders_car_number", "orders")
    op.drop_column("orders", "car_number")
'''
YOYO_SCRIPT = '''"""
add car_number
"""

from yoyo import step

steps = [
    step("ALTER TABLE orders ADD COLUMN car_number VARCHAR(20)", "ALTER TABLE orders DROP COLUMN car_number"),
    step("CREATE INDEX idx_orders_car_number ON orders (car_number)", "DROP INDEX idx_orders_car_number"),
]
'''
DJANGO_ORDERS = """from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Order", fields=[("id", models.AutoField(primary_key=True))], options={"db_table": "orders"}
                )
            ]
        )
    ]
"""
DJANGO_SCRIPT = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_orders")]
    operations = [
        migrations.AddField("order", "car_number", models.CharField(max_length=20, null=True)),
        migrations.AddIndex("order", models.Index(fields=["car_number"], name="idx_orders_car_number")),
    ]
"""
RAW_APPLY = """
if "car_number" in [column["name"] for column in inspect(db.engine).get_columns("orders")]:
    print("orders.car_number is there already")
    return True
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE orders ADD COLUMN car_number VARCHAR(20)"))
    connection.execute(text("CREATE INDEX idx_orders_car_number ON orders (car_number)"))
print("orders.car_number and idx_orders_car_number are in place")
"""
RAW_ROLLBACK = """
with db.engine.begin() as connection:
    connection.execute(text("DROP INDEX IF EXISTS idx_orders_car_number"))
    connection.execute(text("ALTER TABLE orders DROP COLUMN IF EXISTS car_number"))
"""


class Tool(NamedTuple):
    """``create(folder, url, budget)`` writes a project and gives the command that migrates.

    ``distribution`` is its name on PyPI; ``module``, and ``program`` if it has one, must be there for it to run.
    ``is_ours``: it runs under nonstop, whose promises hold for it. ``is_001``: it is migration 001 that it carries out.
    """

    name: str
    create: Callable[[Path, str, str], Command]
    distribution: str
    module: str
    program: str = ""
    is_ours: bool = False
    is_001: bool = True

    @property
    def is_installed(self) -> bool:
        return find_spec(self.module) is not None and (not self.program or program(self.program).exists())


def with_op(folder: Path, url: str, budget: str) -> Command:
    """Felix Hub's own script, through its ``run_migrations.py``."""
    folder.mkdir(parents=True)
    runner = BACKEND / "migrations" / "run_migrations.py"
    called: list[str | Path] = [PYTHON, runner, "apply", "--to", "1", "--blocking-budget", budget]
    return Command(called, folder, {"DATABASE_URL": url})


def raw_sql(folder: Path, url: str, budget: str) -> Command:
    """The contract's template with plain SQL in one transaction: neither script nor application know of nonstop."""
    project = make_project(folder, url, "flask")
    write_script(project.migrations, "001_add_car_number_column.py", RAW_APPLY, RAW_ROLLBACK)
    options: list[str | Path] = ["--dir", project.migrations, "--blocking-budget", budget]
    return Command([PYTHON, "-m", "nonstop", "apply", *options], folder, project.environment)


def with_alembic(folder: Path, url: str, budget: str) -> Command:
    """``alembic upgrade head`` in a project as ``alembic init`` makes it."""
    project = alembic.create(folder, 0, Target(url, None))
    write(folder / "migrations" / "versions" / "001_add_car_number.py", ALEMBIC_SCRIPT)
    return project.apply


def with_yoyo(folder: Path, url: str, budget: str) -> Command:
    """``yoyo apply`` with SQL."""
    project = yoyo.create(folder, 0, Target(url, None))
    write(folder / "migrations" / "0001.add-car-number.py", YOYO_SCRIPT)
    return project.apply


def with_django(folder: Path, url: str, budget: str) -> Command:
    """``manage.py migrate``; a first migration that does nothing in the database tells Django of the table."""
    project = django.create(folder, 0, Target(url, None))
    write(folder / "shop" / "migrations" / "0001_orders.py", DJANGO_ORDERS)
    write(folder / "shop" / "migrations" / "0002_add_car_number.py", DJANGO_SCRIPT)
    return project.apply


TOOLS = (
    Tool("raw SQL", raw_sql, "nonstop", "flask_sqlalchemy", is_ours=True),
    Tool("op", with_op, "nonstop", "flask_sqlalchemy", is_ours=True),
    Tool("Alembic", with_alembic, "alembic", "alembic", "alembic"),
    Tool("yoyo", with_yoyo, "yoyo-migrations", "yoyo", "yoyo"),
    Tool("Django", with_django, "Django", "django"),
)
