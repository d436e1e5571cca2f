"""Migration files: found, read and judged without running them, and loaded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonstop import scripts
from nonstop.descriptions.scripts import Edit, Script
from nonstop.errors import Interruption, UsageError, ValidationError

DONE = "def apply():\n    pass\n"


def write(folder: Path, name: str, text: str | bytes = DONE) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def script(folder: Path, text: str | bytes, name: str = "001_x.py") -> Script:
    return scripts.read(write(folder, name, text))


# --- find -----------------------------------------------------------------------------------------


def test_scripts_come_in_order_of_number_whatever_the_digits(migrations: Path) -> None:
    for name in ("10_ten.py", "0002_two.py", "1_one.py", "020_twenty.py", "20260101120000_date.py"):
        write(migrations, name)
    found = scripts.find(migrations)
    assert [(s.number, s.digits, s.name) for s in found.scripts] == [
        (1, "1", "one"),
        (2, "0002", "two"),
        (10, "10", "ten"),
        (20, "020", "twenty"),
        (20260101120000, "20260101120000", "date"),
    ]
    assert found.problems == ()


def test_files_that_begin_with_no_digit_are_nobody_s_business(migrations: Path) -> None:
    for name in (
        "run_migrations.py",
        "__init__.py",
        "helpers.py",
        "README.md",
        "001_notes.txt",
        "001_x.pyc",
        ".001_x.py",
    ):
        write(migrations, name)
    assert scripts.find(migrations) == (migrations, (), ())


@pytest.mark.parametrize(
    "name", ["001-x.py", "001x.py", "001.py", "001_.py", "1_a b.py", "1_straße.py", "1_x.y.py"]
)
def test_a_number_with_an_unusable_name_is_a_problem_and_not_the_end(migrations: Path, name: str) -> None:
    write(migrations, name)
    write(migrations, "002_good.py")
    found = scripts.find(migrations)
    assert [s.label for s in found.scripts] == ["002_good"]
    (problem,) = found.problems
    assert (problem.number, problem.message) == (None, f"{name}: not a migration name")
    assert problem.next_step == "name it like 003_add_a_column.py"


def test_two_files_with_one_number_are_named_both(migrations: Path) -> None:
    write(migrations, "003_a.py")
    write(migrations, "3_b.py")
    (problem,) = scripts.find(migrations).problems
    assert problem.number == 3
    assert problem.message == "two scripts have the number 3: 003_a.py and 3_b.py"
    assert "renumber 3_b.py" in problem.next_step


def test_a_file_that_is_no_text_is_a_problem_of_its_number(migrations: Path) -> None:
    write(migrations, "001_x.py", b"x = '\xff'")
    found = scripts.find(migrations)
    assert found.scripts == ()
    assert [(p.number, p.message) for p in found.problems] == [(1, "001_x.py: not UTF-8 text (byte 5)")]


def test_a_folder_with_a_script_s_name_is_a_problem(migrations: Path) -> None:
    (migrations / "001_x.py").mkdir()
    (problem,) = scripts.find(migrations).problems
    assert (problem.number, problem.message) == (1, "001_x.py: Is a directory")


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_without_a_folder_the_flag_is_named(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "migrations"
    if kind == "file":
        place.write_text("")
    with pytest.raises(UsageError, match="no migrations folder at") as caught:
        scripts.find(place)
    assert "--dir" in caught.value.next_step


def test_a_folder_that_may_not_be_read_is_said(migrations: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path) -> None:  # the tests may run as root, whom no permission stops
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("nonstop.scripts.os.scandir", forbidden)
    with pytest.raises(UsageError, match="can't be read"):
        scripts.find(migrations)


def test_read_wants_a_migration_s_name(migrations: Path) -> None:
    with pytest.raises(UsageError, match=r"run\.py: not a migration name"):
        scripts.read(write(migrations, "run.py"))


# --- normalise and checksum -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"a = 1\nb = 2\n",
        b"a = 1\nb = 2",
        b"a = 1\nb = 2\n\n\n",
        b"\xef\xbb\xbfa = 1\nb = 2\n",
        b"a = 1\r\nb = 2\r\n",
        b"a = 1\rb = 2\r",
        b"a = 1  \nb = 2\t\n",
        b"a = 1\nb = 2 ",
    ],
)
def test_spelling_of_line_ends_does_not_change_the_checksum(content: bytes) -> None:
    assert scripts.normalise(content) == "a = 1\nb = 2\n"


def test_indentation_does(migrations: Path) -> None:
    assert script(migrations, "if a:\n    b\n").checksum != script(migrations, "if a:\n  b\n").checksum


def test_a_checksum_names_its_algorithm() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert scripts.checksum("") == f"sha256:{empty}"


@given(st.text(st.characters(codec="utf-8")))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = scripts.normalise(text.encode())
    assert scripts.normalise(once.encode()) == once
    assert once.endswith("\n")
    assert "\r" not in once


# --- compare --------------------------------------------------------------------------------------

SOURCE = '''"""What and why."""

X = "a string"


def apply():
    """Do it."""
    return X
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("What and why.", "What, and why now."),
        ('"""What and why."""\n', ""),
        ('    """Do it."""\n', ""),
        ('X = "a string"', "# a comment\nX = 'a string'  # another"),
        ("return X", "return (\n        X\n    )"),
        ("def apply():", "\n\ndef apply( ):"),
    ],
)
def test_an_edit_that_changes_no_behaviour_is_cosmetic(old: str, new: str) -> None:
    assert old in SOURCE
    assert scripts.compare(SOURCE, SOURCE.replace(old, new)) is Edit.COSMETIC


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a string", "another string"),
        ("return X", "return"),
        ("def apply", "def rollback"),
        ("return X", "return X +"),  # not Python any more
        ("return X", "return '\0'"),
    ],
)
def test_an_edit_that_changes_behaviour_is_real(old: str, new: str) -> None:
    assert scripts.compare(SOURCE, SOURCE.replace(old, new)) is Edit.REAL


def test_a_function_of_nothing_but_a_docstring_can_be_compared() -> None:
    assert (
        scripts.compare('def apply():\n    """Old."""\n', 'def apply():\n    """New."""\n') is Edit.COSMETIC
    )


# --- judging without running ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        DONE,
        "apply = lambda: True\n",
        "apply: object = print\n",
        "from somewhere import apply\n",
        "from somewhere import go as apply\n",
        "from somewhere import *\n",
        "class apply: pass\n",
        "async def apply(): pass\n" + DONE,
        "if True:\n    def apply(): pass\n",
        "try:\n    def apply(): pass\nexcept Exception: pass\n",
        "raise SystemExit('never run')\n" + DONE,
    ],
)
def test_a_script_with_an_apply_has_no_problem(migrations: Path, text: str) -> None:
    assert scripts.examine(script(migrations, text)) is None


@pytest.mark.parametrize("text", ["", "def applied(): pass\n", "class A:\n    def apply(self): pass\n"])
def test_a_script_without_an_apply_is_a_problem(migrations: Path, text: str) -> None:
    problem = scripts.examine(script(migrations, text))
    assert problem is not None
    assert (problem.number, problem.message) == (1, "001_x.py: has no apply() function")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def apply(:\n", "001_x.py:1: syntax error: invalid syntax"),
        ("x = 1\n  y = 2\n", "001_x.py:2: syntax error: unexpected indent"),
        ("x = '\0'\n", "syntax error: source code"),
    ],
)
def test_a_syntax_error_comes_with_its_line(migrations: Path, text: str, says: str) -> None:
    problem = scripts.examine(script(migrations, text))
    assert problem is not None
    assert says in problem.message


@pytest.mark.parametrize(("text", "can"), [(DONE, False), (DONE + "def rollback(): pass\n", True)])
def test_a_script_with_a_rollback_can_go_back(migrations: Path, text: str, can: bool) -> None:
    assert scripts.can_roll_back(script(migrations, text)) is can


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", ()),
        ("depends_on = [1, 2]\n", (1, 2)),
        ("depends_on = (3,)\n", (3,)),
        ("depends_on = []\n", ()),
        ("depends_on = ['001', 2]\n", (1, 2)),
        ("depends_on: list[int] = [4]\n", (4,)),
        ("# depends_on is explained elsewhere\n", ()),
    ],
)
def test_dependencies_are_read_without_running(migrations: Path, text: str, numbers: tuple[int, ...]) -> None:
    assert scripts.depends_on(script(migrations, text)) == numbers


@pytest.mark.parametrize("value", ["3", "[x]", "['a']", "None", "other()", "[1, None]"])
def test_dependencies_that_are_no_numbers_are_refused(migrations: Path, value: str) -> None:
    with pytest.raises(ValidationError, match=r"001_x\.py:2: depends_on is not a list of numbers"):
        scripts.depends_on(script(migrations, f"\ndepends_on = {value}\n"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", None),
        ('discards_data = "nobody reads it"\n', "nobody reads it"),
        ('discards_data: str = "since\\n  May"\n', "since May"),
        ('discards_data = (\n    "two "\n    "parts"\n)\n', "two parts"),
        ("# discards_data is explained elsewhere\n", None),
        ('def apply():\n    discards_data = "here it says nothing"\n', None),
    ],
)
def test_why_data_may_be_lost_is_read_without_running(
    migrations: Path, text: str, reason: str | None
) -> None:
    assert scripts.discards_data(script(migrations, text)) == reason


@pytest.mark.parametrize("value", ["True", "''", "' '", "None", "why()", "f'{x}'", "['a']"])
def test_a_reason_that_is_none_is_refused(migrations: Path, value: str) -> None:
    problem = scripts.examine(script(migrations, f"{DONE}discards_data = {value}\n"))
    assert problem is not None
    assert problem.message == "001_x.py:3: discards_data does not say why"


# --- load -----------------------------------------------------------------------------------------


def test_a_module_is_loaded_as_python_would_run_it(migrations: Path) -> None:
    write(migrations, "helper.py", "VALUE = 5\n")
    text = "import helper, sys\nWHERE = __file__\nSEEN = sys.modules[__name__] is not None\ndef apply(): return helper.VALUE\n"
    module = scripts.load(script(migrations, text))
    try:
        assert scripts.function(module, "apply")() == 5
        assert str(migrations / "001_x.py") == module.WHERE
        assert module.SEEN
        assert module.__name__ != "__main__"
        assert str(migrations) not in sys.path
    finally:
        sys.modules.pop("helper")


def test_the_text_that_was_read_is_what_runs(migrations: Path) -> None:
    read = script(migrations, "X = 'before'\n" + DONE)
    write(migrations, "001_x.py", "X = 'after'\n" + DONE)
    assert scripts.load(read).X == "before"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("import not_there\n", 1, "ModuleNotFoundError: No module named 'not_there'"),
        ("\n\n1 / 0\n", 3, "ZeroDivisionError: division by zero"),
        ("def f():\n    raise ValueError('inside')\nf()\n", 2, "ValueError: inside"),
    ],
)
def test_an_error_while_loading_says_where(migrations: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        scripts.load(script(migrations, text))
    assert caught.value.message == f"001_x.py: can't be loaded: {says}"
    assert caught.value.details == (f"at {migrations / '001_x.py'}:{line}",)
    assert str(migrations) not in sys.path


def test_our_own_errors_and_interruptions_pass_as_they_are(migrations: Path) -> None:
    with pytest.raises(UsageError, match="mine"):
        scripts.load(script(migrations, "from nonstop.errors import UsageError\nraise UsageError('mine')\n"))
    with pytest.raises(Interruption):
        scripts.load(
            script(migrations, "from nonstop.errors import Interruption\nraise Interruption('stop', 130)\n")
        )


@pytest.mark.parametrize("text", ["", "apply = 3\n"])
def test_a_function_that_is_none_is_refused(migrations: Path, text: str) -> None:
    with pytest.raises(ValidationError, match=r"001_x\.py: has no apply\(\) function"):
        scripts.function(scripts.load(script(migrations, text)), "apply")
