"""Which threads somebody may see and change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chainkeep.errors import InvalidInputError

__all__ = ["EVERYTHING", "Scope"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Some of the threads: a user's, an organisation's, a product's, or what they have in common.

    Where no organisation is named they are the threads that have none, unless ``any_org``.
    """

    user: str | None = None
    """What the threads' owner logs in with."""
    org: str | None = None
    product: str | None = None
    any_org: bool = False

    def __post_init__(self) -> None:
        if self.any_org and self.org is not None:
            raise InvalidInputError(
                "A scope has one organisation or any of them: give one of both."
            )

    def binds(self) -> dict[str, Any]:
        """Its parts, by the names that statements have for them."""
        return {
            "owner": self.user,
            "org": self.org,
            "any_org": self.any_org,
            "product": self.product,
        }

    def lies_in(self, other: Scope) -> bool:
        """Whether all that is here is there too."""
        return (
            other.user in (None, self.user)
            and other.product in (None, self.product)
            and (other.any_org or (not self.any_org and self.org == other.org))
        )

    def narrowed(self, other: Scope) -> Scope | None:
        """What both have in common; None where that is nothing."""
        both = Scope(
            user=other.user if self.user is None else self.user,
            org=other.org if self.any_org else self.org,
            product=other.product if self.product is None else self.product,
            any_org=self.any_org and other.any_org,
        )
        return both if both.lies_in(other) else None


EVERYTHING = Scope(any_org=True)
"""Every thread there is."""
