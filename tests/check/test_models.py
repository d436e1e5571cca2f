"""Which tables running code uses: found in its modules, or derived from a schema."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nonstop.check.running_code.models import from_schema
from nonstop.check.running_code.star_selects import StarSelect, star_selects
from nonstop.databases import open_database
from tests.support.operations import send

ROOT = Path(__file__).resolve().parents[2]
LOADED = """\
import json, sys
from pathlib import Path
from nonstop.check.running_code.models import load
from nonstop.errors import UsageError
try:
    code = load(Path(sys.argv[1]), sys.argv[2] or None)
except UsageError as error:
    print(json.dumps({"error": error.message, "next_step": error.next_step}))
else:
    assert code.is_explicit
    print(json.dumps([[model.label, model.table.key, model.mapped is not None] for model in code.models]))
"""
DECLARATIVE = """\
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    metadata = MetaData()


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)


tags = Table("order_tags", Base.metadata, Column("order_id", ForeignKey("orders.id"), primary_key=True))
"""
FLASK = """\
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
app.config["SQLALCHEMY_BINDS"] = {"elsewhere": "sqlite://"}
db = SQLAlchemy(app)


class Order(db.Model):
    id = db.Column(db.Integer, primary_key=True)


class Visit(db.Model):
    __bind_key__ = "elsewhere"
    id = db.Column(db.Integer, primary_key=True)
"""


def loaded(folder: Path, module: str | None = None) -> object:
    """What ``load`` finds, in a process of its own: label, table, whether it is mapped; or its error."""
    command = [sys.executable, "-c", LOADED, str(folder), module or ""]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_classes_and_the_tables_without_one(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(DECLARATIVE)
    assert loaded(tmp_path) == [["order_tags", "order_tags", False], ["Order", "orders", True]]


def test_models_of_an_application_that_are_imported_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/__init__.py").write_text("")
    (tmp_path / "shop/tables.py").write_text(DECLARATIVE)
    (tmp_path / "shop/main.py").write_text("import shop.tables\n")
    assert loaded(tmp_path, "shop.main") == [["order_tags", "order_tags", False], ["Order", "orders", True]]


def test_an_app_without_models_beside_models(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("app = object()\n")
    (tmp_path / "models.py").write_text(DECLARATIVE)
    assert loaded(tmp_path) == [["order_tags", "order_tags", False], ["Order", "orders", True]]


def test_flask_sqlalchemy_without_the_tables_of_another_database(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(FLASK)
    assert loaded(tmp_path) == [["Order", "order", True]]


def test_tables_of_core_alone(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(
        "from sqlalchemy import Column, Integer, MetaData, Table\n"
        'orders = Table("orders", MetaData(), Column("id", Integer, primary_key=True))\n'
    )
    assert loaded(tmp_path) == [["orders", "orders", False]]


def test_felix_hub() -> None:
    found = loaded(ROOT / "felix_hub" / "backend", "app")
    assert found == [["Category", "categories", True], ["Order", "orders", True], ["Part", "parts", True]]


def test_models_that_do_not_fit_together_are_named(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(
        "from sqlalchemy import Column, Integer\n"
        "from sqlalchemy.orm import declarative_base, relationship\n"
        "class Order(declarative_base()):\n"
        '    __tablename__ = "orders"\n'
        "    id = Column(Integer, primary_key=True)\n"
        '    owner = relationship("Nobody")\n'
    )
    error = loaded(tmp_path)
    assert isinstance(error, dict)
    assert "do not fit together" in error["error"]
    assert "Nobody" in error["error"]
    assert error["next_step"] == "correct them"


@pytest.mark.parametrize(
    ("files", "module", "said"),
    [
        ({}, None, "there is no module app or models"),
        ({}, "shop.models", "there is no module shop.models"),
        ({"app.py": "import not_installed"}, None, "app can't be imported: No module named 'not_installed'"),
        ({"app.py": "raise RuntimeError('no key')"}, None, "RuntimeError: no key"),
        ({"app.py": "raise SystemExit(3)"}, "app", "SystemExit: 3"),
        ({"app.py": "x = 1"}, None, "no SQLAlchemy model or table in app or models"),
    ],
)
def test_what_can_not_be_loaded_is_said_with_a_way_out(
    tmp_path: Path, files: dict[str, str], module: str | None, said: str
) -> None:
    for name, source in files.items():
        (tmp_path / name).write_text(source)
    error = loaded(tmp_path, module)
    assert isinstance(error, dict)
    assert said in error["error"]
    assert "name the module" in error["next_step"]


# --- derived from a schema ------------------------------------------------------------------------------------


def test_a_schema_is_code_that_names_every_column(database_url: str) -> None:
    send(
        database_url,
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, vin VARCHAR(50))",
        "CREATE TABLE ledger (id INTEGER PRIMARY KEY)",
    )
    database = open_database(database_url)
    engine = database.engine()
    code = from_schema(engine, database, frozenset({"ledger"}))
    engine.dispose()
    assert not code.is_explicit
    assert [(model.label, list(model.table.columns.keys())) for model in code.models] == [
        ("orders", ["id", "vin"])
    ]


def test_other_schemas_count_and_partitions_do_not(postgres_url: str) -> None:
    send(
        postgres_url,
        "CREATE TABLE readings (id INTEGER, day DATE) PARTITION BY RANGE (day)",
        "CREATE TABLE readings_old PARTITION OF readings DEFAULT",
        "CREATE SCHEMA shop",
        "CREATE TABLE shop.orders (id INTEGER)",
    )
    database = open_database(postgres_url)
    code = from_schema(database.engine(), database)
    assert sorted(code.tables) == ["readings", "shop.orders"]


# --- SELECT * -------------------------------------------------------------------------------------------------


def test_select_star_is_found_where_it_is_code(tmp_path: Path) -> None:
    (tmp_path / "queries.py").write_text(
        '"""SELECT * FROM orders is documentation."""\n'
        "# SELECT * FROM orders\n"
        'ONE = "SELECT * FROM orders WHERE id = 1"\n'
        'TWO = """\n'
        "    select o.* from customers c\n"
        '    join "orders" o on true"""\n'
        'THREE = f"SELECT * FROM public.orders WHERE id = {ONE}"\n'
        'NOT = "SELECT count(*) FROM orders", "SELECT id FROM orders", "SELECT * FROM others"\n'
    )
    (tmp_path / "001_add.py").write_text('SQL = "SELECT * FROM orders"\n')
    (tmp_path / "broken.py").write_text('SQL = ("SELECT * FROM orders"\n')
    assert star_selects(tmp_path, ["orders"]) == [
        StarSelect("queries.py", 3, "SELECT * FROM orders WHERE id = 1"),
        StarSelect("queries.py", 5, 'select o.* from customers c join "orders" o on true'),
        StarSelect("queries.py", 7, "SELECT * FROM public.orders WHERE id = ?"),
    ]
