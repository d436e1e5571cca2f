"""Migration scripts, bad and good in pairs, by which ``check`` is judged: ``python -m tests.check.corpus``."""

from tests.check.corpus import (
    columns,
    computed_columns,
    constraints,
    contracts,
    data,
    indexes,
    keys,
    objects,
    practices,
    rebuilt_indexes,
    renames,
    rights,
    tables,
    types,
)
from tests.check.corpus.examples import Example

TOPICS = (
    indexes, rebuilt_indexes, keys, constraints, columns, computed_columns, renames, types, tables, objects, data,
    contracts, practices, rights,
)  # fmt: skip
EXAMPLES: tuple[Example, ...] = tuple(example for topic in TOPICS for example in topic.EXAMPLES)
