"""The tools, one module each: how a project of N scripts looks, how it is applied, how its status is asked for."""

from __future__ import annotations

from benchmarks.peers import alembic, dbmate, django, felix_hub, flask_migrate, nonstop, yoyo
from benchmarks.peers.project import Peer

PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        nonstop.PEER, felix_hub.PEER, dbmate.PEER, yoyo.PEER, django.PEER, alembic.PEER, flask_migrate.PEER,
    )
}  # fmt: skip
