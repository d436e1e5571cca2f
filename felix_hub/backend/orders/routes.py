"""The routes below /api/orders."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from sqlalchemy import Select, select, update

from database import db
from fields import Fields
from models import Order, utc_now
from orders.lifecycle import STATUSES, status_after, status_before
from orders.representation import car_number_from, order_as_json, order_from_json

blueprint = Blueprint("orders", __name__, url_prefix="/api/orders")

# A number that no INTEGER column can hold is an order that doesn't exist, not an error of the database.
ORDER = "/<int(max=2147483647):order_id>"
DEFAULT_PAGE_SIZE = 20
LARGEST_PAGE_SIZE = 100


@blueprint.post("")
def create_order() -> tuple[dict[str, Any], int, dict[str, str]]:
    order = order_from_json(request.get_json())
    db.session.add(order)
    db.session.commit()
    return order_as_json(order), 201, {"Location": url_for("orders.show_order", order_id=order.id)}


@blueprint.get("")
def list_orders() -> dict[str, Any]:
    """The orders, newest first, one page at a time; `status` and `car_number` narrow the list."""
    fields = Fields(request.args)
    page = fields.whole_number("page", default=1)
    per_page = fields.whole_number("per_page", default=DEFAULT_PAGE_SIZE, at_most=LARGEST_PAGE_SIZE)
    orders = _newest_first(
        status=fields.choice("status", STATUSES),
        car_number=car_number_from(fields),
    )
    fields.raise_if_invalid()

    found = db.paginate(orders, page=page, per_page=per_page, error_out=False)
    return {
        "orders": [order_as_json(order) for order in found.items],
        "page": found.page,
        "per_page": found.per_page,
        "pages": found.pages,
        "total": found.total,
    }


@blueprint.get(ORDER)
def show_order(order_id: int) -> dict[str, Any]:
    return order_as_json(_order(order_id))


@blueprint.patch(f"{ORDER}/status")
def change_status(order_id: int) -> dict[str, Any] | tuple[dict[str, Any], int]:
    """Move an order one step on. 409, with the step that is possible, when `status` isn't the next one."""
    fields = Fields.of_body(request.get_json())
    wanted = fields.choice("status", STATUSES, required=True)
    fields.raise_if_invalid()
    assert wanted is not None  # it would have been invalid

    # One statement that names the status it starts from: of two clients that press at once, one gets the 409.
    step = update(Order).where(Order.id == order_id, Order.status == status_before(wanted))
    moved = db.session.scalar(step.values(status=wanted, updated_at=utc_now()).returning(Order.id))
    db.session.commit()

    order = _order(order_id)
    if moved is not None:
        return order_as_json(order)
    return {
        "error": f'An order that is "{order.status}" can\'t become "{wanted}".',
        "status": order.status,
        "next": status_after(order.status),
    }, 409


def _order(order_id: int) -> Order:
    return db.get_or_404(Order, order_id, description=f"There is no order {order_id}.")


def _newest_first(status: str | None, car_number: str | None) -> Select[Order]:
    # By id and not by created_at: the same order, and the primary key serves it without a sort.
    orders = select(Order).order_by(Order.id.desc())
    if status is not None:
        orders = orders.where(Order.status == status)
    if car_number is not None:
        orders = orders.where(Order.car_number == car_number)
    return orders
