"""Felix Hub's tables, as they are after migration 002.

Migrations must not import this file: it moves on with the application, and they describe one step of the way.
A test compares the two, so that a model can't change without its migration.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Base

# The defaults live in the database, so that an INSERT of raw SQL or of an older release gets them too.
NOW = text("CURRENT_TIMESTAMP")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Order(Base):
    """Parts that a mechanic asks for, for one car."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    mechanic_name: Mapped[str] = mapped_column(String(120))
    telegram_id: Mapped[str] = mapped_column(String(50))
    category: Mapped[str] = mapped_column(String(120))
    vin: Mapped[str | None] = mapped_column(String(50))
    selected_parts: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    is_original: Mapped[bool] = mapped_column(server_default=false())
    photo_url: Mapped[str | None] = mapped_column(String(250))
    status: Mapped[str] = mapped_column(String(50), server_default="новый")
    printed: Mapped[bool] = mapped_column(server_default=false())
    language: Mapped[str] = mapped_column(String(5), server_default="ru")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=NOW, onupdate=utc_now
    )
    car_number: Mapped[str | None] = mapped_column(String(20), index=True)


class Category(Base):
    """A group of parts, such as brakes; its names in the languages of the workshop."""

    __tablename__ = "categories"

    id: Mapped[int] = mapped_column(primary_key=True)
    name_ru: Mapped[str] = mapped_column(String(120))
    name_he: Mapped[str | None] = mapped_column(String(120))
    name_en: Mapped[str | None] = mapped_column(String(120))
    icon: Mapped[str | None] = mapped_column(String(10))
    sort_order: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=NOW)


class Part(Base):
    """A part that can be ordered. It goes when its category goes."""

    __tablename__ = "parts"

    id: Mapped[int] = mapped_column(primary_key=True)
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id", ondelete="CASCADE"), index=True)
    name_ru: Mapped[str] = mapped_column(String(200))
    name_he: Mapped[str | None] = mapped_column(String(200))
    name_en: Mapped[str | None] = mapped_column(String(200))
    is_common: Mapped[bool] = mapped_column(server_default=false())
    sort_order: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=NOW)
