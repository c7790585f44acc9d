from __future__ import annotations

import asyncio
import itertools
import time
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from chainkeep.blobs.s3 import S3Blobs
from tests.blobs.conftest import MakeS3
from tests.blobs.contract import KEY, OTHER_KEY, fetch, put, signed
from tests.support.s3 import S3Server

NAME = "Grüße 🧵 “quoted”.txt"
ATTACHED = f"attachment; filename=\"Gr__e.txt\"; filename*=UTF-8''{quote(NAME, safe='')}"


async def first_other_status(url: str, status: int) -> int:
    give_up = time.monotonic() + 20
    for _ in itertools.takewhile(lambda _: time.monotonic() < give_up, itertools.count()):
        answer = await fetch(url)
        if answer.status_code != status:
            return answer.status_code
        await asyncio.sleep(0.1)
    return status


class TestSignedUrls:
    async def test_a_signed_url_reads_the_blob(self, s3: S3Blobs) -> None:
        await put(s3, b"bytes")

        answer = await fetch(await signed(s3))

        assert (answer.status_code, answer.content) == (200, b"bytes")

    async def test_a_signed_url_has_the_newer_signature(self, s3: S3Blobs) -> None:
        query = parse_qs(urlsplit(await signed(s3)).query)

        assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
        assert query["X-Amz-Expires"] == ["3600"]

    async def test_without_its_signature_the_url_reads_nothing(self, s3: S3Blobs) -> None:
        await put(s3, b"bytes")

        answer = await fetch((await signed(s3)).partition("?")[0])

        assert answer.status_code == 403

    async def test_the_signature_is_good_for_one_blob_only(self, s3: S3Blobs) -> None:
        await put(s3, b"bytes")
        await put(s3, b"others", OTHER_KEY)

        answer = await fetch((await signed(s3)).replace(KEY, OTHER_KEY))

        assert answer.status_code == 403

    async def test_a_tampered_signature_is_refused(self, s3: S3Blobs) -> None:
        await put(s3, b"bytes")
        url = await signed(s3)

        answer = await fetch(url[:-1] + ("0" if url[-1] != "0" else "1"))

        assert answer.status_code == 403

    async def test_a_signed_url_ends(self, make_s3: MakeS3) -> None:
        await put(make_s3(), b"bytes")
        brief, lasting = await signed(make_s3(url_expiry_seconds=1)), await signed(make_s3())

        assert await first_other_status(brief, 200) == 403
        assert (await fetch(lasting)).status_code == 200

    async def test_the_blob_has_the_type_it_was_stored_with(self, s3: S3Blobs) -> None:
        await s3.put(KEY, b"{}", content_type="application/json")

        answer = await fetch(await s3.get_read_url(KEY))

        assert answer.headers["content-type"] == "application/json"

    async def test_a_unicode_name_is_stored_with_the_blob(
        self, moto: S3Server, nanio: S3Server
    ) -> None:
        for server in (moto, nanio):
            blobs = S3Blobs(server.make_bucket(), **server.options())
            await blobs.put(KEY, b"bytes", content_type="text/plain", disposition=ATTACHED)
            assert (await fetch(await blobs.get_read_url(KEY))).status_code == 200
            await blobs.close()

    async def test_a_raw_unicode_name_is_encoded(self, moto: S3Server) -> None:
        blobs = S3Blobs(moto.make_bucket(), **moto.options())
        raw = 'attachment; filename="Grüße.txt"'
        await blobs.put(KEY, b"bytes", content_type="text/plain", disposition=raw)

        answer = await fetch(await blobs.get_read_url(KEY))

        expected = "attachment; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt"
        assert answer.headers["content-disposition"] == expected
        await blobs.close()

    async def test_the_url_may_ask_for_another_type_and_name(self, moto: S3Server) -> None:
        blobs = S3Blobs(moto.make_bucket(), **moto.options())
        await blobs.put(KEY, b"bytes", content_type="text/html")

        answer = await fetch(await signed(blobs, disposition=ATTACHED))

        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.headers["content-disposition"] == ATTACHED
        await blobs.close()

    async def test_it_leads_to_the_public_address(self, make_s3: MakeS3, nanio: S3Server) -> None:
        public = f"http://localhost:{nanio.port}"
        blobs = make_s3(public_endpoint_url=public)
        await put(blobs, b"bytes")

        url = await signed(blobs)

        assert url.startswith(f"{public}/")
        assert (await fetch(url)).content == b"bytes"

    def test_no_url_is_good_for_more_than_seven_days(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert S3Blobs("bucket", url_expiry_seconds=10**7).url_expiry_seconds == 7 * 24 * 60 * 60
        assert "7 days" in caplog.text
