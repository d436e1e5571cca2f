"""`/healthz`: the process is alive. It asks no database: whether the schema is ready is the question of `/readyz`."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> dict[str, str]:
    return {"status": "alive"}
