"""/api/categories and /api/parts over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

# Plain SQL, and only the columns that must be given: the rest is the database's to fill in.
CATALOGUE = """
INSERT INTO categories (id, name_ru, name_he, name_en, icon, sort_order) VALUES (1, 'Двигатель', 'מנוע', 'Engine', '⚙', 2);
INSERT INTO categories (id, name_ru, sort_order) VALUES (2, 'Тормоза', 1);
INSERT INTO categories (id, name_ru, sort_order) VALUES (3, 'Пусто', 3);
INSERT INTO parts (id, category_id, name_ru, sort_order) VALUES (1, 2, 'Диск', 2);
INSERT INTO parts (id, category_id, name_ru, name_he, name_en, is_common, sort_order) VALUES (2, 2, 'Колодки', 'רפידות', 'Pads', true, 1);
INSERT INTO parts (id, category_id, name_ru) VALUES (3, 1, 'Свеча');
"""


@pytest.fixture(autouse=True)
def catalogue(application: Flask) -> None:
    from app import db

    with application.app_context():
        for statement in CATALOGUE.strip().splitlines():
            db.session.execute(text(statement))
        db.session.commit()


def test_categories_in_their_order(client: FlaskClient) -> None:
    categories = client.get("/api/categories").get_json()["categories"]

    assert [category["name_ru"] for category in categories] == ["Тормоза", "Двигатель", "Пусто"]
    engine = categories[1]
    assert engine.pop("created_at").endswith("+00:00")
    assert engine == {
        "id": 1,
        "name_ru": "Двигатель",
        "name_he": "מנוע",
        "name_en": "Engine",
        "icon": "⚙",
        "sort_order": 2,
    }


def test_parts_of_one_category(client: FlaskClient) -> None:
    parts = client.get("/api/categories/2/parts").get_json()["parts"]

    assert [part["id"] for part in parts] == [2, 1]
    pads = parts[0]
    assert pads.pop("created_at").endswith("+00:00")
    assert pads == {
        "id": 2,
        "category_id": 2,
        "name_ru": "Колодки",
        "name_he": "רפידות",
        "name_en": "Pads",
        "is_common": True,
        "sort_order": 1,
    }


def test_all_parts(client: FlaskClient) -> None:
    parts = client.get("/api/parts").get_json()["parts"]

    assert [(part["category_id"], part["id"]) for part in parts] == [(1, 3), (2, 2), (2, 1)]
    assert (parts[0]["is_common"], parts[0]["sort_order"]) == (False, 0)


def test_a_category_without_parts_is_not_a_missing_one(client: FlaskClient) -> None:
    assert client.get("/api/categories/3/parts").get_json() == {"parts": []}
    assert client.get("/api/categories/4/parts").status_code == 404
    assert client.get("/api/categories/99999999999/parts").status_code == 404
