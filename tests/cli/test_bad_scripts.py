"""Scripts that can't run, or fail while they do: what the user is told, and that nothing stays behind."""

from __future__ import annotations

from tests.support.fingerprint import fingerprint
from tests.support.project_commands import ProjectCommands, document, told
from tests.support.projects import Project
from tests.support.scripts import edit, sql, write_script, write_tables
from tests.support.snapshots import applied, events

TABLE = "op.create_table('notes', Column('id', Integer, primary_key=True))"


def states(run: ProjectCommands) -> dict[str, str]:
    return {row["name"]: row["state"] for row in run.succeeds("status")["migrations"]}


# --- seen before anything runs --------------------------------------------------------------------


def test_two_scripts_with_one_number(project: Project, run: ProjectCommands) -> None:
    write_tables(project.migrations, 1)
    write_script(project.migrations, "002_add_price.py", TABLE, template="bare")
    write_script(project.migrations, "002_add_tax.py", TABLE, template="bare")

    run.refuses(
        "apply", exit_code=4, says="two scripts have the number 2: 002_add_price.py and 002_add_tax.py",
        next_step="renumber 002_add_tax.py",
    )  # fmt: skip
    run.succeeds("renumber", "002_add_tax.py")
    assert (project.migrations / "003_add_tax.py").exists()


def test_a_name_that_is_none(project: Project, run: ProjectCommands) -> None:
    write_tables(project.migrations, 1)
    write_script(project.migrations, "002-add-price.py", TABLE, template="bare")

    run.refuses(
        "apply", exit_code=4, says="002-add-price.py: not a migration name", next_step="003_add_a_column.py"
    )


def test_files_that_are_no_scripts_are_left_alone(project: Project, run: ProjectCommands) -> None:
    write_tables(project.migrations, 1)
    for name in (
        "__init__.py",
        "run_migrations.py",
        "001_make_table_1.py.orig",
        ".002_open.py.swp",
        "README.md",
    ):
        (project.migrations / name).write_text("this is no Python", encoding="utf-8")

    assert states(run) == {"make_table_1": "pending"}


def test_a_syntax_error(project: Project, run: ProjectCommands) -> None:
    write_tables(project.migrations, 1)
    write_script(project.migrations, "002_add_price.py", "return (", template="bare")

    run.refuses(
        "apply", exit_code=4, says=("002_add_price.py:8", "syntax error"), next_step="correct the file"
    )
    # One broken file is one row of status, and the others run up to it.
    assert states(run) == {"make_table_1": "pending", "add_price": "broken"}
    run.succeeds("apply", "--to", "1")


def test_no_apply(project: Project, run: ProjectCommands) -> None:
    path = write_script(project.migrations, "001_add_price.py", TABLE, template="bare")
    edit(path, "def apply()", "def upgrade()")

    run.refuses("apply", exit_code=4, says="001_add_price.py: has no apply()", next_step="define apply()")


def test_a_file_that_is_not_utf_8(project: Project, run: ProjectCommands) -> None:
    (project.migrations / "001_add_price.py").write_bytes("# цена".encode("cp1251"))

    run.refuses("apply", exit_code=4, says="001_add_price.py: not UTF-8", next_step="UTF-8")


def test_every_reason_is_told_at_once(project: Project, run: ProjectCommands) -> None:
    write_script(project.migrations, "001_add_price.py", "return (", template="bare")
    write_script(project.migrations, "2.py", template="bare")

    told_of = told(run("apply"), 4)
    assert "001_add_price.py" in told_of
    assert "2.py: not a migration name" in told_of


# --- seen while it is loaded ----------------------------------------------------------------------


def test_an_import_that_fails(project: Project, run: ProjectCommands) -> None:
    path = write_script(project.migrations, "001_add_price.py", TABLE, template="bare")
    edit(path, "from nonstop import op", "from nonstop import op\nimport no_such_module")

    run.undoes(
        "apply", exit_code=4,
        says=("001_add_price.py: can't be loaded", "No module named 'no_such_module'", f"{path}:4"),
        next_step="install what it imports",
    )  # fmt: skip
    assert states(run) == {"add_price": "failed"}


def test_what_ran_before_a_file_that_can_not_be_loaded_stays(project: Project, run: ProjectCommands) -> None:
    write_tables(project.migrations, 3)
    edit(project.migrations / "002_make_table_2.py", "import sys", "import sys, no_such_module")

    text = told(run("apply"), 4)
    assert "001_make_table_1 stays applied" in text
    assert "not started: 003_make_table_3" in text
    assert applied(project.url) == [1]


# --- while it runs --------------------------------------------------------------------------------


def test_apply_returns_false(project: Project, run: ProjectCommands) -> None:
    write_script(project.migrations, "001_add_price.py", "print('the price list is missing')\nreturn False")

    run.undoes(
        "apply", exit_code=1, says=("001_add_price.py: apply() returned False", "undone completely"),
        next_step="see what it printed above",
    )  # fmt: skip


def test_apply_returns_false_after_a_commit(project: Project, run: ProjectCommands) -> None:
    write_script(
        project.migrations, "001_add_price.py", sql("CREATE TABLE notes (id INTEGER)") + "\nreturn False"
    )

    text = told(run("apply"), 7)  # it had asked for that commit: to undo it would be a surprise
    assert "apply() returned False" in text
    assert "stopped part-way; 1 commit of it is permanent" in text


def test_raising_half_way_undoes_the_transaction(project: Project, run: ProjectCommands) -> None:
    path = write_script(
        project.migrations,
        "001_add_price.py",
        sql(
            "CREATE TABLE notes (id INTEGER)",
            "INSERT INTO notes VALUES (1)",
            "INSERT INTO nowhere VALUES (1)",
        ),
    )

    error = run.undoes(
        "apply",
        exit_code=1,
        says=("nowhere", f"{path}:21 in apply()", "INSERT INTO nowhere", "undone completely"),
    )
    assert "run again" in error["next_step"]
    [event] = events(project.url)
    assert "failure" in event
    assert states(run) == {"add_price": "failed"}


def test_raising_after_a_commit_is_part_way(project: Project, run: ProjectCommands) -> None:
    write_script(
        project.migrations,
        "001_add_price.py",
        sql("CREATE TABLE notes (id INTEGER)", "CREATE TABLE prices (id INTEGER)", transactions="each")
        + "\nraise RuntimeError('the printer is on fire')",
    )

    run.fails(
        "apply", exit_code=7, says=("the printer is on fire", "stopped part-way", "2 commits of it are permanent", "CREATE TABLE prices"),
        next_step=("run apply again", "repair --mark-applied 1", "--mark-pending 1"),
    )  # fmt: skip
    assert set(fingerprint(project.url)["tables"]) == {"notes", "prices"}
    assert states(run) == {"add_price": "interrupted"}
    run.succeeds("repair", "--mark-applied", "1")
    assert run.succeeds("apply")["migrations"] == []


def test_calling_exit_is_a_failure(project: Project, run: ProjectCommands) -> None:
    write_script(
        project.migrations, "001_add_price.py", sql("CREATE TABLE notes (id INTEGER)") + "\nsys.exit(0)"
    )

    text = told(run("apply"), 7)  # what it had asked to commit is committed
    assert "it called exit(0)" in text
    assert applied(project.url) == []


def test_calling_exit_before_anything_was_written(project: Project, run: ProjectCommands) -> None:
    write_script(project.migrations, "001_add_price.py", "sys.exit(3)")

    run.undoes("apply", exit_code=1, says="it called exit(3)", next_step="return True or False")


def test_a_failing_rollback_keeps_the_script_applied(project: Project, run: ProjectCommands) -> None:
    write_tables(project.migrations, 1)
    edit(project.migrations / "001_make_table_1.py", "DROP TABLE table_1", "DROP TABLE nowhere")
    run.succeeds("apply")

    run.undoes("rollback", exit_code=1, says=("nowhere", "in rollback()"))
    assert applied(project.url) == [1]


# --- what it prints -------------------------------------------------------------------------------

TALKATIVE = """
import subprocess
print("hello from Python")
os.write(1, b"hello from the descriptor\\n")
subprocess.run(["echo", "hello from a child"])
"""


def test_what_a_script_prints_goes_to_standard_error(project: Project, run: ProjectCommands) -> None:
    write_script(project.migrations, "001_talk.py", TALKATIVE)

    done = run("apply", "--json")

    [script] = document(done)["migrations"]
    assert "hello from Python" in script["output"]
    for line in ("hello from Python", "hello from the descriptor", "hello from a child"):
        assert line in done.stderr.splitlines()


def test_what_a_script_prints_at_import_and_before_it_fails(project: Project, run: ProjectCommands) -> None:
    path = write_script(project.migrations, "001_talk.py", TALKATIVE + "raise RuntimeError('enough')")
    edit(path, "def apply()", "print('hello from the import')\n\ndef apply()")

    run.undoes("apply", exit_code=1, says="enough")
    assert "hello from the import" in run("apply", "--json").stderr
