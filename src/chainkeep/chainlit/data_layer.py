"""The data layer: translate what Chainlit says, one call of the store, translate back."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from chainlit.data.base import BaseDataLayer
from chainlit.data.storage_clients.base import BaseStorageClient
from chainlit.step import StepDict
from chainlit.types import Feedback as ChainlitFeedback
from chainlit.types import PageInfo, PaginatedResponse, Pagination, ThreadDict, ThreadFilter
from chainlit.user import PersistedUser
from chainlit.user import User as ChainlitUser
from sqlalchemy.ext.asyncio import AsyncEngine
from typing_extensions import override

from chainkeep.blobs import Blobs
from chainkeep.chainlit import translate
from chainkeep.chainlit.caller import known_caller, remember_caller
from chainkeep.chainlit.earlier import EarlierMethods
from chainkeep.chainlit.elements import ElementMethods
from chainkeep.chainlit.hold import Hold, current_caller, own_thread
from chainkeep.chainlit.places import Place, PlaceOf, current_place, usual_place
from chainkeep.chainlit.slices import each_made, listed
from chainkeep.chainlit.storage import blobs_of
from chainkeep.errors import ChainkeepError, InvalidInputError
from chainkeep.models import Caller, Health
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store

__all__ = ["ChainkeepDataLayer"]

logger = logging.getLogger("chainkeep.chainlit")


class ChainkeepDataLayer(ElementMethods, EarlierMethods, BaseDataLayer):
    """Keeps a Chainlit app's history. Set it as the app's data layer:

        @cl.data_layer
        def data_layer():
            return ChainkeepDataLayer()

    It connects, and brings the tables up to date, on first use. Every argument is optional; those
    before the star are named as in Chainlit's ``SQLAlchemyDataLayer``. What is not given comes from
    ``CHAINKEEP_*`` variables, then from the defaults: a database and a directory for attachments
    under ``.chainkeep``.

    A write returns once it is committed. Writes of a session that has no first message yet are kept
    back, as Chainlit wants it, and follow in the order they were made. Errors raise, as
    ``ChainkeepError``; from writes that Chainlit awaits inside a chat they are logged instead,
    since an error there would end the chat.
    """

    def __init__(
        self,
        conninfo: str | None = None,
        connect_args: Mapping[str, Any] | None = None,
        ssl_require: bool = False,
        storage_provider: BaseStorageClient | Blobs | None = None,
        user_thread_limit: int | None = 1000,
        show_logger: bool = False,
        *,
        engine: AsyncEngine | None = None,
        engine_options: Mapping[str, Any] | None = None,
        password_provider: Callable[[], str] | None = None,
        schema: str | None = None,
        pgbouncer: bool | None = None,
        blobs: str | None = None,
        spool: str | None = None,
        journal: str | None = None,
        direct_urls: bool | None = None,
        auto_migrate: bool | None = None,
        search_index: bool | None = None,
        place_of: PlaceOf = usual_place,
    ) -> None:
        """``user_thread_limit`` caps a page of the list, never the list. ``show_logger`` logs at
        INFO. ``place_of`` says to which organisation and product a new chat belongs, as
        ``Scope`` in the Thread API knows them; the UI shows users all of theirs.
        """
        database = DatabaseSettings.from_environment(
            url=conninfo,
            connect_args=connect_args,
            ssl_require=ssl_require,
            engine_options=engine_options,
            password_provider=password_provider,
            schema=schema,
            pgbouncer=pgbouncer,
        )
        settings = Settings.from_environment(
            database=database,
            blobs=blobs,
            spool=spool,
            journal=journal,
            direct_urls=direct_urls,
            auto_migrate=auto_migrate,
            search_index=search_index,
        )
        if show_logger:
            logging.getLogger("chainkeep").setLevel(logging.INFO)
        self.store = Store(settings, engine=engine, blobs=blobs_of(storage_provider, settings))
        self._most_per_page = user_thread_limit or 1000
        self._hold = Hold()
        self._place_of = place_of

    @override
    async def build_debug_url(self) -> str:
        return ""

    @override
    async def close(self) -> None:
        """Finish what was handed over, within ``Settings.close_timeout_seconds``, then release
        everything.
        """
        await self.store.close()

    def health(self) -> Health:
        """How the ways into the database and the blob store are doing, for a health check."""
        return self.store.health()

    # Users

    @override
    async def get_user(self, identifier: str) -> PersistedUser | None:
        remember_caller(identifier)
        user = await self.store.get_user(identifier)
        return None if user is None else translate.user_to_chainlit(user)

    @override
    async def create_user(self, user: ChainlitUser) -> PersistedUser | None:
        saved = await self.store.save_user(
            user.identifier, display_name=user.display_name, metadata=user.metadata
        )
        return translate.user_to_chainlit(saved)

    # Feedback

    @override
    async def upsert_feedback(self, feedback: ChainlitFeedback) -> str:
        """The vote's id, which Chainlit's callback finds on ``feedback`` too."""
        vote = translate.feedback_from_chainlit(feedback, new_id=str(uuid.uuid4()))
        feedback.id = await self.store.save_feedback(vote, caller=_voter())
        return feedback.id

    @override
    async def delete_feedback(self, feedback_id: str) -> bool:
        return await self.store.delete_feedback(feedback_id, caller=_voter())

    # Steps

    @override
    async def create_step(self, step_dict: StepDict) -> None:
        caller = current_caller()
        step, _ = translate.step_from_chainlit(step_dict, thread_id=own_thread(caller))
        await self._hold.through(lambda: self.store.create_step(step, caller=caller))

    @override
    async def update_step(self, step_dict: StepDict) -> None:
        """Write the keys that the dict has, and leave the others."""
        caller = current_caller()
        step, given = translate.step_from_chainlit(step_dict, thread_id=own_thread(caller))
        await self._hold.through(lambda: self.store.update_step(step, given=given, caller=caller))

    @override
    async def delete_step(self, step_id: str) -> None:
        """Delete the step with all below it, their elements and votes."""
        caller = current_caller()
        await self._hold.through(lambda: self.store.delete_step(step_id, caller=caller))

    @override
    async def get_favorite_steps(self, user_id: str) -> list[StepDict]:
        steps = await self.store.favorite_steps(user_id)
        return await listed(map(translate.step_as_it_is, steps))

    @override
    async def set_step_favorite(self, step_dict: StepDict, favorite: bool) -> StepDict:
        """Star a step at once, also from a chat without a first message; the dict with its new
        metadata.
        """
        metadata = {**(step_dict.get("metadata") or {}), "favorite": favorite}
        starred: StepDict = {**step_dict, "metadata": metadata}
        if await self.store.set_favorite(step_dict["id"], favorite) is None:
            await self.update_step(starred)
        return starred

    # Threads

    @override
    async def get_thread_author(self, thread_id: str) -> str:
        """The owner's identifier; empty, as Chainlit's "not found", where there is no thread or
        nobody owns it.
        """
        return await self.store.thread_author(thread_id) or ""

    @override
    async def delete_thread(self, thread_id: str) -> None:
        await self.store.delete_thread(thread_id)

    @override
    async def list_threads(
        self, pagination: Pagination, filters: ThreadFilter
    ) -> PaginatedResponse[ThreadDict]:
        """A page by last activity, newest first; ``createdAt`` is that activity, for the page sorts
        by it again.
        """
        if not filters.userId:
            raise InvalidInputError("A list of threads is one user's; give filters.userId.")
        page = await self.store.list_threads(
            filters.userId,
            first=min(pagination.first, self._most_per_page),
            cursor=pagination.cursor,
            search=filters.search,
            feedback=filters.feedback,
        )
        info = PageInfo(
            hasNextPage=page.next_cursor is not None,
            startCursor=pagination.cursor,
            endCursor=page.next_cursor,
        )
        return PaginatedResponse(
            pageInfo=info, data=[translate.thread_to_list_entry(thread) for thread in page.items]
        )

    @override
    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        content = await self.store.thread_values(thread_id)
        if content is None:
            return None
        elements = await each_made(content.elements, self._shown)
        steps = await listed(translate.steps_to_chainlit(content.steps))
        return translate.thread_to_chainlit(content.thread, steps, elements)

    @override
    async def update_thread(
        self,
        thread_id: str,
        name: str | None = None,
        user_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        tags: list[str] | None = None,
    ) -> None:
        """Make the thread or set what is given; metadata merges, and an owner is set once.

        A name that comes with a user replaces none: so a session names its thread after the first
        message, again after each restart. One that comes alone does: so a user renames a thread,
        and an app gives it a title.
        """
        caller = current_caller()
        own = caller is not None and caller.thread_id == thread_id
        place = current_place(self._place_of) if own else Place()
        try:
            await self.store.update_thread(
                thread_id,
                name=name,
                keep_name=user_id is not None or (caller is not None and caller.user_id is None),
                user_id=user_id,
                user_identifier=caller.identifier if caller is not None and own else None,
                org=place.org,
                product=place.product,
                tags=tags,
                metadata=translate.metadata_from_chainlit(
                    metadata, from_session=caller is not None
                ),
            )
        except ChainkeepError:
            if caller is None:
                raise
            # Raised at a disconnect it would keep Chainlit from ever clearing the session away.
            logger.info("Thread %s was not updated; the reason is logged above.", thread_id)


def _voter() -> Caller | None:
    # Chainlit's feedback routes have no chat context, and hand over no identity.
    identifier = known_caller()
    return None if identifier is None else Caller(thread_id=None, identifier=identifier)
