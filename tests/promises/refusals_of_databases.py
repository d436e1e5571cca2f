"""What is refused for the sake of an address, a role, a pooler or an application; and where nothing can be rehearsed."""

from __future__ import annotations

from tests.promises.promise import BOTH, Promise, on

ADDRESSES = "tests/cli/test_bad_addresses.py::"
READ_ONLY = "tests/cli/test_read_only_databases.py::"
APPLICATIONS = "tests/cli/test_applications.py::"
POOLER = "tests/postgresql/test_pooler.py::"
GROUNDS = "tests/check/test_grounds.py::"
ISOLATION = "tests/check/test_isolation.py::"
CHECK = "tests/check/test_check_command.py::"

PROMISES = (
    Promise("refused: no address", "none, or an empty one", (ADDRESSES + "test_no_address", ADDRESSES + "test_an_empty_address")),
    Promise(
        "refused: what is no address",
        "an unknown scheme, what is no URL, a port that is no number",
        (ADDRESSES + "test_an_unknown_scheme", ADDRESSES + "test_no_url_at_all", ADDRESSES + "test_a_port_that_is_no_number"),
    ),
    Promise(
        "refused: a file",
        "a database in memory, a folder as database, a file in a folder that does not exist",
        (ADDRESSES + "test_a_database_in_memory", ADDRESSES + "test_a_folder_as_database", ADDRESSES + "test_a_file_in_a_folder_that_does_not_exist"),
    ),
    Promise("unreachable: a file", "no database, or one that was cut off", (ADDRESSES + "test_a_file_that_is_no_database", ADDRESSES + "test_a_database_that_was_cut_off")),
    Promise(
        "unreachable: a server",
        "nobody listens, or there is no such host or database",
        (ADDRESSES + "test_nobody_listens", ADDRESSES + "test_a_host_that_does_not_exist", ADDRESSES + "test_a_database_that_does_not_exist"),
    ),
    Promise(
        "unreachable: a login",
        "a wrong password, none, or no such role",
        (ADDRESSES + "test_a_wrong_password", ADDRESSES + "test_no_password", ADDRESSES + "test_a_role_that_does_not_exist"),
    ),
    Promise("unreachable: --wait", "waiting for a server ends", (ADDRESSES + "test_waiting_for_a_server_ends",)),
    Promise("refused: no driver", "it says what to install", ("tests/unit/test_database_address.py::test_without_its_driver_it_says_what_to_install",)),
    Promise(
        "refused: a role that may only read",
        "a standby, a read-only role, one that may only select",
        (READ_ONLY + "test_a_standby", READ_ONLY + "test_a_role_that_is_set_to_read_only", READ_ONLY + "test_a_role_that_may_only_select"),
    ),
    Promise(
        "refused: a role without rights",
        "one that may not create tables, that has no right at all, or whose search_path leads nowhere",
        (READ_ONLY + "test_a_role_that_may_not_create_tables", READ_ONLY + "test_a_role_without_any_right", READ_ONLY + "test_a_role_whose_search_path_leads_nowhere"),
    ),
    Promise(
        "refused: a read-only file",
        "a file or a folder that may only be read, or a file that may not be read",
        (
            READ_ONLY + "test_a_file_opened_read_only", READ_ONLY + "test_a_file_that_may_only_be_read",
            READ_ONLY + "test_a_folder_that_may_only_be_read", READ_ONLY + "test_a_file_that_may_not_be_read",
        ),
    ),
    Promise("refused: migrations that may not be read", "the folder is named", (READ_ONLY + "test_migrations_that_may_not_be_read",)),
    Promise("refused: a pooler", "one in transaction mode, for the runner", (POOLER + "test_c08_transaction_mode_is_refused",)),
    Promise(
        "refused: a pooler of the script",
        "one in transaction mode, for the script's engine",
        (POOLER + "test_a_script_may_not_go_through_a_pooler_that_shares_sessions[transaction*]",),
    ),
    Promise(
        "refused: another database",
        "a script that works on another one than the ledger's",
        (APPLICATIONS + "test_an_application_on_another_sqlite_file", APPLICATIONS + "test_an_application_on_another_postgres_database", APPLICATIONS + "test_a_script_that_swallows_the_refusal"),
    ),
    Promise(
        "told: changes at import",
        "an application that changes the database while it is imported works, and that is said",
        on(BOTH, APPLICATIONS + "test_ddl_at_import", APPLICATIONS + "test_create_all_at_import"),
    ),
    Promise(
        "check refused: no place",
        "nowhere to rehearse, a server that can't be used, or the target itself",
        (GROUNDS + "test_without_any_place_the_ways_out_are_told", GROUNDS + "test_a_server_that_can_not_be_used_is_named", GROUNDS + "test_the_target_itself_is_no_place"),
    ),
    Promise(
        "check refused: the running code",
        "code that is nowhere, can't be loaded, or does not fit together",
        (CHECK + "test_code_that_is_nowhere", "tests/check/test_models.py::test_what_can_not_be_loaded_is_said_with_a_way_out", "tests/check/test_models.py::test_models_that_do_not_fit_together_are_named"),
    ),
    Promise("check refused: the schema before", "what is applied and can't be rolled back", (CHECK + "test_what_is_applied_and_can_not_be_rolled_back_is_not_rehearsed",)),
    Promise("check refused: a script", "a broken file, one that fails, one that ends its process", (CHECK + "test_a_broken_file_is_a_row_of_its_own", CHECK + "test_a_script_that_fails", CHECK + "test_a_script_that_hangs_up_its_process")),
    Promise(
        "check refused: out of bounds",
        "a script that reaches for the target while it is rehearsed",
        (ISOLATION + "test_a_server_is_out_of_reach", ISOLATION + "test_a_file_is_covered", ISOLATION + "test_without_namespaces_python_refuses_a_server", ISOLATION + "test_without_namespaces_python_refuses_a_file"),
    ),
    Promise("check refused: a changed target", "what gets through all the same is seen", (ISOLATION + "test_what_gets_through_to_a_file_is_seen", ISOLATION + "test_what_gets_through_to_a_server_is_seen_in_its_catalog")),
)  # fmt: skip
