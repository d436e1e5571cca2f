"""Migration scripts, bad and good in pairs, by which ``check`` is judged: ``python -m tests.check.corpus``."""

from tests.check.corpus import columns, constraints, contracts, data, indexes, objects, practices, renames, types
from tests.check.corpus.examples import Example

EXAMPLES: tuple[Example, ...] = tuple(
    example
    for topic in (indexes, constraints, columns, renames, types, objects, data, contracts, practices)
    for example in topic.EXAMPLES
)
