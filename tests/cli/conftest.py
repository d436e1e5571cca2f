"""What the tests of the command line share."""

from __future__ import annotations

import pytest

from tests.support.commands import CommandLine
from tests.support.project_commands import ProjectCommands
from tests.support.projects import Project


@pytest.fixture
def run(project: Project, cli: CommandLine) -> ProjectCommands:
    """The command line of the project: ``run("apply")``, ``run.refuses("apply", exit_code=4, says="…")``."""
    return ProjectCommands.of(project, cli)
