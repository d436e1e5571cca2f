"""``python -m nonstop`` and the ``nonstop`` command."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    gc.disable()  # the start is imports, which make no garbage: looking for some took a twentieth of a status
    from nonstop.cli import main as run

    gc.enable()
    sys.exit(run())


if __name__ == "__main__":
    main()
