"""The routes /api/categories and /api/parts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from sqlalchemy import Select, select

from database import db
from models import Category, Part
from timestamps import iso_utc

blueprint = Blueprint("catalog", __name__, url_prefix="/api")


@blueprint.get("/categories")
def list_categories() -> dict[str, Any]:
    categories = db.session.scalars(select(Category).order_by(Category.sort_order, Category.id))
    return {"categories": [category_as_json(category) for category in categories]}


@blueprint.get("/categories/<int(max=2147483647):category_id>/parts")
def list_parts_of_category(category_id: int) -> dict[str, Any]:
    category = db.get_or_404(Category, category_id, description=f"There is no category {category_id}.")
    return _as_list(select(Part).where(Part.category_id == category.id).order_by(Part.sort_order, Part.id))


@blueprint.get("/parts")
def list_parts() -> dict[str, Any]:
    return _as_list(select(Part).order_by(Part.category_id, Part.sort_order, Part.id))


def category_as_json(category: Category) -> dict[str, Any]:
    return {
        "id": category.id,
        "name_ru": category.name_ru,
        "name_he": category.name_he,
        "name_en": category.name_en,
        "icon": category.icon,
        "sort_order": category.sort_order,
        "created_at": iso_utc(category.created_at),
    }


def part_as_json(part: Part) -> dict[str, Any]:
    return {
        "id": part.id,
        "category_id": part.category_id,
        "name_ru": part.name_ru,
        "name_he": part.name_he,
        "name_en": part.name_en,
        "is_common": part.is_common,
        "sort_order": part.sort_order,
        "created_at": iso_utc(part.created_at),
    }


def _as_list(parts: Select[Part]) -> dict[str, Any]:
    return {"parts": [part_as_json(part) for part in db.session.scalars(parts)]}
