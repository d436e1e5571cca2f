"""The failure modes of docs/reliability.md: held by the tests that are named after them, any of which will do."""

from __future__ import annotations

from tests.docs.failure_modes import MODES, named_after_modes
from tests.promises.promise import Promise


def _promises() -> tuple[Promise, ...]:
    functions = named_after_modes()
    return tuple(
        Promise(
            f"C{number}",
            f"{failure}: {promise}",
            (
                " | ".join(
                    f"{path.as_posix()}::{name}"
                    for path, names in functions.get(number, {}).items()
                    for name in names
                ),
            ),
        )
        for number, (failure, promise) in MODES.items()
    )


PROMISES = _promises()
