"""Lets standbys catch up before a lock that they have to replay (failure modes C12, B19).

An ACCESS EXCLUSIVE lock is replayed on a standby, where it waits for that one's own readers, for up to
max_standby_streaming_delay, and everything behind it waits too. That delay is counted from when the standby received
the log, not from when the conflict began: a standby that lags has no grace left, and cancels its readers at once
(PostgreSQL manual, "Handling Query Conflicts"). So each such lock is asked for only when the standbys have replayed
what was written before, our own previous step among it: one stall at a time, each with its full grace.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from nonstop.descriptions.activity import Observer, Standby

FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.01, 0.5, 1.5
"""Seconds between two looks; they grow as those of Patience do."""
CAUGHT_UP_WITHIN = 1.0
"""Seconds: who needed longer to get to where the server was then may be as far behind now. So we look again."""
GIVE_UP_AFTER = 60.0
"""
Seconds; twice the usual max_standby_streaming_delay. Then we go on, with a note, and wait for that standby no more in
this script: a replica that is delayed on purpose, paused, or lost never comes, the primary is in no danger from it, and
what its readers may meet then they meet with any DDL.
"""


class Standbys:
    """Waits for the standbys of one server, for one script.

    ``say`` gets a note for the report; ``checkpoint`` may end the waiting.
    """

    def __init__(
        self, say: Callable[[str], None], checkpoint: Callable[[], None], give_up_after: float = GIVE_UP_AFTER
    ) -> None:
        self._say = say
        self._checkpoint = checkpoint
        self._give_up_after = give_up_after
        self._left_out: set[int] = set()

    def wait(self, observer: Observer) -> None:
        """Return when each standby has replayed what the server has written by now, or is not waited for any more."""
        started = asked = time.monotonic()
        pause = FIRST_PAUSE
        position = observer.written_up_to()
        while position:
            now = time.monotonic()
            behind = self._waited_for(observer.standbys_behind(position, now - asked > CAUGHT_UP_WITHIN))
            if not behind and now - asked <= CAUGHT_UP_WITHIN:
                return
            if now - started > self._give_up_after:
                self._leave_out(behind)
                return
            if not behind:
                asked, position = now, observer.written_up_to()
                continue
            self._checkpoint()
            time.sleep(pause)
            pause = min(pause * GROWTH, LONGEST_PAUSE)

    def _waited_for(self, standbys: Sequence[Standby]) -> list[Standby]:
        hidden = [standby for standby in standbys if standby.is_hidden and standby.pid not in self._left_out]
        if hidden:
            self._left_out.update(standby.pid for standby in hidden)
            self._say(
                f"{_names(hidden)} can't be waited for: our role does not see how far it is"
                " (GRANT pg_read_all_stats)"
            )
        return [standby for standby in standbys if standby.pid not in self._left_out]

    def _leave_out(self, behind: Sequence[Standby]) -> None:
        self._left_out.update(standby.pid for standby in behind)
        far = ", ".join(f"{standby.name} by {standby.behind_bytes or 0:,} bytes" for standby in behind)
        self._say(
            f"standbys were still behind after {self._give_up_after:g} s, and were not waited for: {far}"
        )


def _names(standbys: Sequence[Standby]) -> str:
    return ", ".join(sorted({standby.name for standby in standbys}))
