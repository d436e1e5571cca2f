"""The grounds for rehearsals of a PostgreSQL database: a server of our own, and one that others use, too."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

from psycopg import Connection, sql

from nonstop.databases import postgresql_dump as dump
from nonstop.databases.namespaces import can_isolate, isolated
from nonstop.databases.postgresql_addresses import addresses, scheme_of, sockets, with_database
from nonstop.databases.postgresql_copies import Copies, mark_of, new_token, prefix_of
from nonstop.databases.postgresql_embedded import (
    Binaries,
    EmbeddedServer,
    Unavailable,
    find_tools,
    folder_of_server,
    stop_orphan,
)
from nonstop.databases.postgresql_pooler import is_pooled, refuse_shared_sessions
from nonstop.databases.rehearsal import Bounds, Fenced, Ground, Scratch
from nonstop.databases.rehearsal_environment import without_target
from nonstop.databases.rehearsal_folder import RehearsalFolder
from nonstop.databases.url import DatabaseUrl
from nonstop.descriptions.promises import Place
from nonstop.errors import UsageError

if TYPE_CHECKING:
    from nonstop.databases.postgresql import PostgreSQL

CARRIED_OPTIONS = ("options", "client_encoding", "connect_timeout")
"""What an address says about sessions; the rest is about reaching the server."""
SYSTEM = "SELECT system_identifier FROM pg_control_system()"
MAY_CONNECT = """
    SELECT coalesce(bool_or(has_database_privilege(r.oid, d.oid, 'CONNECT') AND r.rolcanlogin), false)
    FROM pg_roles r, pg_database d WHERE r.rolname = %s AND d.datname = %s"""
EMBEDDED = "embedded server"
GIVEN = "server of REHEARSAL_DATABASE_URL"
BESIDE = "new databases on the target's server"
BEST_EFFORT = "best effort: connections are checked by the drivers in Python"


class Wanted(NamedTuple):
    """What a ground is to stand for: the ``target``, with the rows of ``tables``; ``fenced`` is told of it early."""

    target: PostgreSQL
    tables: frozenset[str]
    fenced: Fenced


class ServerGround(Ground):
    """Scratch databases on a server. Those who derive from it make ``_copies``, ``_role`` and ``_stack``, which closes all."""

    _copies: Copies
    _role: str
    _stack: ExitStack

    def __init__(self, wanted: Wanted, folder: RehearsalFolder) -> None:
        self._target = wanted.target
        self._tables = wanted.tables
        self._folder = folder
        self.folder = folder.path
        self._token = new_token()
        self.mark = mark_of(self._token)
        self._settings: list[sql.Composed] = []

    def base(self) -> Scratch:
        return self._base

    def copy(self, scratch: Scratch) -> Scratch:
        return self._ready(self._copies.copy(scratch.name))

    def drop(self, scratch: Scratch) -> None:
        self._copies.drop(scratch.name)

    def close(self) -> None:
        self._stack.close()

    @abstractmethod
    def url(self, name: str) -> str:
        """The address of one of this server's databases."""

    def dump(self, session: Connection[Any], binaries: Binaries) -> Path:
        """The target's schema, seen over ``session``, as a file. Raises Unavailable."""
        schema = self.folder / "schema.sql"
        dump.dump_schema(session, binaries, schema)
        return schema

    def fill(
        self, session: Connection[Any], binaries: Binaries, schema: Path, options: sql.Composable
    ) -> None:
        """Make the base from the target, seen over ``session``, and its dumped schema. Raises Unavailable."""
        self._settings = dump.settings_of(session)
        self._base = self._ready(self._copies.create(options))
        with self._scratch_session(self._base) as scratch:
            dump.restore_schema(schema, scratch, binaries)
            dump.copy_rows(session, scratch, self._tables)
            dump.fill_views(session, scratch)

    def _ready(self, name: str) -> Scratch:
        dump.apply_settings(self._copies.session, self._settings, self._role, name)
        return Scratch(name, self.url(name))

    def _scratch_session(self, scratch: Scratch) -> Connection[Any]:
        from nonstop.databases.postgresql import PostgreSQL

        session: Connection[Any] = PostgreSQL(DatabaseUrl.parse(scratch.url)).connect(autocommit=True)
        return session


class EmbeddedGround(ServerGround):
    """On a server that nobody else knows of."""

    def __init__(self, wanted: Wanted, binaries: Binaries, reasons: tuple[str, ...]) -> None:
        with ExitStack() as stack:
            folder = RehearsalFolder(stop_orphan)
            stack.callback(folder.remove)
            super().__init__(wanted, folder)
            self._socket_folder = folder_of_server(folder.path)
            self.place = self._placed(binaries, reasons)
            with self._target.connect_reading() as session, ThreadPoolExecutor(2) as beside:
                role = dump.own_role(session)
                self._role = role.name
                making = beside.submit(EmbeddedServer, binaries, folder.path)
                stack.callback(_stop, making)
                dumped = beside.submit(self.dump, session, binaries)
                wanted.fenced(self)  # takes about as long as these two
                server = making.result()
                # Its databases go with its folder.
                self._copies = Copies(stack.enter_context(server.connect()), self._token, is_ours_alone=True)
                self._fill_as(role, session, binaries, dumped.result())
            self._stack = stack.pop_all()

    def url(self, name: str) -> str:
        given = self._target.url
        query = [(key, value) for key, value in given.query if key in CARRIED_OPTIONS]
        options = urlencode([("host", str(self._socket_folder)), *query], quote_via=quote, safe="/")
        return f"{scheme_of(given)}://{quote(self._role, safe='')}@/{name}?{options}"

    def command(self, command: list[str]) -> list[str]:
        if not self.place.is_isolated:
            return command
        return isolated(command, dict.fromkeys(sockets(self._target.url), Path("/dev/null")), self.folder)

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        return without_target(given, [self._target.url], self._folder.home, self.mark)

    def bounds(self) -> Bounds:
        return Bounds(
            self._target.display,
            self.place.is_isolated,
            target_addresses=addresses(self._target.url),
            target_name=self._target.url.database,
            socket_folder=str(self._socket_folder),
        )

    def _fill_as(self, role: dump.Role, session: Connection[Any], binaries: Binaries, schema: Path) -> None:
        server = self._copies.session
        dump.make_roles(session, server, role)
        encoding, _, _ = dump.encoding_of(session)
        options = (
            "OWNER {} ENCODING {}"
            if encoding == "UTF8"
            else "OWNER {} ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        made = sql.SQL(options).format(sql.Identifier(role.name), sql.Literal(encoding))
        self.fill(session, binaries, schema, made)
        dump.settle_role(server, role)

    def _placed(self, binaries: Binaries, reasons: tuple[str, ...]) -> Place:
        version = f"PostgreSQL {binaries.version}"
        if can_isolate(self.folder):
            return Place(
                EMBEDDED,
                version,
                True,
                _sentence("its processes have no network but its socket", reasons),
            )
        how = f"{BEST_EFFORT}, since namespaces are not allowed here"
        return Place(EMBEDDED, version, False, _sentence(how, reasons))


class SharedGround(ServerGround):
    """On a server that others use, too: the one at ``url``, which names a database to begin in."""

    def __init__(self, wanted: Wanted, url: DatabaseUrl, kind: str, reasons: tuple[str, ...]) -> None:
        from nonstop.databases.postgresql import PostgreSQL

        self._url = url
        with ExitStack() as stack:
            folder = RehearsalFolder(stop_orphan)
            stack.callback(folder.remove)
            super().__init__(wanted, folder)
            server = PostgreSQL(url)
            begun: Connection[Any] = stack.enter_context(
                server.connect(autocommit=True, application_name="nonstop check")
            )
            if is_pooled(begun):
                refuse_shared_sessions(server)
            role = dump.own_role(begun)
            if not role.may_create_databases:
                raise Unavailable(f"the role {role.name} may not create databases on {server.display}")
            self._role = role.name
            self._copies = Copies(begun, self._token, is_ours_alone=False)
            stack.callback(self._copies.close)
            with self._target.connect_reading() as session:
                binaries = _tools(session)
                is_same = _is_same_server(session, begun)
                if is_same and url.database == self._target.url.database and kind == GIVEN:
                    raise UsageError(
                        "REHEARSAL_DATABASE_URL names the database that is to be migrated",
                        next_step="name another one, such as postgres; copies are made beside it",
                    )
                self.place = self._placed(kind, session if is_same else None, reasons)
                wanted.fenced(self)
                encoding = map(sql.Literal, dump.encoding_of(session))
                like = sql.SQL("ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(*encoding)
                schema = self.dump(session, binaries)
                self.fill(session, binaries, schema, like if is_same else sql.SQL(""))
            self._stack = stack.pop_all()

    def url(self, name: str) -> str:
        return with_database(self._url, name, scheme_of(self._target.url))

    def command(self, command: list[str]) -> list[str]:
        return command

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        return without_target(given, [self._target.url, self._url], self._folder.home, self.mark)

    def bounds(self) -> Bounds:
        return Bounds(
            self._target.display,
            self.place.is_isolated,
            target_addresses=addresses(self._target.url),
            target_name=self._target.url.database,
            name_prefix=prefix_of(self._token),
        )

    def _placed(self, kind: str, session: Connection[Any] | None, reasons: tuple[str, ...]) -> Place:
        version = _shown_version(self._copies.session)
        if session is not None:
            answer = session.execute(MAY_CONNECT, [self._role, self._target.url.database]).fetchone()
            if answer is not None and not answer[0]:
                how = f"the role {self._role} may not connect to {self._target.url.database}"
                return Place(kind, version, True, _sentence(how, reasons))
        return Place(kind, version, False, _sentence(BEST_EFFORT, reasons))


def _stop(making: Future[EmbeddedServer]) -> None:
    """Stop the server, if it was to be had."""
    if making.exception() is None:
        making.result().stop()


def _tools(session: Connection[Any]) -> Binaries:
    """The programs to carry the schema with; only a pg_dump of the server's version or a newer one can."""
    found = find_tools(version_of(session))
    if not found:
        raise Unavailable(f"no pg_dump of PostgreSQL {version_of(session)} or newer was found")
    return found[0]


def _is_same_server(one: Connection[Any], other: Connection[Any]) -> bool:
    return one.execute(SYSTEM).fetchone() == other.execute(SYSTEM).fetchone()


def version_of(session: Connection[Any]) -> int:
    return session.info.server_version // 10000


def _shown_version(session: Connection[Any]) -> str:
    return f"PostgreSQL {(session.info.parameter_status('server_version') or '').partition(' ')[0]}"


def _sentence(how: str, reasons: tuple[str, ...]) -> str:
    return "; ".join([how, *reasons])
