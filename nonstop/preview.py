"""The SQL of a script that has not run, as far as it can be known."""

from __future__ import annotations

from collections.abc import Callable

from nonstop import scripts
from nonstop.databases.base import Database
from nonstop.descriptions.operations import current_executor
from nonstop.descriptions.results import PlannedScript
from nonstop.descriptions.scripts import Direction, Script
from nonstop.errors import Interruption
from nonstop.guard.preview import refusing_connections
from nonstop.operations.executor import SqlCollector
from nonstop.output import captured_output


def sql_of(
    script: Script, direction: Direction, database: Database, on_output: Callable[[str], None]
) -> PlannedScript:
    """Call the script's function with ``op`` only noting its SQL, and with no connection to be had.

    What a script sends itself can't be known without running it: there the SQL ends, and ``unknown_after`` says so.
    Raises ValidationError where the file can't be loaded.
    """
    collector = SqlCollector(database)
    unknown = ""
    with captured_output(on_output, database.redact), refusing_connections():
        function = scripts.function(scripts.load(script), direction.value)
        token = current_executor.set(collector)
        try:
            function()
        except Interruption:
            unknown = "from here on the script sends SQL of its own, which can't be known without running it"
        except Exception as error:
            unknown = f"without a connection the script ended with {type(error).__name__}: {error}"
        finally:
            current_executor.reset(token)
    return PlannedScript(script.number, script.label, direction, tuple(collector.statements), unknown)
