"""Each exit code of docs/errors.md, by what most often leads to it."""

from __future__ import annotations

from tests.promises.promise import BOTH, Promise, on

SCRIPTS = "tests/cli/test_bad_scripts.py::"
SIGNALS = "tests/concurrency/test_signals.py::"

PROMISES = (
    Promise(
        "exit code 0",
        "done, or nothing to do",
        on(BOTH, "tests/raw/test_template.py::test_under_the_runner", "tests/cli/test_reading_is_free.py::test_apply_with_nothing_to_do"),
    ),
    Promise("exit code 1", "a script failed, and was undone", on(BOTH, SCRIPTS + "test_raising_half_way_undoes_the_transaction")),
    Promise("exit code 1, deadline", "the deadline has passed", on(BOTH, SIGNALS + "test_the_deadline_breaks_off_a_statement")),
    Promise(
        "exit code 2",
        "wrong usage or configuration",
        ("tests/cli/test_bad_usage.py::test_wrong_arguments", "tests/cli/test_bad_addresses.py::test_no_address"),
    ),
    Promise("exit code 3", "scripts are pending, for status --exit-code", on(BOTH, "tests/cli/test_exit_codes.py::test_status_says_whether_there_is_something_to_do")),
    Promise(
        "exit code 4",
        "scripts and ledger, or a script and the catalog, do not fit together",
        on(BOTH, "tests/cli/test_changed_history.py::test_an_edit_of_the_program_is_refused", "tests/cli/test_definitions.py::test_a_column_of_another_definition"),
    ),
    Promise("exit code 5", "the lock was not obtained", on(BOTH, "tests/cli/test_exit_codes.py::test_a_runner_that_does_not_get_the_lock_ends_with_5")),
    Promise("exit code 5, lost", "the lock was lost", ("tests/concurrency/test_lost_lock.py::test_it_stops_and_is_undone",)),
    Promise(
        "exit code 6",
        "the database can't be reached, or is none",
        ("tests/cli/test_bad_addresses.py::test_nobody_listens", "tests/cli/test_bad_addresses.py::test_a_file_that_is_no_database"),
    ),
    Promise("exit code 7", "a script stopped part-way", on(BOTH, SCRIPTS + "test_raising_after_a_commit_is_part_way")),
    Promise("exit code 7, signal", "it wins over a signal", on(BOTH, SIGNALS + "test_what_is_committed_stays_and_is_said")),
    Promise(
        "exit code 8",
        "refused: no way back, or data would be lost",
        on(BOTH, "tests/cli/test_changed_history.py::test_no_way_back", "tests/guard/test_losses.py::test_plain_sql_that_loses_data_is_refused"),
    ),
    Promise("exit code 8, question", "not confirmed", ("tests/cli/test_terminal.py::test_no_is_no",)),
    *(
        Promise(
            f"exit code {code}",
            f"stopped by {signal}",
            tuple(f"{SIGNALS}test_a_transaction_is_undone[{database}-*-{code}]" for database in BOTH),
        )
        for code, signal in ((130, "Ctrl-C"), (143, "TERM"))
    ),
)  # fmt: skip
