"""The catalogue that mechanics order from: categories, and the parts in them."""

from catalog.routes import blueprint

__all__ = ["blueprint"]
