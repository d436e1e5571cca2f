#!/usr/bin/env python3
"""
Run Felix Hub's migrations: apply, rollback, status and more (--help).
"""

import sys
from pathlib import Path

MIGRATIONS = Path(__file__).resolve().parent
BACKEND = MIGRATIONS.parent
ROOT = BACKEND.parent.parent

sys.path[:0] = [str(BACKEND), str(ROOT)]  # the application, and nonstop in a bare checkout

from config import ENVIRONMENT_FILE, resolve_database_url


def main() -> int:
    """Run the command line with what it needs to know of Felix Hub, and return its exit code."""
    try:
        from nonstop.cli import main as run
    except ModuleNotFoundError as error:
        print(
            f"Felix Hub's packages are not installed ({error.name} is missing).\n"
            "Next: run scripts/setup, then use .venv/bin/python",
            file=sys.stderr,
        )
        return 2
    return run(directory=MIGRATIONS, resolve_url=resolve_database_url, environment_file=ENVIRONMENT_FILE)


if __name__ == "__main__":
    sys.exit(main())
