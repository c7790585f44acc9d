from __future__ import annotations

from pathlib import Path

import pytest

from chainkeep.blobs.local import LocalBlobs
from chainkeep.blobs.open import open_blobs
from chainkeep.blobs.outbox import Outbox
from chainkeep.errors import InvalidInputError


def directory_of(url: str) -> Path:
    blobs = open_blobs(url, spool=Path("spool"))
    assert isinstance(blobs, LocalBlobs)
    return blobs.directory


@pytest.mark.parametrize(
    "url", ["file:///srv/my%20blobs", "/srv/my blobs", "file://localhost/srv/my%20blobs"]
)
def test_an_absolute_directory(url: str) -> None:
    assert directory_of(url) == Path("/srv/my blobs")


@pytest.mark.parametrize("url", ["file:data/blobs", "data/blobs", "./data/blobs"])
def test_a_directory_below_the_current_one(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/tmp")  # noqa: S108

    assert directory_of(url) == Path("/tmp/data/blobs")  # noqa: S108


def test_a_plain_path_is_taken_as_it_is() -> None:
    assert directory_of("/srv/50%20#1?") == Path("/srv/50%20#1?")


def test_a_bucket_comes_with_an_outbox(tmp_path: Path) -> None:
    blobs = open_blobs("s3://bucket/prefix?region=eu-central-1", spool=tmp_path / "spool")

    assert isinstance(blobs, Outbox)
    assert not (tmp_path / "spool").exists()


@pytest.mark.parametrize("url", ["", "gs://bucket", "http://key:hush@host/", "file://host/path"])
def test_an_address_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        open_blobs(url, spool=Path("spool"))

    assert "hush" not in str(refused.value)
