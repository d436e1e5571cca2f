"""A kill in each phase of a run, and several runners at once."""

from __future__ import annotations

from tests.promises.promise import BOTH, Promise, on

CRASH = "tests/crash/test_kill_at_each_point.py::"
KILLED = "tests/concurrency/test_killed_runner.py::"
LOST = "tests/concurrency/test_lost_lock.py::"

PROMISES = (
    Promise("killed: no ledger yet", "while the ledger is made, or before", on(BOTH, CRASH + "test_the_creation_of_the_ledger")),
    Promise(
        "killed: in a transaction",
        "nothing of it stays, and it can be run again",
        on(BOTH, CRASH + "test_of_scripts_that_can_not_be_done_twice_the_commits_are_told"),
    ),
    Promise(
        "killed: between two commits",
        "an idempotent script is taken up where it was",
        on(BOTH, CRASH + "test_idempotent_scripts_that_commit_several_times"),
    ),
    Promise(
        "killed: in a rollback",
        "it leads back all the same",
        on(BOTH, CRASH + "test_felix_hub", CRASH + "test_of_scripts_that_can_not_be_done_twice_the_commits_are_told"),
    ),
    Promise(
        "killed: in deferred work",
        "what is done after the commit is neither lost nor done twice",
        (
            CRASH + "test_what_is_deferred_to_the_commit_is_neither_lost_nor_done_twice",
            CRASH + "test_a_deferred_validation_is_neither_lost_nor_done_twice",
        ),
    ),
    Promise(
        "killed: in a concurrent build of op",
        "the next run builds a good index",
        ("tests/reliability/test_killed_builds.py::test_c04_a_build_whose_runner_is_killed_is_built_anew",),
    ),
    Promise(
        "killed: in op on partitions",
        "the next run takes up where it was",
        ("tests/reliability/test_partitions.py::test_c34_an_index_is_built_beside_writers_and_taken_up_where_it_was_ended[runner]",),
    ),
    Promise(
        "killed: its statement goes on",
        "the server ends it, nothing of it is committed, and the next runner waits until it is gone",
        (
            KILLED + "test_c15_the_server_ends_the_statement_of_a_dead_runner",
            KILLED + "test_c15_the_next_runner_waits_for_a_statement_that_outlives_a_dead_one",
            "tests/reliability/test_orphans.py::test_c15_the_statement_of_a_killed_runner_ends_and_changes_nothing",
        ),
    ),
    Promise(
        "killed: its child goes on",
        "the next runner waits until that is gone",
        ("tests/guard/test_other_clients.py::test_the_next_runner_waits_for_a_child_that_outlives_a_dead_one",),
    ),
    Promise("killed: a file started alone", "it is taken up by the next run", on(BOTH, "tests/raw/test_template.py::test_alone_it_is_resumed_after_a_kill")),
    Promise("killed: who waits goes on", "a killed runner holds nobody up", on(BOTH, KILLED + "test_who_waits_goes_on_when_the_holder_is_killed")),
    Promise("killed: the lock is free", "it ends with its holder", on(BOTH, KILLED + "test_c39_the_lock_is_free_as_soon_as_its_holder_is_dead")),
    Promise(
        "killed: a rehearsal",
        "nothing is left of it",
        (
            "tests/check/test_grounds.py::test_nothing_is_left_of_a_ground_that_was_broken_off",
            "tests/check/test_stage.py::test_when_the_parent_is_killed_nothing_stays",
        ),
    ),
    Promise("stopped: by a signal", "the script is undone", on(BOTH, "tests/concurrency/test_signals.py::test_a_transaction_is_undone")),
    Promise(
        "stopped: while it waits for the lock",
        "a waiting runner can be stopped",
        on(BOTH, "tests/concurrency/test_signals.py::test_a_runner_that_waits_for_the_lock_can_be_stopped"),
    ),
    Promise("several runners at once", "each script runs once, everybody ends with 0", on(BOTH, "tests/concurrency/test_many_runners.py::test_c17_many_runners_at_once")),
    Promise(
        "a lost lock",
        "the runner stops before its next statement, and no other overlaps it",
        (LOST + "test_it_stops_and_is_undone", LOST + "test_what_it_had_committed_is_said_and_taken_up_by_the_next"),
    ),
    Promise("a script taken over", "only the runner that the ledger names can commit", on(BOTH, LOST + "test_what_another_runner_has_taken_over_is_not_recorded")),
)  # fmt: skip
