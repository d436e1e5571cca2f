"""What has stopped or refused a script: it is remembered, so that a script that swallows the error has not succeeded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from nonstop.errors import Interruption, NonstopError, StoppedPartWay

Answer = TypeVar("Answer")


class StopReasons:
    """The last of each kind; None where there is none."""

    def __init__(self) -> None:
        self.interruption: Interruption | None = None
        self.refusal: NonstopError | None = None
        self.script_has_ended = False

    def refuse_after_the_end(self) -> None:
        """Raise Interruption in a thread that works on when the script has ended: nobody watches it any longer."""
        if self.script_has_ended:
            raise Interruption("the script has ended, a thread of it goes on", StoppedPartWay.exit_code)

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
