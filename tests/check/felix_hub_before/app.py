"""Felix Hub as it was released before migration 001: it knows orders, and neither number plates nor a catalogue."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, DateTime, String, false, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NOW = text("CURRENT_TIMESTAMP")


class Base(DeclarativeBase):
    """What all models have in common."""


db = SQLAlchemy(model_class=Base)


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
        DateTime(timezone=True), server_default=NOW, onupdate=lambda: datetime.now(UTC)
    )


app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"].replace(
    "postgresql://", "postgresql+psycopg://"
)
db.init_app(app)
