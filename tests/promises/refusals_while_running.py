"""What stops a script while it runs: what it calls, what it would lose, whom it would keep waiting, how it ends."""

from __future__ import annotations

from tests.promises.promise import BOTH, Promise, on

SCRIPTS = "tests/cli/test_bad_scripts.py::"
DEFINITIONS = "tests/cli/test_definitions.py::"
VERBS = "tests/operations/"
LOSSES = "tests/guard/test_losses.py::"
ONLINE = "tests/guard/test_made_online.py::"

OPERATIONS = (
    Promise("refused: op outside a run", "it says how to run the script", (VERBS + "test_add_column.py::test_outside_a_run_it_says_how_to_run",)),
    Promise("refused: op after a write", "a call while the script has not committed, swallowed or not", on(BOTH, VERBS + "test_mixed_scripts.py::test_an_uncommitted_write_of_the_script_is_refused", VERBS + "test_mixed_scripts.py::test_swallowing_what_op_refuses_does_not_help")),
    Promise(
        "refused: calls of op",
        "arguments that make no sense, or can't be online",
        on(BOTH, DEFINITIONS + "test_a_call_that_can_not_be_online", VERBS + "test_add_foreign_key.py::test_an_unknown_action_is_refused", VERBS + "test_add_enum_value.py::test_before_and_after_at_once_are_refused"),
    ),
    Promise("refused: a rewrite by op", "a default for which each row is written anew, with the steps instead", (VERBS + "test_add_column.py::test_what_rewrites_every_row_is_refused_with_the_steps_instead",)),
    Promise("refused: verbs to come", "with what to do by hand", (VERBS + "test_verbs_to_come.py::test_it_says_what_to_do_by_hand",)),
    Promise(
        "conflict: another definition",
        "a table, a column, an index, a constraint or a name that is there with another definition",
        on(
            BOTH, DEFINITIONS + "test_a_table_that_lacks_a_column", DEFINITIONS + "test_a_column_of_another_definition",
            DEFINITIONS + "test_an_index_on_other_columns", VERBS + "test_add_check.py::test_another_check_of_that_name_is_a_conflict",
            VERBS + "test_add_foreign_key.py::test_another_key_of_that_name_is_a_conflict",
            VERBS + "test_add_unique.py::test_another_constraint_of_that_name_is_a_conflict",
            VERBS + "test_rename_table.py::test_a_taken_name_is_a_conflict",
        ),
    ),
    Promise(
        "conflict: not there",
        "a table, a column, a constraint or a type that is missing",
        (
            *on(
                BOTH, DEFINITIONS + "test_a_table_that_is_not_there", VERBS + "test_set_not_null.py::test_a_missing_column_is_named",
                VERBS + "test_validate_constraint.py::test_a_missing_constraint_is_named",
            ),
            VERBS + "test_add_enum_value.py::test_a_missing_type_is_named",
        ),
    ),
    Promise(
        "refused: rows in the way",
        "rows that a new rule would not allow are counted before anything is done",
        on(
            BOTH, VERBS + "test_add_check.py::test_c28_bad_rows_are_counted_before_anything_is_done",
            VERBS + "test_add_foreign_key.py::test_c28_orphans_are_counted_before_anything_is_done",
            VERBS + "test_set_not_null.py::test_c28_missing_values_are_counted_before_anything_is_done",
            VERBS + "test_add_unique.py::test_doubles_are_counted_before_anything_is_done",
            VERBS + "test_add_primary_key.py::test_rows_in_the_way_are_counted_before_anything_is_done",
        ),
    ),
    Promise("failed: not done", "op.execute whose done_when does not hold afterwards", on(BOTH, VERBS + "test_execute.py::test_it_must_be_done_afterwards")),
    Promise("refused: a rebuild", "a rebuild of an SQLite table that would not keep all of it", (VERBS + "test_rebuild.py::test_a_check_that_names_its_table_stops_it", VERBS + "test_rebuild.py::test_a_failure_undoes_everything")),
)  # fmt: skip

LOSING = (
    Promise("refused: op that loses data", "before the commit, and undone", on(BOTH, LOSSES + "test_an_operation_that_loses_data_is_refused")),
    Promise("refused: SQL that loses data", "in a transaction, in autocommit mode, with COMMIT as text", on(BOTH, LOSSES + "test_plain_sql_that_loses_data_is_refused", LOSSES + "test_in_autocommit_mode_too", LOSSES + "test_a_commit_that_is_sent_as_text_is_looked_at")),
    Promise("refused: losses, swallowed", "a script that swallows the refusal has not succeeded", on(BOTH, LOSSES + "test_a_script_that_swallows_the_refusal_has_not_succeeded")),
    Promise("refused: losses nobody could see", "before they are sent", ("tests/guard/test_losses_postgresql.py::test_what_nobody_could_look_at_is_refused_before_it_is_sent",)),
)  # fmt: skip

WAITING = (
    Promise("refused: SQL that blocks", "what can only block, on a large table, with a correction", (ONLINE + "test_what_can_only_block_is_refused_on_a_large_table", ONLINE + "test_the_correction_is_shown")),
    Promise("refused: SQL that builds on deferred work", "before the commit", (ONLINE + "test_what_rows_may_fail_is_alone_in_its_transaction",)),
    Promise("refused: SQL nobody can judge", "a table that gets its name in the same text", ("tests/postgresql/test_plain_sql.py::test_a_table_that_gets_its_name_in_the_same_text_is_not_unseen",)),
    Promise("undone: deferred work that fails", "what old rows do not allow is taken back", (ONLINE + "test_what_old_rows_do_not_allow_is_taken_back_until_the_script_asks_again",)),
    Promise("given up: a table's lock", "at the deadline, or after its time, with the name of who holds it", ("tests/guard/test_patience.py::test_the_deadline_names_who_held_the_lock", "tests/guard/test_patience.py::test_it_gives_up_after_its_time_and_names_who_held_the_lock")),
    Promise("given up: a statement that always blocks", "it is named", ("tests/guard/test_making_way.py::test_a_statement_that_always_keeps_the_application_waiting_is_named",)),
    Promise("terminated: what a cancel does not end", "a COPY that waits for the script, a block that catches the error", ("tests/guard/test_watchdog.py::test_a_copy_that_stalls_is_ended", "tests/guard/test_watchdog.py::test_a_statement_that_blocks_the_application_is_cancelled")),
    Promise("stopped: stalls without end", "a script that keeps the application waiting in each attempt", ("tests/guard/test_stall_limit.py::test_a_script_that_sits_idle_in_each_attempt_is_stopped", "tests/guard/test_stall_limit.py::test_a_statement_of_op_that_takes_too_long_at_each_attempt_is_stopped")),
    Promise("broken off: a client of the script", "one that keeps the application waiting", ("tests/guard/test_other_clients.py::test_a_client_that_blocks_the_application_is_broken_off",)),
    Promise("stopped: no watchdog", "without it nothing goes on", ("tests/guard/test_watchdog.py::test_without_a_watchdog_nothing_goes_on",)),
    Promise("stopped: what a script swallows", "a cancelled statement, a lost session or a missed lock is no success", ("tests/guard/test_watchdog.py::test_a_script_that_swallows_the_cancel_has_not_succeeded", "tests/guard/test_watchdog.py::test_a_script_that_swallows_the_end_of_its_session_has_not_succeeded", "tests/guard/test_making_way.py::test_a_script_that_swallows_a_lock_that_was_not_to_be_had_has_not_succeeded")),
)  # fmt: skip

ENDS = (
    Promise("failed: False", "apply() that returns False", on(BOTH, SCRIPTS + "test_apply_returns_false", SCRIPTS + "test_apply_returns_false_after_a_commit")),
    Promise("failed: exit", "a script that calls exit()", on(BOTH, SCRIPTS + "test_calling_exit_is_a_failure", SCRIPTS + "test_calling_exit_before_anything_was_written")),
    Promise("failed: a rollback", "it keeps the script applied", on(BOTH, SCRIPTS + "test_a_failing_rollback_keeps_the_script_applied")),
    Promise("stopped: except in the script", "no except swallows a signal", on(BOTH, "tests/concurrency/test_signals.py::test_an_except_in_the_script_does_not_swallow_it")),
)  # fmt: skip

PROMISES = (*OPERATIONS, *LOSING, *WAITING, *ENDS)
