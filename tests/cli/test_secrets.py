"""A password appears nowhere: not in what is printed, with -v or in JSON, not in the ledger, not in process lists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.support.commands import CommandLine
from tests.support.project_commands import ProjectCommands, document
from tests.support.projects import make_project
from tests.support.scripts import write_script, write_tables
from tests.support.snapshots import ledger

# Each holds the word CANARY, and what has to be escaped somewhere: in a URL, in JSON, in Python, in a shell, in libpq.
PASSWORDS = {"addresses": "CANARY%41%@host:5432/x?y=z#-пароль-סיסמה", "quotes": "CANARY'\"\\ é $HOME"}
TELL_ALL = """
print("plain:", os.environ["DATABASE_URL"])
print("engine:", db.engine.url.render_as_string(hide_password=False))
print("decoded:", db.engine.url.password)
print("repr:", repr(db.engine.url.password))
print("command line:", open("/proc/self/cmdline").read().replace(chr(0), " "))
"""


def spellings(password: str) -> set[str]:
    """The ways in which a password may be written; parts of it count as much as the whole."""
    return {
        "CANARY",
        password,
        quote(password),
        quote(password, safe=""),
        quote_plus(password),
        repr(password)[1:-1],
    }


def assert_secret(text: str, password: str) -> None:
    for spelling in spellings(password):
        assert spelling not in text


@pytest.fixture(params=PASSWORDS)
def password(request: pytest.FixtureRequest) -> str:
    return PASSWORDS[request.param]


@pytest.fixture
def owner(
    tmp_path: Path, cli: CommandLine, postgres_role: Callable[..., str], postgres_url: str, password: str
) -> ProjectCommands:
    """A project whose database asks for the password, and whose role may do everything."""
    url = postgres_role("SUPERUSER", password=password)
    return ProjectCommands.of(make_project(tmp_path / "project", url, "light"), cli)


# --- where it is right ----------------------------------------------------------------------------


def test_it_opens_the_door_and_is_not_told(owner: ProjectCommands, password: str) -> None:
    write_script(owner.folder, "001_tell_all.py", TELL_ALL)
    write_tables(owner.folder, 1, first=2)

    for arguments in (["status"], ["plan", "--sql"], ["apply", "-v", "--json"], ["log"]):
        done = owner(*arguments)
        assert done.returncode == 0, done.stderr
        assert_secret(done.stdout + done.stderr, password)
        if arguments[0] == "apply":
            assert "decoded: ***" in done.stderr
            assert "decoded: ***" in document(done)["migrations"][0]["output"]
    assert_secret(repr(ledger(owner.project.url)), password)


TELL_BY_LOGGING = """
import logging, warnings
logging.basicConfig()
logging.warning("logged: %s", os.environ["DATABASE_URL"])
warnings.warn("warned: " + db.engine.url.password)
print("written:", db.engine.url.password, file=sys.stderr)
"""


def test_it_is_not_told_by_logging_and_warnings(owner: ProjectCommands, password: str) -> None:
    write_script(owner.folder, "001_tell.py", "import sys" + TELL_BY_LOGGING)

    done = owner("apply", "--json")

    assert done.returncode == 0, done.stderr
    for word in ("logged: postgresql://", "warned: ***", "written: ***"):
        assert word in done.stderr
    assert_secret(done.stdout + done.stderr, password)


def test_a_password_in_a_script_is_not_kept(owner: ProjectCommands, password: str) -> None:
    """The ledger keeps a copy of the script, which tells a cosmetic edit from another one."""
    write_script(owner.folder, "001_set.py", "other_password = 'CANARY'\nassert other_password")

    owner.succeeds("apply")

    assert_secret(repr(ledger(owner.project.url)), password)
    assert "other_password = '***'" in repr(ledger(owner.project.url)).replace("\\", "")
    path = owner.folder / "001_set.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n# a comment\n", encoding="utf-8")
    assert owner.succeeds("status")["migrations"][0]["state"] == "applied"


def test_it_is_not_in_the_failure_of_a_script(owner: ProjectCommands, password: str) -> None:
    """What it printed, the exception, and the server's own words carry it."""
    raising = 'raise RuntimeError(os.environ["DATABASE_URL"] + " or " + db.engine.url.password)'
    write_script(owner.folder, "001_raise.py", TELL_ALL + raising)

    for flags in (["-v"], ["--json", "-v"]):
        done = owner("apply", *flags)
        assert done.returncode == 1
        assert "decoded: ***" in done.stderr
        assert "Traceback" in done.stderr
        assert "RuntimeError: postgresql://" in done.stderr
        assert_secret(done.stdout + done.stderr, password)
    assert document(done)["error"]["exit_code"] == 1
    assert_secret(repr(ledger(owner.project.url)), password)
    assert_secret(owner("log").stdout + owner("status").stdout, password)


def test_it_is_not_in_a_failing_statement(owner: ProjectCommands, password: str) -> None:
    statement = (
        "with db.engine.begin() as connection:\n"
        '    connection.exec_driver_sql("SELECT %s::text::integer", (db.engine.url.password,))'
    )
    write_script(owner.folder, "001_send.py", statement)

    done = owner("apply", "-v")

    assert done.returncode == 1
    assert "InvalidTextRepresentation" in done.stderr
    assert_secret(done.stdout + done.stderr, password)
    assert_secret(repr(ledger(owner.project.url)), password)


# --- where it is wrong ----------------------------------------------------------------------------


def test_it_is_not_told_when_it_is_wrong(owner: ProjectCommands, password: str) -> None:
    wrong = owner.with_url(owner.project.url.replace("@127", "-wrong@127"))
    for flags in (["-v"], ["--json", "-v"]):
        done = wrong("apply", *flags)
        assert done.returncode == 6, done.stderr
        assert "password authentication failed" in done.stderr
        assert_secret(done.stdout + done.stderr, password)


@pytest.mark.parametrize("password", ["password", "1", "status", "error"])
def test_a_password_that_is_also_a_word_of_ours(
    tmp_path: Path, cli: CommandLine, postgres_role: Callable[..., str], password: str
) -> None:
    """To hide it must neither break a document nor mislead us about what has failed."""
    project = make_project(tmp_path / "project", postgres_role("SUPERUSER", password=password), "light")
    run = ProjectCommands.of(project, cli)
    write_tables(run.folder, 1)

    assert [row["number"] for row in run.succeeds("status")["migrations"]] == [1]
    wrong = run.with_url(project.url.replace(f":{password}@", f":{password}-wrong@"))
    wrong.fails("status", exit_code=6, says="authentication failed", next_step="check the user and the")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:CANARY@127.0.0.1:port/x",
        "postgresql://u:CAN@CANARY@127.0.0.1:1/x",
        "postgresql://u:CANARY/x@127.0.0.1:1/x",
        "postgresql://u:aaa@ZQ9/CANARY@127.0.0.1:1/x",
        "postgresql://u:CANARY#@127.0.0.1:1/x",
        "postgresql://u:a CANARY b@127.0.0.1:1/x",
        "postgresql://u:100%CANARY@127.0.0.1:1/x",
        "postgresql://u:CANARY:@127.0.0.1:1/x",
        "postgresql://u@127.0.0.1:1/x?password=CANARY",
        "postgresql://u@127.0.0.1:1/x?passfile=/nowhere&sslpassword=CANARY&sslmode=disable",
        "mysql://u:CANARY@127.0.0.1/x",
        "postgresql:/u:CANARY@127.0.0.1/x",
        "u:CANARY@127.0.0.1/x",
        "host=127.0.0.1 user=u password=CANARY",
        "sqlite:///file:x?mode=memory&password=CANARY",
    ],
)
def test_an_address_that_fails_does_not_repeat_it(migrations: Path, cli: CommandLine, url: str) -> None:
    done = cli("status", "--dir", migrations, "--json", "-v", env={"DATABASE_URL": url})
    assert done.returncode in (2, 6)
    assert document(done)["error"]["next_step"]
    assert "Traceback" in done.stderr
    assert "CANARY" not in done.stdout + done.stderr


def test_an_application_that_repeats_it(tmp_path: Path, sqlite_url: str, cli: CommandLine) -> None:
    """The application's own rule for addresses fails with the address in its message."""
    project = make_project(tmp_path / "project", sqlite_url)
    (project.folder / "config.py").write_text("def resolve(url):\n    raise ValueError(f'what is {url}?')\n")
    (project.folder / "pyproject.toml").write_text('[tool.nonstop]\nurl-function = "config.py:resolve"\n')

    url = "postgresql://u:CANARY@127.0.0.1/x"
    done = cli("status", "--dir", project.migrations, "--json", "-v", env={"DATABASE_URL": url})
    assert done.returncode == 2
    assert "the application rejects the database URL" in done.stdout
    assert "CANARY" not in done.stdout + done.stderr


# --- process lists --------------------------------------------------------------------------------


def test_it_is_in_no_process_list(owner: ProjectCommands, password: str) -> None:
    """Neither the machine's nor the server's: command lines, application names, settings."""
    look = """
    parents = [os.getpid(), os.getppid()]
    lists = [open(f"/proc/{pid}/cmdline").read() for pid in parents]
    with db.engine.connect() as connection:
        # Of this database only: other tests give their roles such passwords at the same time.
        sessions = text("SELECT * FROM pg_stat_activity WHERE datname = current_database()")
        lists += [str(row) for row in connection.execute(sessions)]
        lists += [str(row) for row in connection.execute(text("SELECT * FROM pg_settings"))]
    assert len(lists) > 100
    assert not any("CAN" + "ARY" in line for line in lists), "found"
    """
    write_script(owner.folder, "001_look.py", look)

    owner.succeeds("apply")


def test_the_project_is_what_it_seems(owner: ProjectCommands, password: str) -> None:
    """The other tests would show nothing if the password were not asked for, or were not in the URL."""
    assert quote(password, safe="") in owner.project.url
    wrong = owner.with_url(owner.project.url.replace("CANARY", "CAGE"))
    assert wrong("status").returncode == 6
