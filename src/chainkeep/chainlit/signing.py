"""Signatures that let an element's URL work without a login until it expires.

A signature is an HMAC-SHA256 over the thread, the element and the moment of expiry, so that none of
the three can be exchanged for another. Pure functions but for the default clock.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Callable
from hashlib import sha256

_PROCESS_KEY = secrets.token_bytes(32)


def signing_key() -> bytes:
    """A key made from CHAINLIT_AUTH_SECRET or, where that is not set, one of this process alone.

    So several workers accept each other's URLs only if the secret is set.
    """
    secret = os.environ.get("CHAINLIT_AUTH_SECRET")
    # Derived: the same secret signs logins, and no signature of one kind may pass for the other.
    return (
        hmac.digest(secret.encode(), b"chainkeep element url", sha256) if secret else _PROCESS_KEY
    )


def sign(thread_id: str, element_id: str, *, expires: int, key: bytes) -> str:
    """The hexadecimal signature of an element's URL, good before ``expires`` (Unix seconds)."""
    # JSON keeps the three apart whatever characters the ids are made of.
    signed = json.dumps([thread_id, element_id, expires])
    return hmac.new(key, signed.encode(), sha256).hexdigest()


def verify(
    thread_id: str,
    element_id: str,
    *,
    expires: str,
    signature: str,
    key: bytes,
    clock: Callable[[], float] = time.time,
) -> bool:
    """Whether the signature was made for just this and has not expired; takes any text."""
    if not re.fullmatch(r"[0-9]{1,12}", expires):
        return False
    expected = sign(thread_id, element_id, expires=int(expires), key=key)
    given = signature.encode(errors="replace")
    return hmac.compare_digest(expected.encode(), given) and clock() < int(expires)
