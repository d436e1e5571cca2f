"""What has stopped or refused a script: it is remembered, so that a script that swallows the error has not succeeded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from nonstop.errors import Interruption, NonstopError

Answer = TypeVar("Answer")


class StopReasons:
    """The last of each kind; None where there is none."""

    def __init__(self) -> None:
        self.interruption: Interruption | None = None
        self.refusal: NonstopError | None = None

    def remember(self, call: Callable[[], Answer]) -> Answer:
        """Call what may stop the script, and remember that it did."""
        try:
            return call()
        except Interruption as interruption:
            self.interruption = interruption
            raise
        except NonstopError as error:
            self.refusal = error
            raise
