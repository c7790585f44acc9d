"""What a search finds, before, while and after it is indexed; with trigrams and without."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from typing_extensions import override

from chainkeep.db import indexer, indexing, search_queries
from chainkeep.db.search import owner_mark
from chainkeep.errors import InvalidInputError
from chainkeep.folding import fold
from chainkeep.models import Feedback, Step
from chainkeep.store import Store
from chainkeep.values import readable_text, stored_text
from tests.store.conftest import OpenStore
from tests.store.searching import ADA, found, indexed, say
from tests.support.postgres import PostgresDatabases
from tests.support.waiting import eventually
from tests.threads.statements import statements_of

KINDS = ("sqlite", "postgresql", "postgresql with trigrams", "postgresql that knows no letters")


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_database_url(database_kind: str, request: pytest.FixtureRequest) -> Callable[[bool], str]:
    """A database of each kind, and PostgreSQL's also with trigrams, and in a locale of bytes."""
    if "that" not in database_kind and "with" not in database_kind:
        kinds = {"sqlite": "make_sqlite", "postgresql": "make_postgres"}
        make: Callable[[bool], str] = request.getfixturevalue(kinds[database_kind])
        return make
    server: PostgresDatabases = request.getfixturevalue("trigram_postgres")

    def make_one(_migrated: bool) -> str:
        name = server.create_database()
        if "that" in database_kind:
            server.drop_database(name)
            server.execute(
                f"CREATE DATABASE \"{name}\" TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
            )
        request.addfinalizer(partial(server.drop_database, name))
        return server.url(name)

    return make_one


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """The indexer begins at once."""
    monkeypatch.setattr(indexer, "FIRST_PAUSE", 0.01)


@pytest.fixture(params=["unindexed", "indexed"])
async def settle(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the test with everything indexed before each search, and with nothing."""
    if request.param == "indexed":
        return indexed
    monkeypatch.setattr(indexer, "FIRST_PAUSE", 1000)

    async def not_at_all(_store: Store) -> None:
        pass

    return not_at_all


async def test_a_search_finds_titles_and_messages_newest_first(store: Store, settle: Any) -> None:
    await say(store, "t1", "nothing", "a nautilus")
    await say(store, "t2", "nothing")
    await store.update_thread("t2", name="The Nautilus")
    await say(store, "t3", "NAUTILUS!")
    await say(store, "t4", "nothing")
    await settle(store)
    assert await found(store, "nautilus") == ["t3", "t2", "t1"]
    assert await found(store, "tIlU") == ["t3", "t2", "t1"]
    assert await found(store, "octopus") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("100% sure", "0% S"), ("a_b", "a_b"), ("a!b", "A!B"), (r"C:\temp\x", r"c:\TEMP"),
        ("it's", "t's"), ('say "hi"', 'Y "h'), ("Straße", "STRASSE"), ("STRASSE", "straße"),
        ("İstanbul", "i̇STAN"), ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"), ("résumé", "RE\u0301SUME\u0301"),
        ("re\u0301sume\u0301", "RÉSUMÉ"), ("👩‍🚀 flies", "👩‍🚀 F"), ("日本語の本", "本語の"),
        ("привет", "ПРИВЕТ"), ("a\0b\0c", "A\0B"), ("half \ud83d done", "f \ud83d D"),
        ("한국어", "한국"), ("x", "X"), ("q7", "Q7"), ("%%%", "%%%"), ("☃ ", "☃"), ("a b c", "A B"),
        ("ǰ", "J\u030c"), ("ŉ", "\u02bcN"), ("ﬁsh", "FIS"),
    ],
)  # fmt: skip
async def test_characters_stand_for_themselves_in_any_case_and_form(
    store: Store, settle: Any, text: str, words: str
) -> None:
    await say(store, "t1", f"before {text} after")
    await say(store, "t2", "something else")
    await settle(store)
    assert await found(store, words) == ["t1"]


async def test_a_letter_is_not_found_within_the_same_letter_with_an_accent(
    store: Store, settle: Any
) -> None:
    await say(store, "t1", "cafe\u0301s")
    await settle(store)
    assert await found(store, "cafes") == []
    assert await found(store, "cafés") == ["t1"]


async def test_nobody_finds_what_somebody_else_said(store: Store, settle: Any) -> None:
    await say(store, "t1", "the secret of ada")
    await say(store, "t2", "the secret of bob", user_id="bob's id")
    await settle(store)
    assert await found(store, "secret") == ["t1"]
    assert await found(store, "secret", user_id="bob's id") == ["t2"]


async def test_what_is_deleted_or_no_message_is_not_found(store: Store, settle: Any) -> None:
    await say(store, "t1", "needle")
    await say(store, "t2", "needle", "hay")
    await say(store, "t3", "needle", type="run")
    await say(store, "t4", "needle", type="tool")
    await settle(store)
    assert await found(store, "needle") == ["t2", "t1"]
    await store.delete_thread("t1")
    await store.delete_step("t2.0")
    assert await found(store, "needle") == []
    await settle(store)
    assert await found(store, "needle") == []
    assert await found(store, "hay") == ["t2"]


async def test_an_edit_is_found_at_once_and_what_it_replaced_is_not(
    store: Store, settle: Any
) -> None:
    await say(store, "t1", "first words")
    await store.update_thread("t1", name="old title")
    await settle(store)
    edited = Step(id="t1.0", thread_id="t1", created_at="", output="second words")
    await store.update_step(edited, given=["output"])
    await store.update_thread("t1", name="new title")
    for words, threads in {"first": [], "second": ["t1"], "old t": [], "new t": ["t1"]}.items():
        assert await found(store, words) == threads
    await settle(store)
    for words, threads in {"first": [], "second": ["t1"], "old t": [], "new t": ["t1"]}.items():
        assert await found(store, words) == threads


async def test_a_thread_that_gets_its_owner_late_is_found_at_once(
    store: Store, settle: Any
) -> None:
    await say(store, "t1", "a needle in no one's thread", user_id=None)
    await settle(store)
    assert await found(store, "needle") == []
    await store.update_thread("t1", user_id=ADA)
    assert await found(store, "needle") == ["t1"]
    await settle(store)
    assert await found(store, "needle") == ["t1"]


async def test_a_search_and_a_vote_together(store: Store, settle: Any) -> None:
    for n in range(1, 5):
        await say(store, f"t{n}", "a needle" if n != 3 else "hay")
    for n in (2, 3):
        await store.save_feedback(
            Feedback(id=f"f{n}", for_id=f"t{n}.0", thread_id=f"t{n}", value=1)
        )
    await settle(store)
    assert await found(store, "needle", feedback=1) == ["t2"]
    assert await found(store, "needle", feedback=0) == []


async def test_the_pages_of_a_search_are_the_whole_of_it(store: Store, settle: Any) -> None:
    # More threads than are looked at before the index is asked.
    for n in range(100):
        await say(store, f"t{n}", "a rare needle" if n % 24 == 0 else "common hay")
    await settle(store)
    for words, expected in {"needle": [96, 72, 48, 24, 0], "ha": [*range(99, -1, -1)]}.items():
        pages: list[str] = []
        cursor: str | None = None
        while True:
            page = await store.list_threads(ADA, first=3, search=words, cursor=cursor)
            pages += [thread.id for thread in page.items]
            if (cursor := page.next_cursor) is None:
                break
        want = [n for n in expected if words == "needle" or n % 24]
        assert pages == [f"t{n}" for n in want]


async def test_a_search_for_a_book_is_refused_in_words(store: Store) -> None:
    with pytest.raises(InvalidInputError, match="2,000"):
        await found(store, "x" * 2001)


async def test_what_is_not_indexed_is_read_however_much_it_is(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "FIRST_PAUSE", 1000)
    monkeypatch.setattr("chainkeep.db.search._FEW", 10)
    monkeypatch.setattr("chainkeep.db.search._PORTION", 3)
    for n in range(20):
        await say(store, f"t{n}", "needle" if n in (0, 9, 19) else "hay")
    assert await found(store, "needle") == ["t19", "t9", "t0"]
    assert await found(store, "needle", first=1) == ["t19"]


async def test_rows_that_others_wrote_are_indexed_too(store: Store) -> None:
    await say(store, "t1", "hay")
    await indexed(store)
    await store.execute(
        'INSERT INTO steps ("id", "threadId", "type", "name", "input", "output", "createdAt", '
        '"streaming", "metadata", "favorite", "position", "revision") '
        "VALUES ('own', 't1', 'user_message', '', '', 'a needle', '', FALSE, '{}', FALSE, 1, 0)",
        {},
    )
    assert await found(store, "needle") == ["t1"]
    await indexed(store)
    assert await found(store, "needle") == ["t1"]


async def test_an_indexer_that_dies_within_a_batch_leaves_it_to_the_next(
    store: Store, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "FIRST_PAUSE", 1000)
    for n in range(5):
        await say(store, f"t{n}", "needle")
    batch = (await store._database.snapshot(indexing.next_batch)).folded()

    def die(connection: Any) -> None:
        assert indexing.write_batch(connection, "who dies", batch) == batch.size
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store._database.write(die)
    monkeypatch.setattr(indexer, "FIRST_PAUSE", 0.01)
    other = open_store()
    await indexed(other)
    assert await found(other, "needle") == [f"t{n}" for n in (4, 3, 2, 1, 0)]


async def test_a_row_that_changes_while_it_is_folded_stays_to_be_indexed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "FIRST_PAUSE", 1000)
    await say(store, "t1", "first")
    batch = (await store._database.snapshot(indexing.next_batch)).folded()
    edited = Step(id="t1.0", thread_id="t1", created_at="", output="second")
    await store.update_step(edited, given=["output"])
    write = partial(indexing.write_batch, holder="me", batch=batch)
    assert await store._database.write(write) == batch.size - 1
    assert await store._database.read(search_queries.search_waiting) == 1
    assert await found(store, "second") == ["t1"]
    assert await found(store, "first") == []


async def test_one_process_indexes_at_a_time_and_another_takes_over(store: Store) -> None:
    claim = indexing.claim
    assert await store._database.write(partial(claim, holder="one")) is not None
    assert await store._database.write(partial(claim, holder="two")) is None
    assert await store._database.write(partial(claim, holder="one")) is not None
    await store.execute("UPDATE search_indexer SET \"until\" = '2026-01-01'", {})
    assert await store._database.write(partial(claim, holder="two")) is not None
    assert await store._database.write(partial(claim, holder="one")) is None


async def test_two_stores_index_what_both_wrote(open_store: OpenStore) -> None:
    one, two = open_store(), open_store()
    for n in range(20):
        await say(one if n % 2 else two, f"t{n}", f"needle {n}")
    await asyncio.gather(indexed(one), indexed(two))
    for store in (one, two):
        assert await found(store, "needle") == [f"t{n}" for n in range(19, -1, -1)]


async def test_the_texts_of_a_deleted_thread_leave_the_index(store: Store) -> None:
    await say(store, "t1", "needle", "hay")
    await indexed(store)
    texts = 'SELECT COUNT(*) AS n FROM search_texts WHERE "threadId" = :id'
    assert await store.execute(texts, {"id": "t1"}) == [{"n": 2}]
    await store.delete_thread("t1")
    await indexed(store)
    assert await store.execute(texts, {"id": "t1"}) == [{"n": 0}]


async def test_what_waits_is_not_counted_again_with_every_batch(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long counting takes, as it does with much to do."""
    monkeypatch.setattr(indexer, "_REST_AFTER_COUNT", 1_000_000)
    search_waiting, counts = search_queries.search_waiting, 0

    def count_counting(connection: Connection) -> int:
        nonlocal counts
        counts += 1
        return search_waiting(connection)

    async def is_indexed() -> bool:
        store._indexer.wake()
        return await store._database.read(search_waiting) == 0

    monkeypatch.setattr(search_queries, "search_waiting", count_counting)
    for number in range(3):
        await say(store, "t1", f"needle {number}", id=f"s{number}")
        await eventually(is_indexed)
    assert counts == 1


async def test_health_tells_of_the_index(store: Store, database_kind: str) -> None:
    assert store.health().indexed is None
    await say(store, "t1", "needle")
    await indexed(store)

    async def told() -> bool:
        return store.health().unindexed == 0 and store.health().indexed is not None

    await eventually(told)
    assert store.health().indexed == (database_kind != "postgresql")


async def test_a_database_that_cannot_have_trigrams_says_so_once(
    store: Store, database_kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    await say(store, "t1", "needle")
    await indexed(store)
    await say(store, "t2", "needle")
    await indexed(store)
    told = [
        r for r in caplog.records if r.name == "chainkeep.search" and r.levelno == logging.WARNING
    ]
    assert len(told) == (1 if database_kind == "postgresql" else 0)
    assert await found(store, "needle") == ["t2", "t1"]


async def test_a_store_that_only_reads_starts_no_indexer(store: Store) -> None:
    await store.list_threads(ADA, first=1)
    assert store._indexer._planned is None


async def test_closing_waits_for_no_pause_and_leaves_nothing_running(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "FIRST_PAUSE", 1000)
    before = asyncio.all_tasks()
    await say(store, "t1", "needle")
    await asyncio.wait_for(store.close(), 5)
    assert asyncio.all_tasks() == before


CHARACTERS = st.sampled_from(
    [*"aAbBeEiIkKsS%_!\\'\"* \0", *"ßẞİıΣςσéÉ\u0301\u0307ﬁǰ한ㄱ日😀☃\ud800\ufdd0"]
)
TEXTS = st.text(CHARACTERS, max_size=8)


NUMBERS = count(1000)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(texts=st.lists(TEXTS, min_size=1, max_size=5), words=TEXTS.filter(bool), half=st.booleans())
async def test_any_text_is_found_as_a_plain_model_finds_it(
    store: Store, texts: list[str], words: str, half: bool
) -> None:
    user_id, said = f"user {next(NUMBERS)}", dict[str, str]()
    for n, text in enumerate(texts):
        thread_id = f"t{next(NUMBERS)}"
        said[thread_id] = readable_text(stored_text(text))
        await say(store, thread_id, text, user_id=user_id)
        if half and n == len(texts) // 2:
            await indexed(store)
    term = stored_text(fold(readable_text(stored_text(words))))
    expected = [thread_id for thread_id, text in said.items() if term in stored_text(fold(text))]
    assert await found(store, words, user_id=user_id) == expected[::-1]
    await indexed(store)
    assert await found(store, words, user_id=user_id) == expected[::-1]


def test_users_share_their_mark_with_few() -> None:
    marks = {owner_mark(f"user {n}") for n in range(10_000)}
    assert len(marks) > 5_000
    assert all(len(mark) == 3 for mark in marks)


async def test_rows_from_before_there_was_an_index_are_found_and_indexed(store: Store) -> None:
    await say(store, "t1", "needle")
    await indexed(store)
    await store.execute('UPDATE steps SET "unindexed" = 1', {})
    await store.execute("DELETE FROM search_texts", {})
    assert await found(store, "needle") == ["t1"]
    await indexed(store)
    assert await found(store, "needle") == ["t1"]


async def indexer_at_rest(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the indexer finish, and begin no more."""
    await indexed(store)

    async def rests() -> bool:
        running = store._indexer._running
        return store._indexer._planned is None and (running is None or running.done())

    await eventually(rests)
    monkeypatch.setattr(indexer.Indexer, "wake", lambda _self: None)


async def test_a_search_takes_no_statement_more_than_it_needs(
    store: Store, database_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(60):
        await say(store, f"t{n}", "needle" if n == 3 else "hay")
    await indexer_at_rest(store, monkeypatch)

    async def statements() -> list[int]:
        words = ("hay", "needle", "ha")
        return [len(await statements_of(partial(found, store, each))) for each in words]

    await found(store, "hay")
    # One looks at the newest threads, or at all; another asks the index. Where there is none, one
    # looks for it each time.
    assert await statements() == ([2, 2, 2] if database_kind == "postgresql" else [1, 2, 1])
    await store.execute('UPDATE steps SET "unindexed" = 1 WHERE "id" = \'t3.0\'', {})
    # It is noticed, and all begins again at one moment: what waits, what it says, and the threads.
    assert await statements() == ([7, 7, 7] if database_kind == "postgresql" else [5, 6, 5])
    store._indexer.waiting = 1
    assert await statements() == ([5, 5, 5] if database_kind == "postgresql" else [4, 5, 4])


async def test_short_words_are_found_in_however_many_threads(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "FIRST_PAUSE", 1000)
    users = {0: ADA, 1: "bob's id"}
    await asyncio.gather(
        *(
            say(store, f"t{n}", f"n{n % 97:02}, said by q{n % 2}", user_id=users[n % 2])
            for n in range(700)
        )
    )
    expected = [f"t{n}" for n in range(698, -1, -2) if n % 97 == 7]

    async def answers() -> list[list[str]]:
        return [
            await found(store, "N07"),
            await found(store, "07"),
            await found(store, "q1"),
            await found(store, "Q0", first=1000),
        ]

    wanted = [expected, expected, [], [f"t{n}" for n in range(698, -1, -2)]]
    assert await answers() == wanted
    monkeypatch.setattr(indexer, "FIRST_PAUSE", 0.01)
    await store.close()
    other = Store(store.settings)
    await indexed(other)
    store = other
    assert await answers() == wanted
    await other.close()


class Interrupted(indexer.Indexer):
    """Somebody writes while it does, and awaits that: nothing is queued when it has done."""

    @override
    async def _write(self, batch: indexing.Batch) -> int | None:
        self.wake()
        return await super()._write(batch)


@pytest.mark.parametrize("kind", [indexer.Indexer, Interrupted])
async def test_the_indexer_rests_longer_while_a_chat_awaits_its_writes(
    store: Store, monkeypatch: pytest.MonkeyPatch, kind: type[indexer.Indexer]
) -> None:
    monkeypatch.setattr(indexer, "FIRST_PAUSE", 1000)
    await asyncio.gather(*(say(store, f"t{n}", "needle") for n in range(50)))
    one = kind(store._database, busy=lambda: False)
    await one._prepare()
    clock = asyncio.get_running_loop().time
    began = clock()
    pause = await one._go_on()
    elapsed = clock() - began
    await one.close(1)
    assert pause is not None
    assert (pause > 2 * elapsed) == (kind is Interrupted)
