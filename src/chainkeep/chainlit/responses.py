"""A blob as an HTTP response: whole, in part, or not at all where the client has it already."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from hashlib import sha256
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from chainkeep.blobs import BlobInfo, Blobs
from chainkeep.chainlit.ranges import Answer, answer_to
from chainkeep.errors import UnreadableBlobsError
from chainkeep.presentation import ElementBlob, Presentation, presentation


async def blob_response(request: Request, blobs: Blobs, blob: ElementBlob) -> Response:
    """The response to a GET or HEAD: a redirect to the store where that will do, or else the bytes.

    Errors of the store are raised as they are, and never after the response has begun but when the
    store fails in the middle of a blob; the connection is then broken off, so that what arrived
    does not pass for the whole.
    """
    shown = presentation(blob)
    # A presigned URL is signed for GET and answers a HEAD with 403.
    if shown.redirects and request.method == "GET" and blob.content is None:
        redirect = await _redirect(blobs, blob, shown)
        if redirect is not None:
            return redirect
    try:
        return await _sent_from_here(request, blobs, blob, shown)
    except UnreadableBlobsError:
        redirect = await _redirect(blobs, blob, shown)
        if redirect is None:
            raise
        return redirect


async def _redirect(blobs: Blobs, blob: ElementBlob, shown: Presentation) -> Response | None:
    url = await blobs.url(blob.key, content_type=shown.content_type, disposition=shown.disposition)
    return None if url is None else RedirectResponse(url, 307, {"Cache-Control": "no-store"})


async def _sent_from_here(
    request: Request, blobs: Blobs, blob: ElementBlob, shown: Presentation
) -> Response:
    info = await blobs.info(blob.key) if blob.content is None else _info(blob.content)
    # Weak where the gzip middleware may change the bytes on their way.
    etag = f'W/"{info.etag}"' if shown.compressible else f'"{info.etag}"'
    answer = answer_to(request.headers, etag=etag, size=info.size)
    headers = {"ETag": etag, **_headers(shown), **_extent(answer, info, shown)}
    if request.method == "HEAD" or not answer.part:
        return Response(status_code=answer.status, headers=headers)
    start, end = answer.part.start, answer.part.stop
    if blob.content is not None:
        return Response(blob.content[start:end], answer.status, headers)
    stream = await _begun(blobs.stream(blob.key, start=start, end=end))
    return StreamingResponse(stream, answer.status, headers)


def _info(content: bytes) -> BlobInfo:
    return BlobInfo(size=len(content), etag=sha256(content).hexdigest())


def _headers(shown: Presentation) -> dict[str, str]:
    return {
        "Content-Type": shown.content_type,
        "Content-Disposition": shown.disposition,
        "Content-Security-Policy": shown.policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": shown.cache_control,
        # After another login in the same browser a cached answer is nobody's any more.
        "Vary": "Cookie, Authorization",
        "Accept-Ranges": "bytes",
    }


def _extent(answer: Answer, info: BlobInfo, shown: Presentation) -> dict[str, str]:
    if answer.status is HTTPStatus.NOT_MODIFIED:
        return {}
    extent = {"Content-Length": str(len(answer.part))}
    if answer.status is HTTPStatus.PARTIAL_CONTENT:
        extent["Content-Range"] = f"bytes {answer.part.start}-{answer.part.stop - 1}/{info.size}"
    if answer.status is HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        extent["Content-Range"] = f"bytes */{info.size}"
    if answer.status is not HTTPStatus.OK or not shown.compressible:
        # Says that the bytes are as they are, which keeps the gzip middleware's hands off them.
        extent["Content-Encoding"] = "identity"
    return extent


async def _begun(stream: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    # The first piece is awaited here, so that a failure to open the blob can still become a status.
    first = await anext(stream, b"")

    async def pieces() -> AsyncIterator[bytes]:
        async with aclosing(stream):
            yield first
            async for piece in stream:
                yield piece

    return pieces()
