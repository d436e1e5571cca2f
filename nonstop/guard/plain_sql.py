"""What becomes of a script's own SQL: sent as it is, made online, or refused with what to write instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from nonstop.databases.base import Database, DBAPIConnection
from nonstop.databases.wording import one_line
from nonstop.descriptions.operations import LockClass
from nonstop.descriptions.results import AllowedToBlock
from nonstop.descriptions.statements import Kind, Need
from nonstop.errors import UsageError
from nonstop.guard import refusals
from nonstop.guard.deferred import Pending
from nonstop.guard.judged import Judged, Services
from nonstop.guard.manners import Manners
from nonstop.guard.transactions import Transactions

NOTHING = "UNLISTEN nonstop_nothing"
"""Sent in the place of what is carried out later, or was already: it does nothing, in and outside transactions."""
CAUTION = (Kind.UNKNOWN, Kind.BLOCKING, Kind.ONLINE_INDEX, Kind.NOT_VALID, Kind.CONCURRENT)
"""What may lock whatever its text says, and what can't be had in its plain form for certain."""


class PlainSql:
    """Stands before every statement of a script that is not a step of ``op``."""

    def __init__(
        self, database: Database, transactions: Transactions, manners: Manners, services: Services
    ) -> None:
        self._database = database
        self._transactions = transactions
        self._manners = manners
        self._services = services
        self.run_deferred = services.run_deferred
        self._tolerated: set[int] = set()

    @property
    def tolerated_sessions(self) -> frozenset[int]:
        """Sessions that run what was allowed to block: nobody breaks them off."""
        return frozenset(self._tolerated)

    def had_to_make_way(self, connection: DBAPIConnection, statement: str, error: BaseException) -> bool:
        """See :meth:`Manners.had_to_make_way`."""
        return self._manners.had_to_make_way(connection, statement, error)

    def was_broken_off(self) -> bool:
        return self._manners.was_broken_off()

    def before(self, connection: DBAPIConnection, statement: str, commits_itself: bool) -> str:
        """Wait for a good moment, and return what is to be sent in the place of ``statement``.

        Raises Refused where it would block the application for long, or needs what is deferred to the commit; MadeWay
        where the lock is not to be had.
        """
        needs = self._database.needs_of(statement)
        if not any(need.is_strong or need.kind in CAUTION for _, need in needs):
            self._manners.forget_limits_of_the_past(connection)
            for text, need in needs:
                self._refuse_to_notice(connection, text, need)
            return statement
        if len(needs) > 1:
            self._refuse_names_to_come(connection, needs)
        judged = self._look(connection, needs)
        sent = [self._decide(connection, one, commits_itself) for one in judged]
        strong = [one for one, text in zip(judged, sent, strict=True) if text and one.is_strong]
        if strong:
            names = tuple(dict.fromkeys(name for one in strong for name in one.names))
            lock = max((one.lock for one in strong), key=[*LockClass].index)
            self._refuse_to_wait_for_itself(connection, statement, names, lock)
            self._get_ready(connection)
            if names and not commits_itself and self._has_to_insist(connection, strong):
                self._manners.lock_first(connection, names, lock)
            else:
                self._manners.before(connection, names, lock)
        else:
            self._manners.forget_limits_of_the_past(connection)
        if all(text == one.text for one, text in zip(judged, sent, strict=True)):
            return statement
        return "; ".join(text for text in sent if text) or NOTHING

    def _refuse_to_wait_for_itself(
        self, connection: DBAPIConnection, statement: str, names: Sequence[str], lock: LockClass
    ) -> None:
        """Raise UsageError where another session of the script holds what this one asks for: it would never end."""
        if held := self._services.own_holders(connection, names, lock):
            raise UsageError(
                f"the script would wait for itself: {one_line(statement)}",
                details=tuple(
                    f"Another session of its own has not ended its transaction: {one}" for one in held
                ),
                next_step="commit, roll back or close that session first",
            )

    def _has_to_insist(self, connection: DBAPIConnection, strong: Sequence[Judged]) -> bool:
        """Whether the script can't be run again, and the locks can be had before what needs them, and only that long."""
        return (
            not self._transactions.can_be_retried
            and not self._transactions.has_written(connection)
            and all(one.need.kind not in (Kind.UNKNOWN, Kind.BLOCKING) for one in strong)
        )

    def _get_ready(self, connection: DBAPIConnection) -> None:
        """Have at hand what the next statement may need to be judged: by then the lock is held, and others wait."""
        if not self._transactions.has_written(connection):
            self._services.own_names()
            self._database.confirms(connection, ())

    # --- looking ----------------------------------------------------------------------------------------------

    def _look(self, connection: DBAPIConnection, needs: Sequence[tuple[str, Need]]) -> list[Judged]:
        """Which tables of others each statement locks. Ends the transaction of the look, if there was none before."""
        was_idle = not self._database.in_transaction(connection)
        reached = [self._database.reached(connection, need) for _, need in needs]
        if was_idle:
            connection.rollback()
        known = self._services.known([table.oid for tables in reached for table in tables])
        return [
            Judged(text, need, tuple(table for table in tables if table.oid in known), len(needs) == 1)
            for (text, need), tables in zip(needs, reached, strict=True)
        ]

    def _refuse_names_to_come(self, connection: DBAPIConnection, needs: Sequence[tuple[str, Need]]) -> None:
        """Of several statements in one text, a later one may mean a table that an earlier one is going to rename."""
        created = {name for _, need in needs for name in need.creates}
        for text, need in needs:
            named = [name for name in need.relations if name not in created]
            if need.kind in CAUTION and not self._database.has_tables(connection, named):
                raise refusals.unseen_names(text)

    # --- deciding ---------------------------------------------------------------------------------------------

    def _decide(self, connection: DBAPIConnection, one: Judged, commits_itself: bool) -> str:
        """What is sent of one statement: all of it, another form, or nothing."""
        self._refuse_to_notice(connection, one.text, one.need)
        match one.need.kind:
            case Kind.ONLINE_INDEX | Kind.NOT_VALID if one.tables:
                return self._made_online(connection, one, commits_itself)
            case Kind.CONCURRENT if commits_itself and _is_concurrent_index(one.need):
                self._services.run_online(_as_sent(one.text))
                return ""
            case Kind.CONCURRENT if not (commits_itself or _is_concurrent_index(one.need)):
                if self._database.has_locked(connection, one.tables):
                    self._refuse_to_block(connection, _under_lock(one))
            case Kind.BLOCKING:
                self._refuse_to_block(connection, one)
        self._transactions.deferred.note_dropped(connection, one.need.drops)
        return one.text

    def _made_online(self, connection: DBAPIConnection, one: Judged, commits_itself: bool) -> str:
        if one.need.only or self._size(connection, one) <= self._services.small:
            return one.text
        self._refuse_what_can_not_be_online(connection, one)
        if not self._database.confirms(connection, one.need.provided):
            if one.need.is_unnamed:
                raise refusals.unknown_name(one)
            return one.text
        if not self._can_be_online(connection, one):
            self._refuse_to_block(connection, one)
            return one.text
        if one.need.may_fail_on_rows:
            self._refuse_to_fail_halfway(connection, one, commits_itself)
        has_constraints = one.need.kind is Kind.NOT_VALID
        first = one.need.rewritten[0] if has_constraints else ""
        for statement in map(_as_sent, one.need.constraints if has_constraints else one.need.rewritten):
            if not commits_itself:
                self._transactions.deferred.add(connection, _pending(statement, one))
            elif first:  # it is sent now, and commits itself: what completes it comes next
                self._transactions.deferred.add_due([statement])
            else:
                self._services.run_online(statement)
        return first

    def _can_be_online(self, connection: DBAPIConnection, one: Judged) -> bool:
        """Not on partitioned tables, and not where our own session would mean other tables by the same names."""
        takes_partitions = one.need.kind is Kind.NOT_VALID and not any(
            constraint.is_foreign_key for constraint in one.need.added
        )
        if not takes_partitions and any(table.is_partitioned for table in one.tables):
            return False
        return self._database.names_resolve_as(connection) == self._services.own_names()

    def _refuse_what_can_not_be_online(self, connection: DBAPIConnection, one: Judged) -> None:
        """Raise Refused where the server would choose the name, or an index would be missing until its successor is built."""
        if self._transactions.deferred.has_dropped(connection, one.need.creates):
            raise refusals.gap_without_index(one)
        if one.need.has_unknown_name:
            raise refusals.unknown_name(one)

    def _refuse_to_fail_halfway(self, connection: DBAPIConnection, one: Judged, commits_itself: bool) -> None:
        """Raise Refused where rows that violate it would be found when other changes are permanent already."""
        is_alone = one.is_alone and not (one.need.kind is Kind.NOT_VALID and one.need.does_more)
        if not commits_itself and is_alone:
            pending = self._transactions.deferred.of(connection)
            is_alone = not (pending or self._database.has_changes(connection))
        if not is_alone:
            raise refusals.may_fail_halfway(one)

    def _size(self, connection: DBAPIConnection, one: Judged) -> int:
        """Bytes of what a statement locks. To measure a table means to open it, so that is bounded too."""
        self._manners.limit(connection)
        return self._database.size(connection, one.tables)

    def _refuse_to_block(self, connection: DBAPIConnection, one: Judged) -> None:
        """Raise Refused unless the tables are small, new, or of nobody's concern; or blocking was allowed."""
        if not (one.tables or one.may_be_any):
            return
        if one.need.unless and self._database.confirms(connection, one.need.unless):
            return
        size = self._size(connection, one)
        if size <= self._services.small:
            return
        if self._services.allow_blocking is not None:
            self._tolerated.add(self._database.session_id(connection))
            self._services.allowed(AllowedToBlock(one.text, one.names, one.need.reason, one.need.correction))
            summary = " ".join(one.text.split())
            self._services.say(f"allowed to block ({self._services.allow_blocking}): {summary}")
            return
        raise refusals.blocks(one, size)

    # --- what is deferred -------------------------------------------------------------------------------------

    def _refuse_to_notice(self, connection: DBAPIConnection, text: str, need: Need) -> None:
        """Raise Refused where a statement would find that what was deferred to the commit is not done yet."""
        for pending in self._transactions.deferred.of(connection):
            if pending.is_noticed_by(text, need, partial(self._database.reached, connection, need)):
                raise refusals.notices_deferred(text, pending)


def _under_lock(one: Judged) -> Judged:
    """A statement that lets others go on by itself, but not the lock that its transaction has taken before."""
    reason = "runs long while its transaction keeps the lock that an earlier statement has taken"
    return one._replace(need=replace(one.need, reason=reason, correction="-- commit before this statement"))


def _pending(statement: str, one: Judged) -> Pending:
    tables = frozenset(table.oid for table in one.tables)
    return Pending(statement, tables, one.need.new_names, one.need.may_fail_on_rows)


def _is_concurrent_index(need: Need) -> bool:
    """CREATE or DROP INDEX CONCURRENTLY: we carry it out, and clean up after a build that fails."""
    return need.kind is Kind.CONCURRENT and bool(need.rewritten)


def _as_sent(statement: str) -> str:
    """SQLAlchemy doubles '%' for the driver; our own statements have no parameters."""
    return statement.replace("%%", "%")
