from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from chainkeep.chainlit.route import element_url, signed_element_url
from tests.chainlit.apps.serving import SECRET, log_in, served, served_mounted

pytestmark = pytest.mark.e2e

ALICES = "alice's"
VIDEO = bytes(range(256)) * 1024


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[httpx.Client]:
    """An app with a login; a client that is not logged in."""
    with served(home) as client:
        yield client


@pytest.fixture(scope="module")
def alice(server: httpx.Client) -> Iterator[httpx.Client]:
    with log_in(server, "alice") as client:
        yield client


@pytest.fixture(scope="module")
def bob(server: httpx.Client) -> Iterator[httpx.Client]:
    with log_in(server, "bob") as client:
        yield client


@pytest.fixture(scope="module")
def signed(alice: httpx.Client) -> str:
    """An address that the app has signed for the picture in a thread of Alice's."""
    url: str = alice.get("/project/thread/shared/element/picture").json()["url"]
    return url


def read(
    client: httpx.Client, element: str, thread: str = ALICES, **headers: str
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(element_url(thread, element), headers=named)


def head(client: httpx.Client, element: str) -> httpx.Response:
    return client.head(element_url(ALICES, element))


class TestWhoMayRead:
    def test_the_author_reads_the_element(self, alice: httpx.Client):
        response = read(alice, "picture")
        assert (response.status_code, response.content) == (200, b"0123456789")

    def test_a_bearer_token_does_as_well_as_the_cookie(
        self, server: httpx.Client, alice: httpx.Client
    ):
        token = alice.cookies["access_token"]
        assert read(server, "picture", Authorization=f"Bearer {token}").status_code == 200

    def test_nobody_reads_without_a_login(self, server: httpx.Client):
        assert read(server, "picture").status_code == 401

    def test_without_a_login_a_shared_thread_is_as_closed_as_chainlit_keeps_it(
        self, server: httpx.Client
    ):
        assert read(server, "picture", "shared").status_code == 401
        assert server.get("/project/share/shared").status_code == 401

    def test_another_user_cannot_tell_the_element_from_one_that_does_not_exist(
        self, bob: httpx.Client
    ):
        foreign, absent = read(bob, "picture"), read(bob, "picture", "no such thread")
        assert (foreign.status_code, foreign.content) == (404, absent.content)
        assert absent.status_code == 404

    def test_a_shared_thread_is_read_by_other_users(self, bob: httpx.Client):
        assert read(bob, "picture", "shared").status_code == 200

    def test_the_app_may_let_a_user_view_a_thread(self, bob: httpx.Client, server: httpx.Client):
        assert read(bob, "picture", "bob's guests").status_code == 200
        with log_in(server, "carol") as carol:
            assert read(carol, "picture", "bob's guests").status_code == 404

    def test_an_element_that_does_not_exist_is_not_found(self, alice: httpx.Client):
        assert read(alice, "no such element").status_code == 404

    def test_an_address_without_ids_is_not_found(self, alice: httpx.Client):
        assert alice.get("/chainkeep/element").status_code == 404

    def test_a_refusal_is_not_cached(self, bob: httpx.Client):
        assert read(bob, "picture").headers["cache-control"] == "no-store"

    def test_ids_of_any_characters_are_found(self, alice: httpx.Client):
        assert read(alice, "a/ä?&=#+%", "t/ä?&=#+%").content == b"0123456789"

    def test_only_reading_is_possible(self, alice: httpx.Client):
        assert alice.post(element_url(ALICES, "picture")).status_code == 405


class TestFailures:
    def test_a_database_that_is_away_is_not_mistaken_for_a_missing_thread(
        self, alice: httpx.Client
    ):
        assert read(alice, "picture", "database away").status_code == 503

    def test_a_blob_store_that_is_away_is_not_mistaken_for_a_missing_blob(
        self, alice: httpx.Client
    ):
        assert read(alice, "away").status_code == 503

    def test_a_missing_blob_is_not_found_and_is_logged(self, alice: httpx.Client, home: Path):
        assert read(alice, "missing").status_code == 404
        assert "The blob of element 'missing' of thread \"alice's\"" in (home / "log").read_text()


class TestHeaders:
    def test_the_length_is_known_before_the_bytes(self, alice: httpx.Client):
        assert read(alice, "clip").headers["content-length"] == str(len(VIDEO))

    def test_head_tells_the_same_without_the_bytes(self, alice: httpx.Client):
        asked, got = head(alice, "clip"), read(alice, "clip")
        assert (asked.status_code, asked.content) == (200, b"")
        volatile = {"date"}
        assert {k: v for k, v in asked.headers.items() if k not in volatile} == {
            k: v for k, v in got.headers.items() if k not in volatile
        }

    def test_an_empty_blob_is_an_empty_answer(self, alice: httpx.Client):
        response = read(alice, "nothing")
        assert (response.status_code, response.headers["content-length"]) == (200, "0")

    def test_no_type_is_guessed_by_the_browser(self, alice: httpx.Client):
        assert read(alice, "picture").headers["x-content-type-options"] == "nosniff"

    def test_what_is_opened_on_its_own_is_sandboxed(self, alice: httpx.Client):
        assert "sandbox" in read(alice, "drawing").headers["content-security-policy"]

    def test_only_the_browser_itself_may_cache_and_only_for_this_login(self, alice: httpx.Client):
        headers = read(alice, "picture").headers
        assert headers["cache-control"].startswith("private")
        assert "Cookie" in headers["vary"]

    def test_an_upload_that_calls_itself_html_is_a_download_of_bytes(self, alice: httpx.Client):
        headers = read(alice, "page").headers
        assert headers["content-type"] == "application/octet-stream"
        assert headers["content-disposition"].startswith("attachment")

    def test_html_is_no_picture_either(self, alice: httpx.Client):
        assert read(alice, "trick").headers["content-type"] == "application/octet-stream"

    def test_a_name_of_any_characters_arrives_whole(self, alice: httpx.Client):
        assert read(alice, "umlaut").headers["content-disposition"] == (
            'attachment; filename="M_ller _x___.pdf"; '
            "filename*=UTF-8''M%C3%BCller%20%22x%22%0D%0A.pdf"
        )

    def test_a_plot_is_json_and_a_table_is_not(self, alice: httpx.Client):
        assert read(alice, "plot").headers["content-type"] == "application/json"
        assert read(alice, "table").headers["content-type"] == "text/plain; charset=utf-8"

    def test_text_may_be_compressed_on_the_way(self, alice: httpx.Client):
        response = read(alice, "plot", Accept_Encoding="gzip")
        assert response.headers["content-encoding"] == "gzip"
        assert response.json()["layout"]["title"] == "x" * 2000

    def test_a_recording_is_not_compressed_again(self, alice: httpx.Client):
        response = read(alice, "clip", Accept_Encoding="gzip")
        assert response.headers["content-encoding"] == "identity"
        assert response.headers["content-length"] == str(len(VIDEO))


class TestPartsAndVersions:
    @pytest.mark.parametrize(
        ("asked", "first", "last"),
        [
            ("bytes=0-99", 0, 99),
            ("bytes=262000-", 262000, 262143),
            ("bytes=-7", 262137, 262143),
            ("bytes=262140-999999", 262140, 262143),
            ("bytes=-999999", 0, 262143),
        ],
    )
    def test_a_range_gives_those_bytes(
        self, alice: httpx.Client, asked: str, first: int, last: int
    ):
        response = read(alice, "clip", Range=asked)
        assert response.status_code == 206
        assert response.headers["content-range"] == f"bytes {first}-{last}/262144"
        assert response.headers["content-length"] == str(last - first + 1)
        assert response.content == VIDEO[first : last + 1]

    @pytest.mark.parametrize("asked", ["bytes=262144-", "bytes=-0"])
    def test_a_range_past_the_end_cannot_be_satisfied(self, alice: httpx.Client, asked: str):
        response = read(alice, "clip", Range=asked)
        assert (response.status_code, response.content) == (416, b"")
        assert response.headers["content-range"] == "bytes */262144"

    @pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", ""])
    def test_a_range_that_says_nothing_we_serve_gives_the_whole(
        self, alice: httpx.Client, asked: str
    ):
        response = read(alice, "clip", Range=asked)
        assert (response.status_code, response.content) == (200, VIDEO)

    def test_a_part_of_a_text_is_sent_as_it_is(self, alice: httpx.Client):
        response = read(alice, "note", Range="bytes=0-7", Accept_Encoding="gzip")
        assert (response.status_code, response.content) == (206, b'{"data":')

    def test_if_range_of_this_version_gives_the_part(self, alice: httpx.Client):
        etag = head(alice, "clip").headers["etag"]
        assert read(alice, "clip", Range="bytes=0-9", If_Range=etag).status_code == 206

    def test_if_range_of_another_version_gives_the_whole(self, alice: httpx.Client):
        assert read(alice, "clip", Range="bytes=0-9", If_Range='"other"').status_code == 200

    def test_a_version_that_the_client_has_is_not_sent_again(self, alice: httpx.Client):
        etag = head(alice, "clip").headers["etag"]
        response = read(alice, "clip", If_None_Match=f'"other", {etag}')
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == etag

    def test_a_version_of_a_text_that_the_client_has_is_not_sent_again(self, alice: httpx.Client):
        etag = read(alice, "note", Accept_Encoding="gzip").headers["etag"]
        assert read(alice, "note", If_None_Match=etag).status_code == 304

    def test_a_foreign_user_does_not_learn_a_version(self, alice: httpx.Client, bob: httpx.Client):
        etag = head(alice, "clip").headers["etag"]
        assert read(bob, "clip", If_None_Match=etag).status_code == 404


class TestBytesKeptWithTheRow:
    def test_they_are_sent_as_a_blob_would_be(self, alice: httpx.Client):
        response = read(alice, "tasks")
        assert response.json() == {"tasks": []}
        assert response.headers["content-length"] == "13"

    def test_a_part_of_them_too(self, alice: httpx.Client):
        response = read(alice, "tasks", Range="bytes=2-6")
        assert (response.status_code, response.content) == (206, b"tasks")

    def test_a_version_that_the_client_has_is_not_sent_again(self, alice: httpx.Client):
        etag = head(alice, "tasks").headers["etag"]
        assert read(alice, "tasks", If_None_Match=etag).status_code == 304


class TestBlobsElsewhere:
    def test_a_picture_is_a_redirect_to_where_the_store_keeps_it(self, alice: httpx.Client):
        response = read(alice, "bucket picture")
        assert response.status_code == 307
        assert response.headers["location"].startswith("https://bucket.test/image/png/inline")
        assert response.headers["cache-control"] == "no-store"

    def test_what_scripts_fetch_is_sent_from_here(self, alice: httpx.Client):
        response = read(alice, "bucket note")
        assert (response.status_code, response.content) == (200, b"from the bucket")

    def test_head_is_answered_from_here(self, alice: httpx.Client):
        assert head(alice, "bucket picture").headers["content-length"] == "15"

    def test_a_foreign_user_is_not_redirected(self, bob: httpx.Client):
        assert read(bob, "bucket picture").status_code == 404


class TestSignedAddresses:
    def test_a_signed_address_needs_no_login(self, server: httpx.Client, signed: str):
        assert server.get(signed).content == b"0123456789"

    @pytest.mark.parametrize(
        "change",
        [
            {"id": "clip"},
            {"thread": ALICES},
            {"expires": "99999999999"},
            {"expires": "never"},
            {"signature": "ü"},
        ],
    )
    def test_a_changed_address_is_refused(
        self, server: httpx.Client, signed: str, change: dict[str, str]
    ):
        query = dict(parse_qsl(urlsplit(signed).query))
        assert server.get("/chainkeep/element", params=query | change).status_code == 403

    def test_an_expired_address_is_refused(
        self, server: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("CHAINLIT_AUTH_SECRET", SECRET)
        good, expired = (signed_element_url("shared", "picture", lifetime=s) for s in (60, -1))
        assert server.get(good).status_code == 200
        assert server.get(expired).status_code == 403

    def test_for_pages_of_other_sites_it_is_a_whole_url(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("CHAINLIT_URL", "https://chat.test/")
        assert signed_element_url("t", "e").startswith("https://chat.test/chainkeep/element?")

    def test_a_bad_signature_is_refused_even_to_the_author(self, alice: httpx.Client, signed: str):
        assert alice.get(signed + "0").status_code == 403


class TestWhereTheAppIs:
    def test_under_a_root_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        with served(tmp_path, root_path="/assistant") as server, log_in(server, "alice") as alice:
            monkeypatch.setenv("CHAINLIT_ROOT_PATH", "/assistant")
            address = element_url(ALICES, "picture")
            assert alice.get(alice.base_url.join(address)).content == b"0123456789"

    def test_mounted_in_an_app_that_imports_chainkeep_before_the_server(self, tmp_path: Path):
        with served_mounted(tmp_path) as server, log_in(server, "alice") as alice:
            assert read(alice, "picture").content == b"0123456789"
            signed = alice.get("/project/thread/shared/element/picture").json()["url"]
            assert signed.startswith("/behind/chat/chainkeep/element?")

    def test_without_logins_only_shared_threads_are_read(self, tmp_path: Path):
        with served(tmp_path, NO_LOGIN="1") as server:
            assert read(server, "picture", "shared").status_code == 200
            assert read(server, "picture").status_code == 401
