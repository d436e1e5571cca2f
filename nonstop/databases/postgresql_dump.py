"""Carries a database's schema to another server, with what decides how its scripts are understood there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from psycopg import Connection, Error, sql
from psycopg.conninfo import make_conninfo

from nonstop.databases.postgresql_embedded import Binaries, Unavailable

PATIENCE = "5s"
"""How long pg_dump waits behind somebody's ALTER: it would stand in the queue before everybody else's statements."""
OPTIONS = (
    *("--schema-only", "--no-owner", "--no-privileges", "--no-tablespaces", "--no-security-labels"),
    *("--no-publications", "--no-subscriptions", f"--lock-wait-timeout={PATIENCE}"),
)
UNKNOWN_BEFORE = {170000: re.compile(r"^SET transaction_timeout = .*\n", re.MULTILINE)}
"""What pg_dump always writes and older servers refuse."""
ROLES = """
    SELECT rolname, concat_ws(' ', 'NOLOGIN', CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END)
    FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1"""
MEMBERSHIPS = """
    SELECT DISTINCT r.rolname, m.rolname FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid
    JOIN pg_roles m ON m.oid = a.member ORDER BY 1, 2"""
OWN_ROLE = """
    SELECT rolname, rolcreatedb OR rolsuper, array_to_string(ARRAY[
        CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END,
        CASE WHEN rolcreatedb THEN 'CREATEDB' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
        CASE WHEN rolbypassrls THEN 'BYPASSRLS' END], ' ')
    FROM pg_roles WHERE rolname = current_user"""
# What is set for the role in this database wins over what is set for the role, and that over the database's.
SETTINGS = """
    SELECT line FROM pg_db_role_setting s, unnest(setconfig) AS line
    WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
    ORDER BY setrole <> 0, setdatabase <> 0"""
NOT_CARRIED = re.compile(
    r"(log_|auto_explain\.|pg_stat_|.*preload_libraries|.*tablespaces?$|role$|.*timeout$)"
)
LISTS = ("search_path",)
"""Their values are stored as they are written in SQL."""
KEPT_TABLES = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relname = ANY (%s) AND n.nspname !~ '^pg_' ORDER BY 1, 2"""
IDENTITIES = """
    SELECT attname, pg_get_serial_sequence(attrelid::regclass::text, attname) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attidentity <> ''"""
FILLED_VIEWS = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'm' AND c.relispopulated ORDER BY c.oid"""
LIKE_THE_TARGET = """
    SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = current_database()"""

UNDERSTOOD_BY_ALL = frozenset(
    {"host", "hostaddr", "port", "passfile", "service", "options", "connect_timeout", "target_session_attrs"}
    | {"sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "channel_binding", "gssencmode", "krbsrvname"}
)

Session = Connection[Any]


class Role(NamedTuple):
    """The role that a session works as. ``attributes`` are for ALTER ROLE."""

    name: str
    may_create_databases: bool
    attributes: str


def own_role(session: Session) -> Role:
    """Who ``session`` works as."""
    return Role(*_one(session, OWN_ROLE))


def dump_schema(session: Session, binaries: Binaries, file: Path) -> None:
    """Write the schema of the database behind ``session`` as SQL. Raises Unavailable."""
    command = [binaries.program("pg_dump"), *OPTIONS, f"--file={file}", f"--dbname={_address(session)}"]
    _run(command, session, dict(os.environ))


def restore_schema(file: Path, session: Session, binaries: Binaries) -> None:
    """Carry out the SQL of :func:`dump_schema` in the database behind ``session``. Raises Unavailable."""
    text = file.read_text(encoding="utf-8")
    for version, pattern in UNKNOWN_BEFORE.items():
        if session.info.server_version < version:
            text = pattern.sub("", text)
    file.write_text(text, encoding="utf-8")
    command = [
        binaries.program("psql"),
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        "--output=/dev/null",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment["PGOPTIONS"] = "-c synchronous_commit=off -c client_min_messages=warning"
    _run([*command, f"--file={file}", f"--dbname={_address(session)}"], session, environment)


def make_roles(target: Session, server: Session, role: Role) -> None:
    """Make the target's roles, so that scripts can name them. ``role`` may log in, and is a superuser for now."""
    there = {name for (name,) in server.execute("SELECT rolname FROM pg_roles")}
    for name, attributes in target.execute(ROLES).fetchall():
        if name not in there:
            server.execute(sql.SQL("CREATE ROLE {} " + attributes).format(sql.Identifier(name)))
    for group, member in target.execute(MEMBERSHIPS).fetchall():
        _try(server, sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(member)))
    server.execute(sql.SQL("ALTER ROLE {} LOGIN SUPERUSER").format(sql.Identifier(role.name)))


def settle_role(server: Session, role: Role) -> None:
    """Give ``role`` no more rights than it has at the target."""
    server.execute(sql.SQL("ALTER ROLE {} " + role.attributes).format(sql.Identifier(role.name)))


def settings_of(target: Session) -> list[sql.Composed]:
    """What the target, or the role in it, sets for each session, as ends of an ALTER ROLE."""
    found: dict[str, str] = {}
    for (line,) in target.execute(SETTINGS):
        name, _, value = line.partition("=")
        found[name] = value
    return [
        sql.SQL("SET {} TO {}").format(
            sql.SQL(".").join(sql.Identifier(part) for part in name.split(".")),
            sql.SQL(value or "''") if name.lower() in LISTS else sql.Literal(value),
        )
        for name, value in found.items()
        if not NOT_CARRIED.match(name.lower())
    ]


def apply_settings(server: Session, settings: Iterable[sql.Composed], role: str, database: str) -> None:
    """Let ``settings`` hold for ``role`` in ``database``; what it may not set, it does without."""
    for setting in settings:
        _try(
            server,
            sql.SQL("ALTER ROLE {} IN DATABASE {} ").format(sql.Identifier(role), sql.Identifier(database))
            + setting,
        )


def copy_rows(target: Session, scratch: Session, tables: frozenset[str]) -> None:
    """Copy the rows of the tables that are called like one of ``tables``."""
    for schema, table in target.execute(KEPT_TABLES, [sorted(tables)]).fetchall():
        name = sql.Identifier(schema, table)
        with (
            target.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(name)) as rows,
            scratch.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(name)) as copied,
        ):
            for block in rows:
                copied.write(block)
        for column, sequence in scratch.execute(IDENTITIES, [name.as_string(scratch)]).fetchall():
            highest = sql.SQL("SELECT setval({}, max({})) FROM {}").format(
                sql.Literal(sequence), sql.Identifier(column), name
            )
            scratch.execute(highest)


def fill_views(target: Session, scratch: Session) -> None:
    """Make materialized views readable that are readable at the target."""
    for schema, view in target.execute(FILLED_VIEWS).fetchall():
        _try(scratch, sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(schema, view)))


def encoding_of(target: Session) -> tuple[str, str, str]:
    """Encoding, collation and character types of the database behind ``target``."""
    encoding, collation, types = _one(target, LIKE_THE_TARGET)
    return encoding, collation, types


def _address(session: Session) -> str:
    # Without the password: everybody may read the arguments of a process. And the driver's libpq may be newer.
    known = {key: value for key, value in session.info.get_parameters().items() if key in UNDERSTOOD_BY_ALL}
    return make_conninfo(**{**known, "dbname": session.info.dbname, "user": session.info.user})


def _run(command: list[str], session: Session, environment: dict[str, str]) -> None:
    if session.info.password:
        environment["PGPASSWORD"] = session.info.password
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        program = Path(command[0]).name
        said = " / ".join(line for line in done.stderr.splitlines() if line.strip())
        raise Unavailable(f"{program} ended with {done.returncode}: {said}")


def _try(session: Session, statement: sql.Composed) -> None:
    """Carry out what is no reason to fail, in autocommit mode."""
    try:
        session.execute(statement)
    except Error:
        return


def _one(session: Session, query: str) -> Any:
    return session.execute(query.encode()).fetchone()
