"""To which organisation and product a chat belongs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chainlit.context import context_var
from chainlit.user import User

__all__ = ["Place", "PlaceOf", "current_place", "usual_place"]


class Place(NamedTuple):
    """Where a thread belongs; None for nowhere."""

    org: str | None = None
    product: str | None = None


PlaceOf = Callable[[User | None, str | None], Place | tuple[str | None, str | None]]
"""The place of a chat, by who talks and in which chat profile."""


def usual_place(user: User | None, chat_profile: str | None) -> Place:
    """The ``org_id`` in the user's metadata as organisation, and the chat profile as product."""
    org = (user.metadata or {}).get("org_id") if user is not None else None
    return Place(None if org is None else str(org), chat_profile or None)


def current_place(place_of: PlaceOf) -> Place:
    """The place of the chat that the running code is in; nowhere outside any chat."""
    context = context_var.get(None)
    if context is None:
        return Place()
    return Place(*place_of(context.session.user, context.session.chat_profile))
