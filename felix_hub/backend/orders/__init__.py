"""Orders: create, list, read, and move on to the next status."""

from orders.routes import blueprint

__all__ = ["blueprint"]
