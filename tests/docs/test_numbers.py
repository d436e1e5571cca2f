"""Numbers, names and lists in README and docs are those of the code."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from textwrap import dedent

import pytest

import nonstop
from nonstop import cli, errors, ledger, op, settings
from nonstop.descriptions.results import State
from tests.docs import pages

READ = {pages.name(page): page.read_text(encoding="utf-8") for page in pages.pages()}
CODE = "\n".join(path.read_text(encoding="utf-8") for path in pages.ROOT.glob("nonstop/**/*.py"))
WORKFLOW = (pages.ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")


def listed_in_workflow(name: str) -> list[str]:
    found = re.search(rf"{name}: \[(.*)\]", WORKFLOW)
    assert found is not None
    return re.findall(r'"([\d.]+)"', found[1])


def row(page: str, first_cell: str) -> str:
    """The row of a table that begins with this cell."""
    [found] = [line for line in READ[page].splitlines() if line.startswith(f"| {first_cell} |")]
    return found


def test_versions_are_those_that_are_tested() -> None:
    assert re.findall(r"\d\.\d+", row("README.md", "Python")) == listed_in_workflow("python")
    assert re.findall(r"\b\d\d\b", row("README.md", "PostgreSQL")) == listed_in_workflow("postgresql")
    oldest = listed_in_workflow("python")[0]
    assert f'requires-python = ">={oldest}"' in (pages.ROOT / "pyproject.toml").read_text()
    assert f"Python {oldest} or newer" in READ["README.md"]


def test_the_version_of_nonstop() -> None:
    assert f'version = "{nonstop.__version__}"' in (pages.ROOT / "pyproject.toml").read_text()
    assert f"to be released as {nonstop.__version__}" in READ["CHANGELOG.md"].lower()


def test_exit_codes_of_the_tree() -> None:
    tree = inspect.cleandoc(errors.__doc__ or "").split("\n\n")[1]
    assert dedent(tree) in READ["docs/errors.md"]
    table = dict(re.findall(r"^\| ([\d, ]+) \| (.*?) \|", READ["docs/errors.md"], re.MULTILINE))
    codes = {
        error.exit_code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.NonstopError)
    }
    assert codes | {0, 3, 130, 143} == {int(code) for cell in table for code in cell.split(",")}


@pytest.mark.parametrize("page", ["docs/errors.md", "felix_hub/backend/migrations/README.md"])
def test_every_exit_code_has_a_row(page: str) -> None:
    for code in (*range(9), "130, 143"):
        assert row(page, str(code))


def test_defaults_of_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in set(re.findall(r"NONSTOP_\w+", CODE)):
        monkeypatch.delenv(variable, raising=False)
    loaded = settings.load({"url": "sqlite:///file.db"})
    page = READ["docs/settings.md"]
    assert (
        f"`--lock-timeout` | `NONSTOP_LOCK_TIMEOUT` | `lock-timeout` | `{loaded.lock_timeout:.0f}s`" in page
    )
    budget = f"`{loaded.blocking_budget * 1000:.0f}ms`"
    assert f"`--blocking-budget` | `NONSTOP_BLOCKING_BUDGET` | `blocking-budget` | {budget}" in page
    above = f"`{loaded.online_above // 1024**2}MB`"
    assert f"`NONSTOP_ONLINE_ABOVE` | `online-above` | {above}" in page
    assert f"`--wait` | `NONSTOP_WAIT` | `wait` | `{loaded.wait:.0f}`" in page
    assert f"`NONSTOP_LEDGER_TABLE` | `ledger-table` | `{loaded.ledger_table}`" in page
    assert f"`NONSTOP_DIR` | `dir` | `{loaded.directory.name}`" in page
    assert "`NONSTOP_DEADLINE` | `deadline` | none" in page
    assert loaded.deadline is None
    assert f"(`--lock-timeout`, {loaded.lock_timeout:.0f} seconds)" in READ["README.md"]


def test_every_variable_is_in_the_docs_and_the_other_way_round() -> None:
    in_code = set(re.findall(r'"(NONSTOP_[A-Z_]+|MIGRATION_DATABASE_URL)"', CODE))
    in_page = set(re.findall(r"`(NONSTOP_[A-Z_]+|MIGRATION_DATABASE_URL)`", READ["docs/settings.md"]))
    assert in_code == in_page


def test_every_flag_that_is_named_exists() -> None:
    known = {
        name for command in [cli.cli, *cli.cli.commands.values()] for p in command.params for name in p.opts
    }
    known |= {"--help", "--version"}
    # Of other programs: scripts/docs, scripts/test, init_db.py, pytest, flask, and what the comparison names.
    known |= {"--write", "--thorough", "--demo", "--app", "--check-heads", "--check", "--only", "--editable"}
    for page, text in READ.items():
        if page.startswith(("docs/", "README", "felix_hub/backend/migrations")) and not page.startswith(
            ("docs/operations", "docs/benchmarks")
        ):
            named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
            assert named <= known, page


@pytest.mark.parametrize("page", ["README.md", "docs/writing-scripts.md"])
def test_the_verbs(page: str) -> None:
    verbs = set(op.__all__)
    assert verbs <= set(re.findall(r"`op\.(\w+)", READ[page]))
    assert set(re.findall(r"\bop\.(\w+)", READ[page])) <= verbs


def test_the_ledger() -> None:
    page = READ["docs/ledger.md"]
    assert set(re.findall(r"^\| `nonstop_(\w+)`", page, re.MULTILINE)) == set(ledger.TABLES)
    assert f"the version of these tables ({ledger.VERSION})" in page
    states = page.split("## States")[1].split("##")[0]
    assert set(re.findall(r"^\| `([\w ]+)`", states, re.MULTILINE)) == {state.value for state in State}


def test_messages_to_look_for_are_messages_of_the_code() -> None:
    """Each fragment of a message in troubleshooting.md is in the source; ``…`` stands for what differs."""
    source = re.sub(r"\{[^{}]*\}", "…", re.sub(r'"\s*\n\s*f?"', "", CODE))
    missing = []
    for cell in re.findall(r"^\| (`.*?`) \|", READ["docs/troubleshooting.md"], re.MULTILINE):
        for message in re.findall(r"`([^`]+)`", cell):
            fragments = [part.strip(" ().,:") for part in message.split("…")]
            missing += [part for part in fragments if len(part) > 3 and part not in source]
    assert not missing
