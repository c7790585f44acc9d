"""Methods of Chainlit's ``SQLAlchemyDataLayer`` outside the contract, for code that calls them.

They are as they are there, except that errors raise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from chainlit.step import StepDict
from chainlit.types import PaginatedResponse, Pagination, ThreadDict, ThreadFilter

from chainkeep.chainlit import translate
from chainkeep.store import Store
from chainkeep.values import utc_now

__all__ = ["EarlierMethods"]


class EarlierMethods(ABC):
    """What a data layer over a store needs to have them."""

    store: Store
    _most_per_page: int

    @abstractmethod
    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        """A thread with all that is in it."""

    @abstractmethod
    async def list_threads(
        self, pagination: Pagination, filters: ThreadFilter
    ) -> PaginatedResponse[ThreadDict]:
        """A page of a user's threads."""

    async def get_step(self, step_id: str) -> StepDict | None:
        """A step; None if there is none."""
        step = await self.store.step_values(step_id)
        return None if step is None else translate.step_as_it_is(step)

    async def get_all_user_threads(
        self, user_id: str | None = None, thread_id: str | None = None
    ) -> list[ThreadDict] | None:
        """A thread, or a user's newest threads, with all that is in them.

        ``user_thread_limit`` threads at most.
        """
        ids = [thread_id] if thread_id is not None else await self._newest(user_id)
        threads = [await self.get_thread(each) for each in ids]
        return [thread for thread in threads if thread is not None]

    async def _newest(self, user_id: str | None) -> list[str]:
        first = Pagination(first=self._most_per_page)
        page = await self.list_threads(first, ThreadFilter(userId=user_id))
        return [thread["id"] for thread in page.data]

    async def execute_sql(
        self, query: str, parameters: dict[str, Any]
    ) -> list[dict[str, Any]] | int:
        """Run a statement of your own in one transaction: its rows, or how many rows it changed."""
        return await self.store.execute(query, parameters)

    async def get_current_timestamp(self) -> str:
        """The present, as the database holds times."""
        return utc_now()
