"""Felix Hub: mechanics order parts for the cars in their workshop.

Exports `app` and `db`. Importing this file opens no connection and changes no database, so that the release which
needs a new column starts before that column is there; `/readyz` says whether the migrations are done.
"""

from __future__ import annotations

from flask import Flask
from flask.json.provider import DefaultJSONProvider

import catalog
import errors
import health
import nonstop.integrations.flask
import orders
from config import INSTANCE, MIGRATIONS, Settings, resolve_database_url
from database import db, enforce_foreign_keys

__all__ = ["app", "create_app", "db"]

LARGEST_REQUEST = 1_000_000  # bytes


class ReadableJSON(DefaultJSONProvider):
    """Russian and Hebrew as they are, fields in the order in which we give them."""

    ensure_ascii = False
    sort_keys = False


def create_app(database_url: str | None = None) -> Flask:
    """Build the application on `database_url`, or on the database that the environment names."""
    settings = Settings.from_environment()
    app = Flask(__name__, instance_path=str(INSTANCE), static_folder=None)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=resolve_database_url(database_url) if database_url else settings.database_url,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
    )
    app.json = ReadableJSON(app)
    # Asked for with each request and not here: migrations import this file, and they need no key.
    app.before_request(settings.require_secret_key)

    db.init_app(app)
    with app.app_context():
        enforce_foreign_keys(db.engine)

    errors.answer_in_json(app)
    for blueprint in (health.blueprint, orders.blueprint, catalog.blueprint):
        app.register_blueprint(blueprint)
    return app


app = create_app()

# Adds `flask migrations …` and `/readyz`. It stays the last line: a migration file that was started alone is handed
# over to the runner here, and imports `app` and `db` from this module while it runs.
nonstop.integrations.flask.mount(app, directory=MIGRATIONS, resolve_url=resolve_database_url)
