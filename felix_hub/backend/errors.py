"""Every error as JSON: `{"error": "what went wrong"}`, with `"fields"` where the input is to blame."""

from __future__ import annotations

from flask import Flask, current_app
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from werkzeug.exceptions import HTTPException

from config import ConfigurationError

Answer = tuple[dict[str, object], int]


class InvalidInput(Exception):
    """What the client sent can't be used; `fields` maps the name of each bad field to what is wrong with it."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(", ".join(f"{name} {problem}" for name, problem in fields.items()))
        self.fields = fields


def answer_in_json(app: Flask) -> None:
    """Register the answers on the application."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(InvalidInput, _invalid_input)
    app.register_error_handler(ConfigurationError, _not_configured)
    # SQLite calls a missing column an operational error, PostgreSQL a programming error.
    app.register_error_handler(OperationalError, _database_not_ready)
    app.register_error_handler(ProgrammingError, _database_not_ready)


def _http_error(error: HTTPException) -> Answer | HTTPException:
    if error.code is None or error.code < 400:
        return error  # a redirect, say
    return {"error": error.description or error.name}, error.code


def _invalid_input(error: InvalidInput) -> Answer:
    return {"error": "The request is not valid.", "fields": error.fields}, 400


def _not_configured(error: ConfigurationError) -> Answer:
    current_app.logger.error("%s", error)
    return {"error": str(error)}, 500


def _database_not_ready(error: DBAPIError) -> Answer:
    # `orig` is the driver's own message: without the statement and its parameters, which hold names and numbers.
    current_app.logger.error("The database did not answer a query: %s", error.orig)
    return {"error": "The database is not reachable, or its migrations are pending: see /readyz."}, 503
