"""What is refused before anything runs: wrong usage, files that are no scripts, a history that does not fit."""

from __future__ import annotations

from tests.promises.promise import BOTH, Promise, on

USAGE = "tests/cli/test_bad_usage.py::"
SCRIPTS = "tests/cli/test_bad_scripts.py::"
HISTORY = "tests/cli/test_changed_history.py::"
SETTINGS = "tests/unit/test_settings.py::"
READING = "tests/unit/test_scripts.py::"

USAGES = (
    Promise("refused: arguments", "commands, flags and values that do not exist, or contradict each other", (USAGE + "test_wrong_arguments",)),
    Promise("refused: a duration", "what is no duration", (USAGE + "test_what_is_no_duration",)),
    Promise("refused: a folder", "a missing folder, or a file in its place", (USAGE + "test_a_missing_folder", USAGE + "test_a_file_as_folder")),
    Promise("refused: a number", "a number or a file that no script has", (USAGE + "test_a_number_that_no_script_has", USAGE + "test_a_script_that_does_not_exist")),
    Promise("refused: an ambiguous number", "renumber by a number that several files have", ("tests/unit/test_maintenance.py::test_renumber_by_number_only_where_it_is_clear",)),
    Promise("refused: a title", "a title that gives no file name", (USAGE + "test_a_title_without_letters",)),
    Promise(
        "refused: settings",
        "a .env file that is not there, a pyproject.toml or a url-function that can't be used",
        (USAGE + "test_an_environment_file_that_does_not_exist", USAGE + "test_settings_that_can_not_be_read", SETTINGS + "test_a_url_function_that_can_t_be_used_is_named"),
    ),
    Promise("refused: by the application's rule", "an address that the application's own rule rejects", (SETTINGS + "test_an_error_of_that_rule_is_the_user_s_to_correct",)),
    Promise("refused: a ledger's name", "a name that no table can have", (USAGE + "test_a_ledger_that_can_not_be_called_so",)),
    Promise("refused: flags of check", "flags that contradict each other", ("tests/check/test_check_command.py::test_flags_that_contradict_each_other",)),
)  # fmt: skip

FILES = (
    Promise("refused: a name", "a file name that is no migration's", on(BOTH, SCRIPTS + "test_a_name_that_is_none")),
    Promise("refused: one number twice", "two files with one number", on(BOTH, SCRIPTS + "test_two_scripts_with_one_number")),
    Promise("refused: no text", "a file that is not UTF-8, or can't be read", (*on(BOTH, SCRIPTS + "test_a_file_that_is_not_utf_8"), READING + "test_a_folder_with_a_script_s_name_is_a_problem")),
    Promise("refused: a syntax error", "a file that is no Python", on(BOTH, SCRIPTS + "test_a_syntax_error")),
    Promise("refused: an import", "a file that can't be loaded", on(BOTH, SCRIPTS + "test_an_import_that_fails")),
    Promise("refused: no apply", "a file without apply(), or with one that is no function", (*on(BOTH, SCRIPTS + "test_no_apply"), READING + "test_a_function_that_is_none_is_refused")),
    Promise("refused: depends_on", "dependencies that are no numbers", on(BOTH, HISTORY + "test_dependencies_that_are_no_numbers")),
    Promise("refused: discards_data", "a reason that is none", on(BOTH, "tests/guard/test_losses.py::test_a_reason_that_is_none_stops_the_script_before_it_runs")),
    Promise("refused: all at once", "every reason is given at once", on(BOTH, SCRIPTS + "test_every_reason_is_told_at_once")),
)  # fmt: skip

HISTORIES = (
    Promise("refused: an edit", "an applied script that was changed", on(BOTH, HISTORY + "test_an_edit_of_the_program_is_refused")),
    Promise("refused: an edit, alone", "the same, for a file that is started alone", on(BOTH, "tests/raw/test_template.py::test_alone_it_is_refused_when_it_was_edited_since")),
    Promise("refused: another script", "another script under an applied number", on(BOTH, HISTORY + "test_another_script_under_an_applied_number")),
    Promise("refused: a missing file", "a rollback whose file is gone", on(BOTH, HISTORY + "test_an_applied_file_that_is_gone")),
    Promise("refused: out of order", "a script that comes late", on(BOTH, HISTORY + "test_a_script_that_comes_late")),
    Promise("refused: a gap", "a number that is missing", on(BOTH, HISTORY + "test_a_gap")),
    Promise("refused: a dependency", "one that is not applied, or that others still need", on(BOTH, HISTORY + "test_declared_dependencies")),
    Promise("refused: no way back", "a rollback that the script does not have", on(BOTH, HISTORY + "test_no_way_back")),
    Promise("refused: irreversible", "a rollback that the script rules out", on(BOTH, "tests/operations/test_irreversible.py::test_rollback_is_refused_and_nothing_changes")),
    Promise("refused: a newer ledger", "a ledger that a newer version wrote", on(BOTH, HISTORY + "test_a_ledger_from_a_newer_version")),
    Promise("refused: renumbering", "an applied script keeps its number", (USAGE + "test_an_applied_script_keeps_its_number",)),
    Promise(
        "refused: not confirmed",
        "a rollback or a repair to which nobody says yes",
        ("tests/cli/test_terminal.py::test_no_is_no", "tests/cli/test_terminal.py::test_ctrl_c_at_the_question_is_no", "tests/cli/test_terminal.py::test_repair_asks_too[n*]"),
    ),
)  # fmt: skip

PROMISES = (*USAGES, *FILES, *HISTORIES)
