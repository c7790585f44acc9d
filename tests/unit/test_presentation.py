from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainkeep.presentation import (
    OPAQUE,
    ElementBlob,
    Presentation,
    content_disposition,
    presentation,
)

KINDS = [
    "image",
    "text",
    "pdf",
    "tasklist",
    "audio",
    "video",
    "file",
    "plotly",
    "dataframe",
    "custom",
]
ACTIVE = ["text/html", "application/xhtml+xml", "text/xml", "application/xml", "image/x+xml"]
ACTIVE += ["text/javascript", "application/javascript", "text/css", "multipart/x-mixed-replace"]


def shown(kind: str, mime: str | None = None, name: str = "name") -> Presentation:
    return presentation(ElementBlob(key="k", name=name, type=kind, mime=mime, display="inline"))


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("text", "text/plain; charset=utf-8"),
        ("dataframe", "text/plain; charset=utf-8"),
        ("plotly", "application/json"),
        ("tasklist", "application/json"),
        ("pdf", "application/pdf"),
    ],
)
@pytest.mark.parametrize("declared", [None, "application/json", "text/html"])
def test_a_kind_with_a_type_of_its_own_has_it_whatever_was_declared(
    kind: str, content_type: str, declared: str | None
):
    assert shown(kind, declared).content_type == content_type


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mime", ACTIVE)
def test_no_element_is_sent_as_a_type_that_a_browser_runs(kind: str, mime: str):
    passive = {"text/plain; charset=utf-8", "application/json", "application/pdf", OPAQUE}
    assert shown(kind, mime).content_type in passive


@pytest.mark.parametrize("kind", ["image", "audio", "video", "file", "custom", "something new"])
@pytest.mark.parametrize("mime", ACTIVE)
def test_what_a_browser_might_run_is_a_download_of_bytes(kind: str, mime: str):
    sent = shown(kind, mime)
    assert sent.content_type == OPAQUE
    assert sent.disposition.startswith("attachment")


@pytest.mark.parametrize(
    ("kind", "declared", "content_type"),
    [
        ("image", "image/png", "image/png"),
        ("image", "IMAGE/PNG", "image/png"),
        ("image", "image/svg+xml", "image/svg+xml"),
        ("audio", "audio/webm;codecs=opus", "audio/webm"),
        ("video", "video/x-matroska", "video/x-matroska"),
        ("file", "text/csv", "text/csv"),
        ("file", "image/png", "image/png"),
    ],
)
def test_a_passive_type_is_sent_as_it_was_declared(kind: str, declared: str, content_type: str):
    assert shown(kind, declared).content_type == content_type


@pytest.mark.parametrize(
    "mime", ["image/", "image/png\r\nX: y", "image", "video/a b", "audio/ü", "/"]
)
def test_what_is_no_type_is_not_sent_as_one(mime: str):
    assert shown("image", mime).content_type == OPAQUE


def test_an_undeclared_type_is_taken_from_the_name():
    assert shown("image", None, "chart.png").content_type == "image/png"
    assert shown("image", None, "page.html").content_type == OPAQUE


@pytest.mark.parametrize("kind", ["image", "audio", "video"])
def test_media_are_shown_in_place(kind: str):
    assert shown(kind, f"{kind}/x").disposition.startswith("inline")


@pytest.mark.parametrize("mime", ["image/png", "application/pdf", "text/plain"])
def test_a_file_is_always_a_download(mime: str):
    assert shown("file", mime).disposition.startswith("attachment")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_opened_on_its_own_loads_nothing_and_runs_nothing(kind: str):
    policy = shown(kind, "image/svg+xml").policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert kind == "pdf" or policy.startswith("sandbox;")


@pytest.mark.parametrize("mime", ["audio/wav", "video/mp4", "application/pdf"])
def test_what_the_browser_has_a_viewer_for_is_not_kept_from_it(mime: str):
    assert "sandbox" not in shown("file", mime).policy


@pytest.mark.parametrize("kind", ["image", "audio", "video", "file"])
def test_what_the_browser_loads_itself_may_come_from_elsewhere(kind: str):
    assert shown(kind).redirects


@pytest.mark.parametrize("kind", ["text", "pdf", "plotly", "dataframe", "tasklist"])
def test_what_scripts_fetch_must_come_from_here(kind: str):
    assert not shown(kind).redirects


@pytest.mark.parametrize("kind", ["tasklist", "custom"])
def test_what_changes_under_its_id_is_asked_for_again(kind: str):
    assert shown(kind).cache_control == "private, no-cache"


@given(name=st.text(), kind=st.text(), mime=st.none() | st.text())
def test_headers_are_ascii_on_one_line_whatever_was_uploaded(
    name: str, kind: str, mime: str | None
):
    sent = shown(kind, mime, name)
    assert (sent.content_type + sent.disposition).isascii()
    assert (sent.content_type + sent.disposition).isprintable()


@given(name=st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_name_comes_back_whole(name: str):
    header = content_disposition(name, inline=False)
    assert unquote(header.partition("; filename*=UTF-8''")[2]) == name


def test_an_element_without_a_name_offers_none():
    assert content_disposition("", inline=True) == "inline"
