"""Which functions an expression calls, and what is known about them without asking the server."""

from __future__ import annotations

from nonstop.databases.postgresql_reader import Reader
from nonstop.databases.postgresql_tokens import Sort, Token, words

NOT_VOLATILE = words("""
    abs age array_agg array_append array_cat array_length array_position array_remove array_to_json array_to_string
    ascii avg bit_length bool_and bool_or btrim cardinality ceil ceiling char_length character_length chr coalesce
    col_description concat concat_ws convert_from convert_to count cume_dist current_database current_schema
    current_schemas current_setting date date_bin date_part date_trunc decode degrees dense_rank div encode
    every exp extract first_value floor format format_type generate_series generate_subscripts greatest
    has_table_privilege initcap json_agg json_array_elements json_array_elements_text json_array_length
    json_build_array json_build_object json_each json_each_text json_extract_path json_object json_object_agg
    json_object_keys json_to_record json_typeof jsonb_agg jsonb_array_elements jsonb_array_elements_text
    jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path
    jsonb_insert jsonb_object jsonb_object_agg jsonb_object_keys jsonb_path_exists jsonb_path_query jsonb_pretty
    jsonb_set jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof justify_days justify_hours
    justify_interval lag last_value lead least left length ln log lower lpad ltrim make_date make_interval make_time
    make_timestamp make_timestamptz max md5 min mod now nth_value ntile nullif num_nonnulls num_nulls obj_description
    octet_length overlay percent_rank percentile_cont percentile_disc pg_get_constraintdef pg_get_expr
    pg_collation_is_visible pg_get_functiondef pg_get_indexdef pg_get_serial_sequence pg_get_triggerdef pg_get_userbyid pg_get_viewdef
    pg_table_is_visible pg_type_is_visible pg_typeof pi position power
    quote_ident quote_literal quote_nullable radians rank regexp_match regexp_matches regexp_replace
    regexp_split_to_array regexp_split_to_table repeat replace reverse right round row_number row_to_json rpad rtrim
    sha256 sign split_part sqrt starts_with statement_timestamp stddev string_agg string_to_array strpos substr
    substring sum to_char to_date to_hex to_json to_jsonb to_number to_regclass to_regtype to_timestamp to_tsquery
    to_tsvector transaction_timestamp translate trim trunc unnest upper variance version width_bucket
    """)
"""Built in, and the same for every row of a statement."""

VOLATILE = words("""
    clock_timestamp currval gen_random_uuid lastval nextval random setval timeofday uuid_generate_v1
    uuid_generate_v1mc uuid_generate_v4 uuidv4 uuidv7
    """)
"""Another value for each row; but harmless to call, as they lock no table."""

HARMLESS = (
    NOT_VOLATILE
    | VOLATILE
    | words("""
        pg_backend_pid pg_blocking_pids pg_column_size pg_current_wal_lsn pg_database_size pg_indexes_size
        pg_relation_size pg_size_pretty pg_sleep pg_sleep_for pg_table_size pg_total_relation_size
        pg_try_advisory_xact_lock pg_advisory_xact_lock txid_current pg_current_xact_id
        """)
)

_LOOK_LIKE_CALLS = words("""
    all and any array as bit between bpchar by case cast char character conflict cross cube cursor dec decimal default
    distinct else end except exists filter float for from full grouping group having ilike in inner int integer
    intersect interval into is isnull join lateral like limit materialized nchar not notnull numeric offset on only or
    order outer over overlaps precision returning rollup row select set sets similar some symmetric table then time
    timestamp timestamptz to union using values varchar varying when where window with within
    """)
_BEFORE_A_LIST_OF_COLUMNS = frozenset(("into", "copy", "as", "with", "recursive", "references"))


def calls(reader: Reader) -> list[str]:
    """The functions called in what the reader has still to read, as ``to_regproc`` reads their names.

    In doubt a word before a bracket is a call: ``t a(x, y)``, an alias without AS, is taken for one.
    """
    parts = reader.rest.tokens
    brackets = [index for index, token in enumerate(parts) if token.symbol == "("]
    found = [_called(reader.text, parts, index) for index in brackets if index]
    return [name for name in found if name]


def _called(text: str, parts: list[Token], bracket: int) -> str:
    start = bracket - 1
    if parts[start].sort is not Sort.WORD and parts[start].sort is not Sort.QUOTED:
        return ""
    while start >= 2 and parts[start - 1].symbol == ".":
        start -= 2
    is_qualified = start < bracket - 1
    if not is_qualified and parts[start].word in _LOOK_LIKE_CALLS:
        return ""
    if parts[0].word == "copy" and (start == 0 or parts[start].word in ("stdin", "stdout")):
        return ""  # COPY (SELECT …) TO STDOUT (FORMAT csv)
    if start and (parts[start - 1].word in _BEFORE_A_LIST_OF_COLUMNS or _ends_a_table(parts, start - 1)):
        return ""
    return str(Reader(text, parts[start:bracket]).name()).removeprefix("pg_catalog.")


def _ends_a_table(parts: list[Token], closing: int) -> bool:
    """Whether a bracket closes here that makes the next word an alias: ``(VALUES (1)) v(id)``."""
    if parts[closing].symbol != ")":
        return False
    depth = parts[closing].depth
    opening = max(
        (i for i in range(closing) if parts[i].symbol == "(" and parts[i].depth == depth), default=0
    )
    return opening == 0 or parts[opening - 1].word != "on"  # SELECT DISTINCT ON (id) f(x)
