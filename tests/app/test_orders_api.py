"""/api/orders over HTTP, on a real database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

ORDER: dict[str, Any] = {
    "mechanic_name": "יוסי כהן",
    "telegram_id": "286640195",
    "category": "Тормозная система",
    "vin": "1M8GDM9AXKP042788",
    "car_number": "12-345-67",
    "selected_parts": [{"name": "Колодки передние", "quantity": 2}],
    "is_original": True,
    "photo_url": "/uploads/1.jpg",
    "language": "he",
}
FORWARD = [("новый", "в работе"), ("в работе", "готов"), ("готов", "выдан")]
STATUSES = ["новый", "в работе", "готов", "выдан"]


def create(client: FlaskClient, **changes: Any) -> dict[str, Any]:
    answer = client.post("/api/orders", json={**ORDER, **changes})
    assert answer.status_code == 201, answer.get_json()
    return dict(answer.get_json())


def bring_to(client: FlaskClient, status: str) -> int:
    """A new order that has gone all the way to `status`; returns its id."""
    order = create(client)
    for following in STATUSES[1 : STATUSES.index(status) + 1]:
        assert (
            client.patch(f"/api/orders/{order['id']}/status", json={"status": following}).status_code == 200
        )
    return int(order["id"])


class TestCreating:
    def test_answers_with_the_order_and_where_it_is(self, client: FlaskClient) -> None:
        answer = client.post("/api/orders", json=ORDER)
        order = answer.get_json()

        assert answer.status_code == 201
        assert answer.headers["Location"] == f"/api/orders/{order['id']}"
        assert {name: order[name] for name in ORDER} == ORDER
        assert (order["status"], order["printed"]) == ("новый", False)
        assert order["created_at"].endswith("+00:00")
        assert client.get(answer.headers["Location"]).get_json() == order

    def test_the_optional_fields_have_defaults(self, client: FlaskClient) -> None:
        required = {name: ORDER[name] for name in ("mechanic_name", "telegram_id", "category")}

        order = client.post("/api/orders", json={**required, "selected_parts": [{"name": "Диск"}]}).get_json()

        assert order["selected_parts"] == [{"name": "Диск", "quantity": 1}]
        assert (order["vin"], order["car_number"], order["photo_url"]) == (None, None, None)
        assert (order["is_original"], order["language"]) == (False, "ru")

    def test_text_is_trimmed_and_plates_are_in_capitals(self, client: FlaskClient) -> None:
        order = create(client, mechanic_name="  Игорь ", car_number=" а123вс 77 ", vin="   ")

        assert (order["mechanic_name"], order["car_number"], order["vin"]) == ("Игорь", "А123ВС 77", None)

    def test_what_the_client_does_not_decide_is_ignored(self, client: FlaskClient) -> None:
        order = create(client, id=77, status="выдан", printed=True, unheard_of="x")

        assert (order["status"], order["printed"]) == ("новый", False)
        assert order["id"] != 77

    def test_everything_that_is_missing_is_named_at_once(self, client: FlaskClient) -> None:
        answer = client.post("/api/orders", json={})

        assert answer.status_code == 400
        assert answer.get_json()["fields"] == dict.fromkeys(
            ("mechanic_name", "telegram_id", "category", "selected_parts"), "is required"
        )

    @pytest.mark.parametrize(
        ("field", "value", "problem"),
        [
            ("mechanic_name", "x" * 121, "at most 120"),
            ("mechanic_name", "   ", "is required"),
            ("mechanic_name", 7, "must be a text"),
            ("mechanic_name", "a\x00b", "can't be stored"),
            ("telegram_id", "x" * 51, "at most 50"),
            ("category", "x" * 121, "at most 120"),
            ("vin", "x" * 51, "at most 50"),
            ("car_number", "x" * 21, "at most 20"),
            ("photo_url", "x" * 251, "at most 250"),
            ("language", "fr", "must be one of: ru, he, en"),
            ("language", ["ru"], "must be one of"),
            ("is_original", "yes", "must be true or false"),
            ("selected_parts", [], "at least one entry"),
            ("selected_parts", "Колодки", "must be a list"),
            ("selected_parts", ["Колодки"], 'entry 1: must be an object with a "name"'),
            ("selected_parts", [{"name": "a"}, {"name": " "}], 'entry 2: must be an object with a "name"'),
            ("selected_parts", [{"name": "a", "quantity": 0}], "entry 1: the quantity"),
            ("selected_parts", [{"name": "a", "quantity": True}], "entry 1: the quantity"),
            ("selected_parts", [{"name": "x" * 201}], "entry 1: the name must have at most 200"),
        ],
    )
    def test_a_bad_field_is_named(self, client: FlaskClient, field: str, value: Any, problem: str) -> None:
        answer = client.post("/api/orders", json={**ORDER, field: value})

        assert answer.status_code == 400
        assert list(answer.get_json()["fields"]) == [field]
        assert problem in answer.get_json()["fields"][field]
        assert client.get("/api/orders").get_json()["total"] == 0

    def test_half_a_surrogate_pair_is_no_text(self, client: FlaskClient) -> None:
        body = '{"mechanic_name": "\\ud800", "telegram_id": "1", "category": "c", "selected_parts": [{"name": "n"}]}'

        answer = client.post("/api/orders", data=body, content_type="application/json")

        assert list(answer.get_json()["fields"]) == ["mechanic_name"]

    @pytest.mark.parametrize(
        ("body", "content_type", "status"),
        [
            ("{not json", "application/json", 400),
            ("[]", "application/json", 400),
            ("null", "application/json", 400),
            ("mechanic_name=a", "application/x-www-form-urlencoded", 415),
            ('{"mechanic_name": "' + "x" * 1_000_000 + '"}', "application/json", 413),
        ],
    )
    def test_a_body_that_is_no_order(
        self, client: FlaskClient, body: str, content_type: str, status: int
    ) -> None:
        answer = client.post("/api/orders", data=body, content_type=content_type)

        assert answer.status_code == status
        assert answer.get_json()["error"]


class TestListing:
    def test_newest_first_one_page_at_a_time(self, client: FlaskClient) -> None:
        ids = [create(client)["id"] for _ in range(5)]

        first = client.get("/api/orders?per_page=2").get_json()
        last = client.get("/api/orders?per_page=2&page=3").get_json()

        assert [order["id"] for order in first["orders"]] == [ids[4], ids[3]]
        assert [order["id"] for order in last["orders"]] == [ids[0]]
        assert (first["page"], first["per_page"], first["pages"], first["total"]) == (1, 2, 3, 5)

    def test_a_page_after_the_last_is_empty(self, client: FlaskClient) -> None:
        create(client)

        answer = client.get("/api/orders?page=9")

        assert answer.status_code == 200
        assert (answer.get_json()["orders"], answer.get_json()["total"]) == ([], 1)

    def test_by_status_and_by_plate(self, client: FlaskClient) -> None:
        in_work = bring_to(client, "в работе")
        other_car = create(client, car_number="ab-12")["id"]

        def listed(**query: str) -> list[int]:
            return [
                order["id"] for order in client.get("/api/orders", query_string=query).get_json()["orders"]
            ]

        assert listed(status="в работе") == [in_work]
        assert listed(car_number="AB-12") == [other_car]
        assert listed(car_number=" ab-12 ", status="новый") == [other_car]
        assert listed(car_number="ab-12", status="выдан") == []
        assert listed(car_number="%") == []
        assert listed() == [other_car, in_work]

    @pytest.mark.parametrize(
        "query",
        [
            "page=0",
            "page=-1",
            "page=x",
            "page=1e3",
            "page=²",
            "page=99999999999999999999",
            "per_page=0",
            "per_page=101",
            "status=lost",
            "car_number=%00",
            f"car_number={'x' * 21}",
        ],
    )
    def test_a_bad_question_is_refused(self, client: FlaskClient, query: str) -> None:
        answer = client.get(f"/api/orders?{query}")

        assert answer.status_code == 400
        assert list(answer.get_json()["fields"]) == [query.split("=", maxsplit=1)[0]]


class TestStatus:
    @pytest.mark.parametrize(("before", "after"), FORWARD)
    def test_one_step_forward(self, client: FlaskClient, before: str, after: str) -> None:
        order_id = bring_to(client, before)
        seen = client.get(f"/api/orders/{order_id}").get_json()

        answer = client.patch(f"/api/orders/{order_id}/status", json={"status": after})

        assert answer.status_code == 200
        assert answer.get_json()["status"] == after
        assert answer.get_json()["updated_at"] != seen["updated_at"]
        assert answer.get_json() == client.get(f"/api/orders/{order_id}").get_json()

    @pytest.mark.parametrize(
        ("before", "after"),
        [(before, after) for before in STATUSES for after in STATUSES if (before, after) not in FORWARD],
    )
    def test_anything_else_is_a_conflict(self, client: FlaskClient, before: str, after: str) -> None:
        order_id = bring_to(client, before)

        answer = client.patch(f"/api/orders/{order_id}/status", json={"status": after})

        assert answer.status_code == 409
        assert answer.get_json()["status"] == before
        assert answer.get_json()["next"] == dict(FORWARD).get(before)
        assert client.get(f"/api/orders/{order_id}").get_json()["status"] == before

    @pytest.mark.parametrize(
        "body", [{}, {"status": None}, {"status": "lost"}, {"status": 1}, {"status": {}}]
    )
    def test_an_unknown_status_is_refused(self, client: FlaskClient, body: dict[str, Any]) -> None:
        order_id = create(client)["id"]

        answer = client.patch(f"/api/orders/{order_id}/status", json=body)

        assert answer.status_code == 400
        assert list(answer.get_json()["fields"]) == ["status"]

    def test_of_an_order_that_does_not_exist(self, client: FlaskClient) -> None:
        assert client.patch("/api/orders/1/status", json={"status": "готов"}).status_code == 404


class TestErrors:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/api/orders/1", 404),
            ("GET", "/api/orders/99999999999999999999", 404),
            ("GET", "/api/orders/one", 404),
            ("GET", "/nowhere", 404),
            ("DELETE", "/api/orders", 405),
            ("POST", "/healthz", 405),
        ],
    )
    def test_errors_are_json(self, client: FlaskClient, method: str, path: str, status: int) -> None:
        answer = client.open(path, method=method)

        assert answer.status_code == status
        assert answer.get_json()["error"]

    def test_a_bug_is_json_too_and_tells_nothing(self, application: Flask) -> None:
        @application.get("/bug")
        def bug() -> str:
            raise RuntimeError("internal detail")

        answer = application.test_client().get("/bug")

        assert answer.status_code == 500
        assert answer.is_json
        assert "internal detail" not in answer.get_data(as_text=True)
