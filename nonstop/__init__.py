"""nonstop: database migrations that never stop the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nonstop import op as op
    from nonstop.cli import run_script as run_script

__version__ = "0.1.0"
__all__ = ["__version__", "op", "run_script"]


def __getattr__(name: str) -> Any:
    """Load the public names on first use: the command line must start without SQLAlchemy."""
    if name == "op":
        from importlib import import_module

        return import_module("nonstop.op")
    if name == "run_script":
        from nonstop.cli import run_script

        return run_script
    raise AttributeError(f"module 'nonstop' has no attribute {name!r}")
