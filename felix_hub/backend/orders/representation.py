"""Orders to and from JSON."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String

from fields import LARGEST_INTEGER, Fields, text_problem
from models import Order
from timestamps import iso_utc

LANGUAGES = ("ru", "he", "en")
LONGEST_PART_NAME = 200


def order_as_json(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "mechanic_name": order.mechanic_name,
        "telegram_id": order.telegram_id,
        "category": order.category,
        "vin": order.vin,
        "car_number": order.car_number,
        "selected_parts": order.selected_parts,
        "is_original": order.is_original,
        "photo_url": order.photo_url,
        "status": order.status,
        "printed": order.printed,
        "language": order.language,
        "created_at": iso_utc(order.created_at),
        "updated_at": iso_utc(order.updated_at),
    }


def order_from_json(body: object) -> Order:
    """A new order, not saved yet. Raises `InvalidInput` with a message per bad field; ignores fields it doesn't know."""
    fields = Fields.of_body(body)
    order = Order(
        mechanic_name=fields.text("mechanic_name", longest("mechanic_name"), required=True),
        telegram_id=fields.text("telegram_id", longest("telegram_id"), required=True),
        category=fields.text("category", longest("category"), required=True),
        vin=fields.text("vin", longest("vin")),
        car_number=car_number_from(fields),
        selected_parts=_selected_parts(fields),
        is_original=fields.flag("is_original"),
        photo_url=fields.text("photo_url", longest("photo_url")),
        language=fields.choice("language", LANGUAGES, default="ru"),
    )
    fields.raise_if_invalid()
    return order


def car_number_from(fields: Fields) -> str | None:
    """A number plate in capital letters, so that `a123bc` finds the car that was written down as `A123BC`."""
    plate = fields.text("car_number", longest("car_number"))
    return plate.upper() if plate else None


def longest(column: str) -> int:
    """How many characters a text column of `orders` takes."""
    text_type = Order.__table__.columns[column].type
    if not isinstance(text_type, String) or text_type.length is None:
        raise TypeError(f"orders.{column} is no text column with a limit")
    return text_type.length


def _selected_parts(fields: Fields) -> list[dict[str, Any]]:
    parts = []
    for number, item in enumerate(fields.items("selected_parts"), start=1):
        part = {"quantity": 1, **item} if isinstance(item, dict) else {}
        problem = _part_problem(part)
        if problem:
            fields.reject("selected_parts", f"entry {number}: {problem}")
            break
        parts.append({"name": part["name"].strip(), "quantity": part["quantity"]})
    return parts


def _part_problem(part: dict[str, Any]) -> str | None:
    name, quantity = part.get("name"), part.get("quantity")
    if not isinstance(name, str) or not name.strip():
        return 'must be an object with a "name"'
    if not isinstance(quantity, int) or isinstance(quantity, bool) or not 1 <= quantity <= LARGEST_INTEGER:
        return "the quantity must be a whole number of at least 1"
    problem = text_problem(name, LONGEST_PART_NAME)
    return f"the name {problem}" if problem else None
