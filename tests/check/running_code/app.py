"""The release that is running while the scripts of the corpus are applied: its models, and what a script imports.

It knows the shop's tables but for ``archive`` and ``archive_pages``, and their columns but for ``customers.fax`` and
``items.weight``, which an earlier release used.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Enum,
    ForeignKey,
    Index,
    Numeric,
    String,
    Text,
    create_engine,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


def database_url() -> str:
    """DATABASE_URL, with the driver that SQLAlchemy is to use."""
    url = os.environ["DATABASE_URL"]
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            url = "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


class Base(DeclarativeBase):
    """What all models have in common."""


class App:
    """Looks like a Flask application to a migration file."""

    def app_context(self) -> AbstractContextManager[None]:
        return nullcontext()


class Database:
    """Looks like Flask-SQLAlchemy's ``db`` to a migration file."""

    Model = Base
    metadata = Base.metadata
    engine = create_engine(database_url())


app = App()
db = Database()


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    phone: Mapped[str | None] = mapped_column(String(20))
    city: Mapped[str | None] = mapped_column(Text)
    loyalty: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Item(Base):
    __tablename__ = "items"
    __table_args__ = (CheckConstraint("price >= 0", name="ck_items_price"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    barcode: Mapped[str | None] = mapped_column(Text)
    weight_grams: Mapped[int | None]


class Order(Base):
    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("total >= 0", name="ck_orders_total"),
        Index("idx_orders_placed_at", "placed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    status: Mapped[str] = mapped_column(
        Enum("new", "paid", "shipped", name="order_status"), server_default="new"
    )
    total: Mapped[Decimal] = mapped_column(Numeric(12, 2), server_default=text("0"))
    reference: Mapped[str | None] = mapped_column(String(30))
    remark: Mapped[str | None] = mapped_column(Text)
    placed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class OrderLine(Base):
    __tablename__ = "order_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="ck_order_lines_quantity"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), index=True)
    quantity: Mapped[int]


class Payment(Base):
    __tablename__ = "payments"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int]
    amount: Mapped[int]
    method: Mapped[str | None] = mapped_column(String(20))
    paid_on: Mapped[date | None]


class PriceChange(Base):
    """The table has no primary key; the code relies on these two all the same."""

    __tablename__ = "price_history"

    item_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))


class Reading(Base):
    __tablename__ = "readings"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    taken_on: Mapped[date] = mapped_column(primary_key=True)
    sensor: Mapped[int]
    value: Mapped[Decimal | None] = mapped_column(Numeric(8, 2))
