"""Which statements a correction says nothing of, so that it has to name them."""

from __future__ import annotations

import re

from nonstop.check.corrections.row_changes import changes_key, read
from nonstop.check.shapes.shape import Shape
from nonstop.databases.postgresql_functions import calls
from nonstop.databases.postgresql_reader import Reader

FORMS = (
    "update [only]",
    "delete from [only]",
    "insert [or] [ignore|replace] into",
    "replace into",
    "merge into [only]",
    "truncate [table] [only]",
)
"""How statements begin that change rows of the table whose name comes next."""
WRITES = re.compile(r"(?<!for )\b(?:update|delete|insert|merge|truncate)\b", re.IGNORECASE)


def is_left_out(sql: str, before: Shape, after: Shape) -> bool:
    """Whether no piece says what a statement does that is no insertion of given rows: it changes rows of a table that stays, to values that are parameters or come
    from other tables, say; or calls a function of the schema's own, which may do anything; or changes how a table is stored,
    which shows in no shape."""
    reader = Reader.of(sql)
    if reader.accept("reindex|cluster|vacuum|call"):
        return True
    if reader.accept("with|do"):
        return WRITES.search(sql) is not None
    if reader.accept("copy"):
        return reader.has("from")
    if reader.accept("select"):
        called = {Reader.of(name).name().last for name in calls(reader)}
        return not called.isdisjoint(_functions(before, after))
    if not any(reader.accept(form) for form in FORMS):
        return False
    name = reader.name()
    if after.table_called(name.schema, name.last) is None:
        return False
    changed = [(one, before.table_called(one.schema, one.table)) for one in read(sql, before)]
    return not changed or any(table is None or changes_key(one, table) for one, table in changed)


def _functions(*shapes: Shape) -> set[str]:
    """The names of the functions in the schemas, which are the application's own."""
    names = [one.name for shape in shapes for one in shape.others.values() if one.kind == "function"]
    return {Reader.of(name).name().last for name in names}
