"""``plan --sql``: the SQL of scripts that have not run, as far as it can be known, found out where ``check`` rehearses.

To see it the scripts' functions have to be called, and nobody knows what else they do: so this happens in a child that
reaches a scratch database at most.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import NamedTuple

from nonstop import scripts
from nonstop.check import stagehand
from nonstop.check.stage import Ended, Stage
from nonstop.databases import open_database
from nonstop.databases.rehearsal import Ground
from nonstop.descriptions.operations import current_executor
from nonstop.descriptions.results import PlannedScript, PlanResult
from nonstop.descriptions.scripts import Direction, Script
from nonstop.errors import Interruption, ValidationError
from nonstop.guard.preview import refusing_connections
from nonstop.operations.executor import SqlCollector
from nonstop.output import captured_output
from nonstop.plan import Request
from nonstop.runner import Runner


def plan_with_sql(runner: Runner, request: Request, rehearsal_url: str | None) -> PlanResult:
    """The plan of ``request`` with the SQL of each script; what they print goes to the runner's listener.

    Raises UsageError where there is no place for a rehearsal, ValidationError where a file can't be loaded.
    """
    planned = runner.planned(request)
    result = PlanResult(runner.database.display, request.direction, (), planned.notes)
    if not planned.scripts:
        return result
    with ExitStack() as stack:
        stages: list[Stage] = []

        def open_stage(ground: Ground) -> None:
            stages.append(stack.enter_context(Stage(ground)))

        tables = runner.ledger().table_names
        ground = stack.enter_context(runner.database.rehearsals.ground(rehearsal_url, tables, open_stage))
        url = ground.base().url
        shown = []
        for script in planned.scripts:
            previewed = _answer(script, stages[-1].perform(preview, url, script, request.direction))
            runner.listener.output(previewed.output)
            shown.append(previewed.script)
    return result._replace(scripts=tuple(shown))


class Previewed(NamedTuple):
    """One script with its SQL, and what it printed."""

    script: PlannedScript
    output: str


def _answer(script: Script, ended: Ended) -> Previewed:
    if isinstance(ended.answer, Previewed):
        return ended.answer
    raise ValidationError(
        f"{script.path.name}: its SQL can't be shown: {ended.error or 'its process ended without a word'}",
        next_step="plan without --sql",
    )


def preview(url: str, script: Script, direction: Direction) -> Previewed:
    """Call the script's function with ``op`` only noting its SQL, and refuse it any connection; in a child.

    The application may connect while it is imported. What a script sends itself can't be known without running it:
    there the SQL ends, and ``unknown_after`` says so.
    """
    stagehand.work_on(url)
    database = open_database(url)
    collector = SqlCollector(database)
    unknown = ""
    with captured_output(lambda text: None, database.redact) as output:
        function = scripts.function(scripts.load(script), direction.value)
        token = current_executor.set(collector)
        try:
            with refusing_connections():
                function()
        except Interruption:
            unknown = "from here on the script sends SQL of its own, which can't be known without running it"
        except (Exception, SystemExit) as error:
            unknown = f"without a connection the script ended with {type(error).__name__}: {error}"
        finally:
            current_executor.reset(token)
    shown = PlannedScript(script.number, script.label, direction, tuple(collector.statements), unknown)
    return Previewed(shown, output.text)
