"""PostgreSQL through psycopg 3, or through psycopg2 where an application brings that."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from nonstop.databases import postgresql_errors as errors
from nonstop.databases.base import (
    Database,
    DBAPIConnection,
    LockConflict,
    Look,
    Partition,
    RunnerLock,
    Violation,
)
from nonstop.errors import NonstopError, PermissionMissing, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import Connection, Dialect, Engine

    from nonstop.databases.catalog import Catalog
    from nonstop.databases.postgresql_session import Sessions
    from nonstop.databases.rehearsal import Rehearsals
    from nonstop.descriptions.activity import Effect, Observer
    from nonstop.descriptions.losses import LossWatch
    from nonstop.descriptions.statements import Condition, Need, Reached

IN_TRANSACTION = 2
"""libpq's PQTRANS_INTRANS: a transaction is open and has not failed."""
CONNECT_TIMEOUT = 10
"""Seconds until a server that does not answer counts as unreachable."""
PAST_AUTOVACUUM = """
    SELECT set_config('lock_timeout', (setting::bigint + 2000)::text, true) FROM pg_settings
    WHERE name = 'deadlock_timeout'"""
TABLES_AMONG = """
    SELECT name FROM unnest(%s::text[]) AS name JOIN pg_class c ON c.oid = to_regclass(name)
    WHERE c.relkind IN ('r', 'p')"""
LOCKABLE = """
    SELECT name FROM unnest(%s::text[]) WITH ORDINALITY AS given(name, place) JOIN pg_class c ON c.oid = to_regclass(name)
    WHERE c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE') ORDER BY place"""
INDEX_STATE = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%(name)s)"
CONSTRAINT_STATE = """
    SELECT convalidated FROM pg_constraint WHERE conrelid = to_regclass(%(table)s) AND conname = %(name)s"""
LONG_WAIT = "SELECT set_config('lock_timeout', '1h', false), set_config('statement_timeout', '24h', false)"


class PostgreSQL(Database):
    """A database on a server, version 14 or later."""

    placeholder = "%s"
    commits_each_step = True
    builds_indexes_concurrently = True
    alters_in_place = True
    has_one_writer = False
    ledger_types = {
        "id": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "integer": "BIGINT",
        "time": "TIMESTAMPTZ",
        "boolean": "BOOLEAN",
    }
    lock_name = "nonstop"

    # --- connections ------------------------------------------------------------------------------------------

    def connect_reading(self) -> DBAPIConnection:
        connection = self.connect()
        # Both drivers send this with the first statement's BEGIN.
        from psycopg import IsolationLevel

        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        return connection

    def connect(self, **options: Any) -> DBAPIConnection:
        """A psycopg connection; ``options`` are added to what the address says."""
        try:
            import psycopg
        except ImportError as error:
            raise UsageError(
                "the PostgreSQL driver psycopg is not installed",
                next_step="install it: pip install 'nonstop[postgresql]'",
            ) from error
        from nonstop.databases.postgresql_own_settings import set_ours

        try:
            connection = psycopg.connect(**{**self._parameters(), **options})
        except psycopg.Error as error:
            raise errors.unreachable(error, self) from error
        set_ours(connection)
        return connection

    def _parameters(self) -> dict[str, Any]:
        """The address as libpq's parameters; one host may be given as ``?host=``, as for a socket."""
        url = self.url
        parameters: dict[str, Any] = {
            "host": url.host,
            "port": url.port,
            "user": url.username,
            "password": url.password,
            "dbname": url.database,
        }
        for key, value in url.query:
            parameters[key] = f"{parameters[key]},{value}" if key == "host" and parameters.get(key) else value
        parameters.setdefault("connect_timeout", CONNECT_TIMEOUT)
        parameters.setdefault("application_name", "nonstop")
        return {key: value for key, value in parameters.items() if value not in (None, "")}

    def engine(self, **options: Any) -> Engine:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        # SQLAlchemy can read an hstore by itself: psycopg would ask each new connection whether there is that type.
        options.setdefault("use_native_hstore", False)
        return create_engine("postgresql+psycopg://", creator=self.connect, poolclass=NullPool, **options)

    def dialect(self) -> Dialect:
        from sqlalchemy.dialects.postgresql.base import PGDialect

        return PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]

    def lock(self, name: str, owner: str) -> RunnerLock:
        from nonstop.databases.postgresql_lock import AdvisoryRunnerLock

        self.lock_name = name
        return AdvisoryRunnerLock(self, name, owner)

    # --- sessions under a script ------------------------------------------------------------------------------

    def is_reached_by(self, connection: DBAPIConnection) -> bool:
        return type(connection).__module__.partition(".")[0] in ("psycopg", "psycopg2")

    def check_same(self, connection: DBAPIConnection) -> None:
        from nonstop.databases.postgresql_lock import CONNECTED_TO_LOCKED_DATABASE, lock_key
        from nonstop.databases.postgresql_pooler import refuse_shared_sessions_of_script

        cursor = connection.cursor()
        cursor.execute(CONNECTED_TO_LOCKED_DATABASE, (lock_key(self.lock_name),))
        answer = cursor.fetchone()
        connection.rollback()
        if answer is not None:
            refuse_shared_sessions_of_script(connection, answer[0])
        else:
            raise UsageError(
                f"the script works on another database than the ledger's ({self.display})",
                next_step="give both the same DATABASE_URL",
            )

    def prepare_session(
        self, connection: DBAPIConnection, owner: str, seconds_left: float | None = None
    ) -> None:
        from nonstop.databases.postgresql_lock import work_key

        self._sessions.prepare(connection, owner, seconds_left, work_key(self.lock_name))

    def restore_session(self, connection: DBAPIConnection) -> None:
        from nonstop.databases.postgresql_lock import work_key

        self._sessions.restore(connection, work_key(self.lock_name))

    @cached_property
    def _sessions(self) -> Sessions:
        from nonstop.databases.postgresql_session import Sessions

        return Sessions()

    def begin_if_needed(self, connection: DBAPIConnection, statement: str) -> None:
        """The drivers begin by themselves."""

    def in_transaction(self, connection: DBAPIConnection) -> bool:
        return int(connection.info.transaction_status) != 0 and not connection.closed

    def cancel(self, connection: DBAPIConnection) -> None:
        connection.cancel()

    def is_usable(self, connection: DBAPIConnection) -> bool:
        return not connection.closed

    def can_commit(self, connection: DBAPIConnection) -> bool:
        if (
            session := getattr(connection, "pgconn", None)
        ) is not None:  # psycopg 3: asked for each statement
            return bool(session.transaction_status == IN_TRANSACTION)
        return int(connection.info.transaction_status) == IN_TRANSACTION and not connection.closed

    def has_changes(self, connection: DBAPIConnection) -> bool:
        # A transaction gets its number with its first change, whatever made it (manual, "Transactions and Identifiers").
        cursor = connection.cursor()
        cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
        return bool(cursor.fetchone()[0])

    def own_settings(self, connection: DBAPIConnection) -> AbstractContextManager[None]:
        from nonstop.databases.postgresql_own_settings import own_settings

        return own_settings(connection)

    def storable(self, connection: DBAPIConnection, text: str) -> str:
        from nonstop.databases.postgresql_own_settings import storable

        return storable(connection, text)

    # --- waiting for locks ------------------------------------------------------------------------------------

    def observer(self, owner: str = "") -> Observer:
        from nonstop.databases.postgresql_activity import ServerObserver
        from nonstop.databases.postgresql_environment import client_name

        return ServerObserver(self, client_name(owner, self.lock_name) if owner else "")

    def client_environment(
        self, connection: DBAPIConnection, owner: str, budget_ms: int, given: Mapping[str, str]
    ) -> Mapping[str, str]:
        from nonstop.databases.postgresql_environment import variables

        if connection.info.backend_pid != self.session_id(connection):
            return {}  # a pooler is in between, and refuses clients that bring options
        return variables(owner, self.lock_name, budget_ms, given)

    def lock_conflict(self, error: BaseException) -> LockConflict | None:
        return errors.LOCK_CONFLICTS.get(errors.sqlstate(getattr(error, "orig", None) or error))

    def is_disconnect(self, error: BaseException) -> bool:
        return errors.is_disconnect(getattr(error, "orig", None) or error)

    def limit_lock_wait(
        self, connection: DBAPIConnection, milliseconds: int, past_autovacuum: Sequence[str]
    ) -> None:
        cursor = connection.cursor()
        tables = () if connection.autocommit else past_autovacuum  # LOCK TABLE needs a transaction
        for table in self._vacuumed(connection, tables):
            # SHARE UPDATE EXCLUSIVE blocks no reader and no writer, so waiting for it may take as long as
            # PostgreSQL needs to see that an autovacuum is in the way, and to cancel it (failure mode C13).
            cursor.execute(PAST_AUTOVACUUM)
            cursor.execute(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")
        self._sessions.limit(connection, milliseconds)

    def lift_lock_limit(self, connection: DBAPIConnection) -> None:
        self._sessions.lift(connection)

    def _vacuumed(self, connection: DBAPIConnection, names: Sequence[str]) -> list[str]:
        """Those of ``names`` that are tables and exist."""
        if not names:
            return []
        cursor = connection.cursor()
        cursor.execute(TABLES_AMONG, (list(names),))
        return [name for (name,) in cursor.fetchall()]

    def lock_in_order(self, connection: DBAPIConnection, tables: Sequence[str], mode: str) -> None:
        if not tables:
            return
        cursor = connection.cursor()
        cursor.execute(LOCKABLE, (list(tables),))
        if lockable := [name for (name,) in cursor.fetchall()]:
            cursor.execute(f"LOCK TABLE {', '.join(lockable)} IN {mode} MODE")

    def allow_long_wait(self, connection: DBAPIConnection) -> None:
        connection.cursor().execute(LONG_WAIT)

    def split(self, statement: str) -> Sequence[str]:
        return [text for text, _ in self.needs_of(statement)]

    def needs_of(self, statement: str) -> Sequence[tuple[str, Need]]:
        from nonstop.databases.postgresql_statements import needs

        return needs(statement)

    def reached(self, connection: DBAPIConnection, need: Need) -> list[Reached]:
        from nonstop.databases.postgresql_reach import reached

        return reached(connection, need)

    def confirms(self, connection: DBAPIConnection, conditions: Sequence[Condition]) -> bool:
        from nonstop.databases.postgresql_facts import confirms

        return confirms(connection, conditions)

    def has_locked(self, connection: DBAPIConnection, tables: Sequence[Reached]) -> bool:
        from nonstop.databases.postgresql_reach import has_locked

        return has_locked(connection, tables)

    def size(self, connection: DBAPIConnection, tables: Sequence[Reached]) -> int:
        from nonstop.databases.postgresql_reach import size, size_of_all

        return size(connection, tables) if tables else size_of_all(connection)

    def index_state(self, name: str, connection: Connection) -> bool | None:
        return connection.exec_driver_sql(INDEX_STATE, {"name": name}).scalar()

    def constraint_state(self, table: str, name: str, connection: Connection) -> bool | None:
        return connection.exec_driver_sql(CONSTRAINT_STATE, {"table": table, "name": name}).scalar()

    def names_resolve_as(self, connection: DBAPIConnection) -> tuple[str, ...]:
        cursor = connection.cursor()
        cursor.execute("SELECT current_setting('search_path'), current_user")
        return tuple(cursor.fetchone())

    def look_before(self, connection: DBAPIConnection, statement: str) -> Look | None:
        from nonstop.databases.postgresql_effects import look

        strong = [need for _, need in self.needs_of(statement) if need.is_strong]
        return look(connection, [name for need in strong for name in need.relations]) if strong else None

    def effect_since(self, connection: DBAPIConnection, look: Look) -> Effect:
        from nonstop.databases.postgresql_effects import effect_since

        return effect_since(connection, look)

    def session_id(self, connection: DBAPIConnection) -> int:
        return self._sessions.pid(connection)

    def loss_watch(self, others: DBAPIConnection, ignored: frozenset[str]) -> LossWatch:
        from nonstop.databases.postgresql_losses import ServerLosses

        return ServerLosses(others, ignored)

    # --- catalog ----------------------------------------------------------------------------------------------

    @cached_property
    def catalog(self) -> Catalog:
        from nonstop.databases.postgresql_catalog import PostgreSQLCatalog

        return PostgreSQLCatalog()

    def has_table(self, connection: DBAPIConnection, name: str) -> bool:
        cursor = connection.cursor()
        cursor.execute("SELECT to_regclass(%s)", (name,))
        return cursor.fetchone()[0] is not None

    def has_relation(self, connection: Connection, name: str, schema: str | None) -> bool:
        from sqlalchemy import inspect

        return inspect(connection).has_table(name, schema=schema)

    def partitions(self, connection: DBAPIConnection) -> Sequence[Partition]:
        from nonstop.databases.postgresql_partitions import partitions

        return partitions(connection)

    @cached_property
    def rehearsals(self) -> Rehearsals:
        from nonstop.databases.postgresql_rehearsals import PostgreSQLRehearsals

        return PostgreSQLRehearsals(self)

    # --- errors -----------------------------------------------------------------------------------------------

    def translate(self, error: Exception) -> NonstopError | None:
        return errors.translated(error, self)

    def describe(self, error: BaseException) -> tuple[str, ...]:
        return tuple(self.redact(line) for line in errors.described(error))

    def violation(self, error: BaseException) -> Violation | None:
        from nonstop.databases.postgresql_violations import violation_of

        return violation_of(errors.sqlstate(getattr(error, "orig", None) or error))

    def violated_column(self, error: BaseException) -> str:
        from nonstop.databases.postgresql_violations import column_of

        return column_of(getattr(error, "orig", None) or error)

    def current_schema(self, connection: DBAPIConnection) -> str | None:
        cursor = connection.cursor()
        cursor.execute("SELECT current_schema()")
        schema: str | None = cursor.fetchone()[0]
        if schema is None:
            raise PermissionMissing(
                "the search_path of this role names no schema that exists",
                next_step="create the schema, or name one with the setting ledger_schema",
            )
        return schema

    def continue_counting(self, connection: DBAPIConnection, table: str, column: str) -> None:
        from nonstop.databases.postgresql_sequences import continue_counting

        continue_counting(connection, table, column)

    def date_from_text(self, text: str, type_name: str) -> str:
        return f"CAST({text} AS {type_name})"

    def hide_from_others(self, connection: DBAPIConnection, table: str) -> None:
        connection.cursor().execute(f"REVOKE ALL ON {table} FROM PUBLIC")
