"""An element's life in Chainlit's own SQLAlchemyDataLayer, its bytes in ``S3StorageClient``.

A program of its own, since Chainlit makes files where it is imported. Arguments: a SQLite file, the
server's URL, access key, secret key and bucket. Prints as JSON what the layer gave.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from contextlib import closing

from chainlit.context import init_http_context
from chainlit.data.sql_alchemy import SQLAlchemyDataLayer
from chainlit.element import Text

from chainkeep.blobs.s3 import S3Blobs
from chainkeep.chainlit.storage import S3StorageClient

TABLES = """
CREATE TABLE users (id TEXT, identifier TEXT, "createdAt" TEXT, metadata TEXT);
CREATE TABLE threads (id TEXT, "createdAt" TEXT, name TEXT, "userId" TEXT, "userIdentifier" TEXT);
CREATE TABLE elements (
    id TEXT PRIMARY KEY, "threadId" TEXT, type TEXT, "chainlitKey" TEXT, url TEXT,
    "objectKey" TEXT, name TEXT, display TEXT, size TEXT, language TEXT, page INTEGER,
    "autoPlay" TEXT, "playerConfig" TEXT, "forId" TEXT, mime TEXT, props TEXT DEFAULT '{}'
);
INSERT INTO threads (id, "userId", "userIdentifier") VALUES ('thread', 'alice', 'alice');
"""


async def listed(blobs: S3Blobs) -> list[str]:
    keys = blobs.keys()
    return [key async for key in keys]


async def main(database: str, url: str, access_key: str, secret_key: str, bucket: str) -> None:
    options = {"endpoint_url": url, "access_key": access_key, "secret_key": secret_key}
    storage = S3StorageClient(bucket, **options)  # type: ignore[arg-type]
    layer = SQLAlchemyDataLayer(f"sqlite+aiosqlite:///{database}", storage_provider=storage)
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(TABLES)
    init_http_context(thread_id="thread")
    element = Text(name="Grüße.txt", content="bytes", for_id="step", thread_id="thread")
    element.mime = "text/plain"

    await layer.create_element(element)
    stored = await layer.get_element("thread", element.id)
    looking = S3Blobs(bucket, **options)  # type: ignore[arg-type]
    keys = await listed(looking)
    content = b"".join([piece async for piece in looking.stream(keys[0])])
    await layer.delete_element(element.id)
    left = await listed(looking)
    await looking.close()
    await layer.close()
    gave = {"stored": stored, "keys": keys, "content": content.decode(), "left": left}
    sys.stdout.write(json.dumps(gave))


asyncio.run(main(*sys.argv[1:]))
