"""How far the standbys of a PostgreSQL server have replayed what it wrote.

A plain role sees that there are walsenders, but not what they have sent (PostgreSQL manual, "Monitoring Statistics":
pg_read_all_stats). Logical subscribers replay no locks, and pg_receivewal replays nothing.
"""

from __future__ import annotations

from nonstop.databases.base import DBAPIConnection
from nonstop.descriptions.activity import Standby

# What is written but not flushed (synchronous_commit = off) is sent a moment later; what no commit follows, not for long.
STANDBYS = """
    SELECT r.pid, coalesce(nullif(r.application_name, ''), host(r.client_addr), 'a standby'),
        pg_wal_lsn_diff(CASE WHEN %(flushed)s THEN least(pg_current_wal_flush_lsn(), %(position)s::pg_lsn)
            ELSE %(position)s::pg_lsn END, r.replay_lsn)::bigint,
        r.state IS NULL
    FROM pg_stat_replication r
    WHERE (r.state IS NULL OR (r.state IN ('streaming', 'catchup') AND r.replay_lsn IS NOT NULL))
        AND NOT EXISTS (SELECT 1 FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')"""


def written_up_to(connection: DBAPIConnection) -> str:
    """Where the server's log ends now; empty on a standby, which has none of its own."""
    query = "SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE pg_current_wal_insert_lsn()::text END"
    return str(connection.execute(query).fetchone()[0])


def standbys_behind(connection: DBAPIConnection, position: str, flushed_will_do: bool) -> list[Standby]:
    """The standbys that have not replayed up to ``position``, and those of which our role can't know it.

    ``flushed_will_do`` asks for less: what has been flushed by now, and so has been sent.
    """
    rows = connection.execute(STANDBYS, {"position": position, "flushed": flushed_will_do})
    found = [Standby(*row) for row in rows]
    return [standby for standby in found if standby.is_hidden or (standby.behind_bytes or 0) > 0]
