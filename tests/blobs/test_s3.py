from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from chainkeep.blobs.keys import element_key
from chainkeep.blobs.s3 import S3Blobs
from chainkeep.errors import (
    BlobError,
    BlobNotFoundError,
    InvalidInputError,
    TransientBlobError,
)
from tests.blobs.conftest import MakeS3
from tests.blobs.contract import KEY, OTHER_KEY, fetch, listed, put, read, signed
from tests.support.faulty_network import proxy_before, silent_server
from tests.support.s3 import SECRET_KEY, S3Server, free_port


class TestFaults:
    async def test_a_store_that_is_down_may_come_back(self) -> None:
        blobs = unreachable(f"http://127.0.0.1:{free_port()}")

        with pytest.raises(TransientBlobError, match="out of reach"):
            await put(blobs, b"bytes")
        with pytest.raises(TransientBlobError):
            await read(blobs)
        with pytest.raises(TransientBlobError):
            await listed(blobs)
        await blobs.close()

    async def test_what_was_not_deleted_is_named(self) -> None:
        blobs = unreachable(f"http://127.0.0.1:{free_port()}")

        with pytest.raises(TransientBlobError) as failed:
            await blobs.delete([KEY, OTHER_KEY])

        assert KEY in str(failed.value)
        assert OTHER_KEY in str(failed.value)
        await blobs.close()

    async def test_a_store_that_does_not_answer_is_given_up(self) -> None:
        with silent_server() as url:
            blobs = unreachable(url)
            began = time.monotonic()
            with pytest.raises(TransientBlobError):
                await put(blobs, b"bytes")
            await blobs.close()

        assert time.monotonic() - began < 10

    async def test_an_upload_that_is_cut_stores_nothing(
        self, make_s3: MakeS3, nanio: S3Server
    ) -> None:
        async with proxy_before(nanio.port) as proxy:
            blobs = make_s3(endpoint_url=proxy.url, multipart_threshold=10**9)
            proxy.cut_after = 1_000_000
            with pytest.raises(TransientBlobError):
                await put(blobs, b"x" * 4_000_000)

        assert proxy.cuts > 0
        with pytest.raises(BlobNotFoundError):
            await make_s3().info(KEY)

    async def test_an_upload_in_parts_that_is_cut_stores_nothing(
        self, make_s3: MakeS3, nanio: S3Server, tmp_path: Path
    ) -> None:
        source = large_file(tmp_path, 12)
        async with proxy_before(nanio.port) as proxy:
            blobs = make_s3(endpoint_url=proxy.url, **IN_PARTS)
            proxy.cut_after = 6 * 1024 * 1024
            with pytest.raises(TransientBlobError):
                await put(blobs, source)

        assert proxy.cuts > 0
        with pytest.raises(BlobNotFoundError):
            await make_s3().info(KEY)

    async def test_a_reading_that_is_cut_is_no_shorter_blob(
        self, make_s3: MakeS3, nanio: S3Server
    ) -> None:
        await put(make_s3(), b"x" * 8_000_000)
        async with proxy_before(nanio.port) as proxy:
            pieces = make_s3(endpoint_url=proxy.url).stream(KEY)
            await anext(pieces)
            proxy.cut()
            with pytest.raises(TransientBlobError):
                async for _ in pieces:
                    pass

    async def test_wrong_keys_are_told_with_what_to_check(self, make_s3: MakeS3) -> None:
        with pytest.raises(BlobError, match="check the access key and the secret key") as failed:
            await put(make_s3(secret_key="another-secret"), b"bytes")

        assert not isinstance(failed.value, TransientBlobError)
        assert KEY in str(failed.value)

    async def test_no_secret_is_in_an_error(self, make_s3: MakeS3) -> None:
        with pytest.raises(BlobError) as failed:
            await put(make_s3(access_key="another-key"), b"bytes")

        assert SECRET_KEY not in f"{failed.value!r} {failed.value.__cause__!r}"

    def test_no_secret_is_in_what_a_store_prints(self, nanio: S3Server) -> None:
        assert SECRET_KEY not in repr(S3Blobs("bucket", **nanio.options()))

    async def test_a_missing_bucket_is_named_as_such(self, nanio: S3Server) -> None:
        blobs = S3Blobs("no-such-bucket", **nanio.options())

        with pytest.raises(BlobError, match="make the bucket") as failed:
            await read(blobs)

        assert not isinstance(failed.value, BlobNotFoundError)
        await blobs.close()

    async def test_without_credentials_it_says_where_to_put_them(
        self, nanio: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        blobs = S3Blobs("bucket", endpoint_url=nanio.url)

        with pytest.raises(BlobError, match="AWS_ACCESS_KEY_ID"):
            await put(blobs, b"bytes")
        await blobs.close()

    def test_without_boto3_it_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "boto3", None)

        with pytest.raises(BlobError, match=r"chainkeep\[s3\]"):
            S3Blobs("bucket")

    async def test_a_closed_store_says_so(self, make_s3: MakeS3) -> None:
        blobs = make_s3()
        await put(blobs, b"bytes")
        await blobs.close()

        with pytest.raises(BlobError, match="closed"):
            await read(blobs)

    async def test_making_a_store_reaches_nothing(self) -> None:
        blobs = S3Blobs("bucket", endpoint_url="http://127.0.0.1:9")

        await blobs.close()


class TestTheBucket:
    async def test_what_is_beside_the_prefix_is_not_ours(self, make_s3: MakeS3) -> None:
        ours, others = make_s3(prefix="ours"), make_s3(prefix="others")
        await put(ours, b"ours")
        await put(others, b"others")
        await ours.delete([KEY])

        assert await read(others) == b"others"
        assert await listed(ours) == set()

    async def test_a_prefix_is_a_folder(self, make_s3: MakeS3) -> None:
        await put(make_s3(prefix="/a/b/"), b"bytes")

        assert await listed(make_s3()) == {f"a/b/{KEY}"}

    async def test_keys_of_other_data_layers_are_kept_as_they_are(self, s3: S3Blobs) -> None:
        key = "user@example.com/1234/Grüße 100%.txt"
        await put(s3, b"bytes", key)

        assert await read(s3, key) == b"bytes"
        assert await listed(s3) == {key}
        assert (await fetch(await signed(s3, key))).content == b"bytes"

    async def test_more_keys_are_listed_than_fit_a_page(self, moto: S3Server) -> None:
        blobs = S3Blobs(moto.make_bucket(), **moto.options())
        keys = {element_key("thread", str(number)) for number in range(1_001)}
        await asyncio.gather(*(put(blobs, b"", key) for key in keys))

        assert await listed(blobs) == keys
        await blobs.delete(sorted(keys))
        assert await listed(blobs) == set()
        await blobs.close()

    async def test_a_server_without_batch_deletion_is_served_one_by_one(
        self, s3: S3Blobs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await put(s3, b"one")
        await put(s3, b"two", OTHER_KEY)
        client = s3._bucket()._client
        asked: list[str] = []

        def refuse(**_: Any) -> None:
            asked.append("batch")
            raise ValueError("no such operation")

        monkeypatch.setattr(client, "delete_objects", refuse)
        await s3.delete([KEY, OTHER_KEY])
        await s3.delete([KEY, OTHER_KEY])

        assert await listed(s3) == set()
        assert asked == ["batch"]

    async def test_encryption_is_asked_for(self, moto: S3Server) -> None:
        blobs = S3Blobs(moto.make_bucket(), sse="AES256", **moto.options())
        await put(blobs, b"bytes")

        answer = await fetch(await signed(blobs))

        assert answer.headers["x-amz-server-side-encryption"] == "AES256"
        await blobs.close()

    async def test_a_type_that_is_none_is_stored_as_unknown_bytes(self, s3: S3Blobs) -> None:
        await s3.put(KEY, b"bytes", content_type="text/html\r\nX-Injected: yes")

        answer = await fetch(await s3.get_read_url(KEY))

        assert answer.headers["content-type"] == "application/octet-stream"
        assert "x-injected" not in answer.headers


class TestParts:
    async def test_a_large_file_comes_back_as_it_was(self, make_s3: MakeS3, tmp_path: Path) -> None:
        blobs, source = make_s3(**IN_PARTS), large_file(tmp_path, 12)
        await put(blobs, source)

        assert (await blobs.info(KEY)).etag.endswith("-3")
        assert await read(blobs) == source.read_bytes()

    async def test_large_bytes_do_too(self, make_s3: MakeS3) -> None:
        blobs, content = make_s3(**IN_PARTS), bytes(range(256)) * 50_000
        await put(blobs, content)

        assert await read(blobs) == content


class TestAddresses:
    def test_an_address_says_it_all(self) -> None:
        blobs = S3Blobs.from_url(
            "s3://bucket/a/prefix?endpoint_url=http://127.0.0.1:9000&region=eu-central-1"
            "&public_endpoint_url=https%3A%2F%2Ffiles.example.com&path_style=false&sse=AES256"
            "&url_expiry_seconds=60"
        )

        assert (blobs.bucket, blobs.prefix) == ("bucket", "a/prefix/")
        assert (blobs.endpoint_url, blobs.region) == ("http://127.0.0.1:9000", "eu-central-1")
        assert blobs.public_endpoint_url == "https://files.example.com"
        assert (blobs.path_style, blobs.sse, blobs.url_expiry_seconds) == (False, "AES256", 60)

    def test_path_style_goes_with_an_endpoint(self) -> None:
        assert S3Blobs.from_url("s3://bucket?endpoint_url=http://127.0.0.1:9000").path_style is True
        assert S3Blobs.from_url("s3://bucket").path_style is False

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("s3://", "bucket is needed"),
            ("s3://bucket?colour=blue", "colour"),
            ("s3://bucket?max_workers=many", "max_workers"),
            ("s3://bucket?path_style=maybe", "path_style"),
            ("gs://bucket", "s3://bucket/prefix"),
            ("s3://key:hush@bucket", "AWS_ACCESS_KEY_ID"),
            ("s3://bucket?secret_key=hush", "secret_key"),
        ],
    )
    def test_an_address_that_cannot_be_meant_is_refused(self, url: str, message: str) -> None:
        with pytest.raises(InvalidInputError, match=message) as refused:
            S3Blobs.from_url(url)

        assert "hush" not in str(refused.value)

    def test_half_a_pair_of_keys_is_refused(self) -> None:
        with pytest.raises(InvalidInputError, match="secret_key"):
            S3Blobs("bucket", access_key="alone")


IN_PARTS = {"multipart_threshold": 5 * 1024 * 1024, "multipart_part_size": 5 * 1024 * 1024}


def unreachable(url: str) -> S3Blobs:
    return S3Blobs(
        "bucket",
        endpoint_url=url,
        access_key="key",
        secret_key="secret",
        connect_timeout=1,
        read_timeout=1,
        max_attempts=1,
    )


def large_file(directory: Path, mebibytes: int) -> Path:
    path = directory / "large"
    path.write_bytes(bytes(range(256)) * 4096 * mebibytes)
    return path
