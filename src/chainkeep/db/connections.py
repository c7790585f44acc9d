"""Connections on an event loop, a few of which stay open from one piece of work to the next."""

from __future__ import annotations

from time import monotonic
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine
from sqlalchemy.util import greenlet_spawn

from chainkeep.db import dialects
from chainkeep.db.drivers import STRAIGHT, driver_of, is_straight

__all__ = ["Connections", "Loan", "LoanAtHand"]


class Kept(NamedTuple):
    """What is known of a connection beside the pool."""

    driver: Any
    until: float
    """When another is to take its place."""


class Connections:
    """The connections of an engine, and up to ``keep`` beside its pool: to fetch one from there and
    to give it back takes longer than a short statement.

    Every method runs where SQLAlchemy may await; ``at_hand``, and what it lends, anywhere.
    """

    def __init__(self, engine: Engine, *, keep: int) -> None:
        self._engine = engine
        self._most = keep
        self._kept: dict[Connection, Kept] = {}
        self._idle: list[Connection] = []

    def lend(self) -> Loan:
        """A connection without a transaction, which begins none by itself. It comes back without
        one, or after an error, which undoes what was begun on it.
        """
        return Loan(self)

    def take(self) -> Connection:
        """What is lent."""
        while self._idle:
            connection = self._idle.pop()
            if monotonic() < self._kept[connection].until:
                return connection
            self._close(connection)
        connection = self._engine.connect()
        connection.execution_options(isolation_level="AUTOCOMMIT", **STRAIGHT)
        if len(self._kept) < self._most:
            connection.detach()
            until = monotonic() + dialects.RECYCLE_SECONDS
            self._kept[connection] = Kept(driver_of(connection), until)
        return connection

    def at_hand(self) -> LoanAtHand | None:
        """A connection that is there and has nobody to tell of its statements; None where ``lend``
        might have to wait for one, or to tell.
        """
        if not self._idle or monotonic() >= self._kept[self._idle[-1]].until:
            return None
        return LoanAtHand(self, self._idle.pop()) if is_straight(self._idle[-1]) else None

    def give_back(self, connection: Connection) -> None:
        """Take back a connection whose transaction has ended."""
        if connection.in_transaction():
            connection.commit()  # SQLAlchemy's idea of one: there is none
        if connection in self._kept and self._most:
            self._idle.append(connection)
        else:
            self._close(connection)

    def give_up(self, connection: Connection, exc: BaseException) -> None:
        """Take back a connection on which something went wrong."""
        sound = False
        try:
            sound = self._is_undone(connection, exc)
        finally:
            if not sound:
                self._abandon(connection)
        if sound:
            self.give_back(connection)

    def _is_undone(self, connection: Connection, exc: BaseException) -> bool:
        if not isinstance(exc, Exception):
            return False  # whoever waited was cancelled, and the server may not have been told
        if dialects.is_lost(exc) and not connection.invalidated:
            driver_of(connection).terminate()
        try:
            # SQLAlchemy notices here that a connection is gone, and with it all that its pool has.
            connection.exec_driver_sql("ROLLBACK")
        except dialects.driver_errors():
            while self._idle:
                self._abandon(self._idle.pop())
            return False
        return not connection.invalidated

    def close(self) -> None:
        """Close those that are idle; those in use are closed when they are given back."""
        self._most = 0
        while self._idle:
            self._close(self._idle.pop())

    def _close(self, connection: Connection) -> None:
        connection.close()
        kept = self._kept.pop(connection, None)
        if kept is not None and not kept.driver.is_closed():
            # SQLAlchemy gave it up and, as it is not in the pool, left it open.
            kept.driver.terminate()

    def _abandon(self, connection: Connection) -> None:
        if not connection.invalidated:
            driver_of(connection).terminate()
            connection.invalidate()
        self._close(connection)


class Loan:
    """A connection that is lent as long as a ``with`` lasts."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def __enter__(self) -> Connection:
        self._connection = self._connections.take()
        return self._connection

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> None:
        if exc is None:
            self._connections.give_back(self._connection)
        else:
            self._connections.give_up(self._connection, exc)


class LoanAtHand:
    """A connection that is lent to a coroutine as long as an ``async with`` lasts."""

    def __init__(self, connections: Connections, connection: Connection) -> None:
        self._connections = connections
        self._connection = connection

    async def __aenter__(self) -> Connection:
        return self._connection

    async def __aexit__(self, kind: object, exc: BaseException | None, trace: object) -> None:
        if exc is None:
            self._connections.give_back(self._connection)
        else:
            await greenlet_spawn(self._connections.give_up, self._connection, exc)
