"""One bucket, through boto3. Everything here blocks; worker threads call it, several at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from chainkeep.blobs import BlobInfo, BlobSource
from chainkeep.blobs.files import PIECE_SIZE, disk_errors
from chainkeep.blobs.s3.faults import s3_errors
from chainkeep.blobs.s3.headers import ascii_disposition, media_type
from chainkeep.blobs.s3.options import S3Options
from chainkeep.errors import BlobError, BlobNotFoundError, TransientBlobError
from chainkeep.paging import portions

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["Body", "Bucket"]

_BATCH = 1000  # S3's own limit


class Body(Protocol):
    """The bytes of an answer, as they arrive."""

    def read(self, amt: int, /) -> bytes: ...

    def close(self) -> None: ...


class Bucket:
    """Made in a worker thread: loading boto3's model of S3 takes a good part of a second."""

    def __init__(self, options: S3Options) -> None:
        self._options = options
        self._transfer = TransferConfig(
            multipart_threshold=options.multipart_threshold,
            multipart_chunksize=options.multipart_part_size,
            preferred_transfer_client="classic",
            use_threads=False,  # The workers are the threads, and their number the limit.
        )
        session = boto3.Session(
            aws_access_key_id=options.access_key,
            aws_secret_access_key=options.secret_key,
            aws_session_token=options.session_token,
        )
        self._client = _connect(session, options, options.endpoint_url)
        public = options.public_endpoint_url
        self._signer = _connect(session, options, public) if public else self._client
        self._deletes_batches = True

    def put(self, key: str, source: BlobSource, content_type: str, disposition: str | None) -> None:
        extra = {"ContentType": media_type(content_type)} | _given(
            ContentDisposition=disposition and ascii_disposition(disposition),
            ServerSideEncryption=self._options.sse,
            SSEKMSKeyId=self._options.sse_kms_key_id,
        )
        with disk_errors(f"store blob {key}"):
            body = _opened(source)
        with body, s3_errors("store blob", key):
            self._client.upload_fileobj(
                body, self._options.bucket, self._name(key), extra, Config=self._transfer
            )

    def info(self, key: str) -> BlobInfo:
        with s3_errors("look up blob", key):
            head = self._client.head_object(Bucket=self._options.bucket, Key=self._name(key))
        return BlobInfo(size=head["ContentLength"], etag=head["ETag"].strip('"'))

    def open(self, key: str, start: int, end: int | None) -> Body:
        """The bytes ``[start, end)``, to be read with ``read`` and then closed."""
        if (start, end) == (0, None):
            with s3_errors("read blob", key):
                name = self._name(key)
                return self._client.get_object(Bucket=self._options.bucket, Key=name)["Body"]
        return self._open_range(key, start, end)

    def _open_range(self, key: str, start: int, end: int | None) -> Body:
        # Servers differ in what they answer to a range that holds nothing: it is never asked for.
        size = self.info(key).size
        last = min(size, size if end is None else end) - 1
        if last < start:
            return io.BytesIO()
        with s3_errors("read blob", key):
            return self._client.get_object(
                Bucket=self._options.bucket, Key=self._name(key), Range=f"bytes={start}-{last}"
            )["Body"]

    @staticmethod
    def read(body: Body, key: str) -> bytes:
        """The next piece, empty at the end."""
        with s3_errors("read blob", key):
            return body.read(PIECE_SIZE)

    def delete(self, keys: Sequence[str]) -> None:
        """Remove blobs, in batches of 1000; those that remain are named in the error."""
        faults: dict[str, BlobError] = {}
        for batch in portions(keys, _BATCH):
            faults |= self._delete_batch(batch)
        if faults:
            cause = next(iter(faults.values()))
            raise type(cause)(f"{cause} Not deleted: {', '.join(faults)}") from cause

    def _delete_batch(self, keys: Sequence[str]) -> dict[str, BlobError]:
        if len(keys) == 1 or not self._deletes_batches:
            return self._delete_each(keys)
        names = {self._name(key): key for key in keys}
        try:
            with s3_errors("delete", f"{len(keys)} blobs"):
                answer = self._client.delete_objects(
                    Bucket=self._options.bucket,
                    Delete={"Objects": [{"Key": name} for name in names], "Quiet": True},
                )
        except TransientBlobError as error:
            return dict.fromkeys(keys, error)
        except BlobError:
            # Some servers have no batch deletion, or want a checksum that boto3 no longer sends.
            self._deletes_batches = False
            return self._delete_each(keys)
        return self._delete_each([names[error["Key"]] for error in answer.get("Errors", [])])

    def _delete_each(self, keys: Sequence[str]) -> dict[str, BlobError]:
        faults = ((key, self._delete_one(key)) for key in keys)
        return {key: fault for key, fault in faults if fault}

    def _delete_one(self, key: str) -> BlobError | None:
        try:
            with s3_errors("delete blob", key):
                self._client.delete_object(Bucket=self._options.bucket, Key=self._name(key))
        except BlobNotFoundError:
            return None
        except BlobError as error:
            return error
        return None

    def sign(self, key: str, content_type: str | None, disposition: str | None) -> str:
        """A URL that reads the blob; type and disposition win over those it was stored with."""
        parameters = {"Bucket": self._options.bucket, "Key": self._name(key)} | _given(
            ResponseContentType=content_type and media_type(content_type),
            ResponseContentDisposition=disposition and ascii_disposition(disposition),
        )
        with s3_errors("sign the URL of blob", key):
            return self._signer.generate_presigned_url(
                "get_object", Params=parameters, ExpiresIn=self._options.url_expiry_seconds
            )

    def pages(self) -> Iterator[list[str]]:
        """The keys below the prefix, a page of at most 1000 at a time."""
        prefix = self._options.prefix
        paginator = self._client.get_paginator("list_objects_v2")
        with s3_errors("list blobs below", prefix or "/"):
            for page in paginator.paginate(Bucket=self._options.bucket, Prefix=prefix):
                yield [entry["Key"][len(prefix) :] for entry in page.get("Contents", [])]

    def close(self) -> None:
        """Close the idle connections; what is under way goes on."""
        self._client.close()
        self._signer.close()

    def _name(self, key: str) -> str:
        return self._options.prefix + key


def _connect(session: boto3.Session, options: S3Options, endpoint_url: str | None) -> S3Client:
    with s3_errors("reach bucket", options.bucket):
        return session.client(
            "s3",
            endpoint_url=endpoint_url,
            region_name=options.region or session.region_name or "us-east-1",
            config=_config(options),
        )


def _config(options: S3Options) -> Config:
    return Config(
        # boto3 signs URLs in an older way by default, which newer regions and servers refuse.
        signature_version="s3v4",
        s3={"addressing_style": "path" if options.path_style else "auto"},
        connect_timeout=options.connect_timeout,
        read_timeout=options.read_timeout,
        retries={"mode": "standard", "total_max_attempts": options.max_attempts},
        max_pool_connections=options.max_workers,
        # The checksums that boto3 adds of its own accord are refused by many other servers.
        request_checksum_calculation="when_required" if options.endpoint_url else "when_supported",
        response_checksum_validation="when_required" if options.endpoint_url else "when_supported",
        tcp_keepalive=True,
    )


def _opened(source: BlobSource) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _given(**headers: str | None) -> dict[str, Any]:
    return {name: value for name, value in headers.items() if value is not None}
