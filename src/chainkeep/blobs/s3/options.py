"""What can be said about a bucket."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import Self

from chainkeep.errors import InvalidInputError

__all__ = ["S3Options"]

logger = logging.getLogger("chainkeep.blobs")

MEBIBYTE = 1024 * 1024
LONGEST_URL_EXPIRY = 7 * 24 * 60 * 60


def _yes_or_no(word: str) -> bool:
    if word.lower() not in {"true", "false", "1", "0", "yes", "no"}:
        raise ValueError
    return word.lower() in {"true", "1", "yes"}


_IN_A_URL: dict[str, Callable[[str], Any]] = {
    "connect_timeout": float,
    "endpoint_url": str,
    "max_attempts": int,
    "max_workers": int,
    "multipart_part_size": int,
    "multipart_threshold": int,
    "path_style": _yes_or_no,
    "public_endpoint_url": str,
    "read_timeout": float,
    "region": str,
    "sse": str,
    "sse_kms_key_id": str,
    "url_expiry_seconds": int,
}


@dataclass(eq=False)
class S3Options:
    """A bucket and how to reach it. Only the bucket must be given."""

    bucket: str
    _: KW_ONLY
    prefix: str = ""
    """Put before every key, with a ``/`` between; what else is in the bucket is left alone."""
    endpoint_url: str | None = None
    """Where the store listens, if it is not Amazon's."""
    public_endpoint_url: str | None = None
    """Where browsers reach the store, if that is elsewhere; signed URLs lead there."""
    region: str | None = None
    """Else from the environment or boto3's configuration, else ``us-east-1``."""
    access_key: str | None = field(default=None, repr=False)
    """With ``secret_key``; without both, boto3 finds credentials itself, such as a role's."""
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    """Goes with keys that expire."""
    path_style: bool | None = None
    """``host/bucket/key`` rather than ``bucket.host/key``; None means: with an ``endpoint_url``."""
    sse: str | None = None
    """Server-side encryption to ask for: ``AES256`` or ``aws:kms``."""
    sse_kms_key_id: str | None = None
    """The key for ``aws:kms``, if it is not the account's own."""
    url_expiry_seconds: int = 3600
    """How long a signed URL is good for. At most 7 days, which is the signature's own limit; more
    is cut to that, with a warning. URLs signed with a role end with the role's session if earlier.
    """
    max_workers: int = 8
    """Threads, and so requests at a time."""
    multipart_threshold: int = 16 * MEBIBYTE
    """Bytes from which a blob is sent in parts."""
    multipart_part_size: int = 8 * MEBIBYTE
    """Bytes of a part, of which one per upload is in memory; S3 wants no less than 5 MiB."""
    connect_timeout: float = 5
    """Seconds."""
    read_timeout: float = 30
    """Seconds without an answer, or without a byte of it."""
    max_attempts: int = 3
    """How often boto3 itself tries a request before it is reported as failed."""

    def __post_init__(self) -> None:
        if not self.bucket:
            raise InvalidInputError("A bucket is needed: s3://bucket/prefix")
        if (self.access_key is None) != (self.secret_key is None):
            raise InvalidInputError("Give access_key and secret_key, or neither of them.")
        self.prefix = f"{self.prefix.strip('/')}/" if self.prefix.strip("/") else ""
        self.path_style = bool(self.endpoint_url) if self.path_style is None else self.path_style
        if self.url_expiry_seconds > LONGEST_URL_EXPIRY:
            logger.warning("url_expiry_seconds is cut to 7 days: no signature is good for longer.")
            self.url_expiry_seconds = LONGEST_URL_EXPIRY

    @classmethod
    def from_url(cls, url: str) -> Self:
        """``s3://bucket/prefix?endpoint_url=…&region=…``, with any option but the credentials.

        Those come from ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY`` or wherever boto3 finds
        them. ``InvalidInputError`` never repeats the URL.
        """
        parts = urlsplit(url)
        if parts.scheme != "s3":
            raise InvalidInputError("The address of a bucket reads s3://bucket/prefix?region=…")
        if "@" in parts.netloc:
            raise InvalidInputError(
                "Credentials do not belong in the address of a bucket; set AWS_ACCESS_KEY_ID"
                " and AWS_SECRET_ACCESS_KEY instead."
            )
        options = dict(_option(*pair) for pair in parse_qsl(parts.query))
        return cls(parts.netloc, prefix=parts.path, **options)


def _option(name: str, word: str) -> tuple[str, Any]:
    if name not in _IN_A_URL:
        raise InvalidInputError(
            f"{name!r} cannot be said in the address of a bucket; these can: "
            + ", ".join(sorted(_IN_A_URL))
        )
    try:
        return name, _IN_A_URL[name](word)
    except ValueError as error:
        raise InvalidInputError(f"The value of {name} is not of the right kind.") from error
