"""What each query of the search is called with; ``benchmarks.explain`` says what for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chainkeep.db.search_queries import Filters, TextRow
from chainkeep.paging import Cursor

PLACE = Cursor("2026-01-01T00:00:00.003000Z", "thread-3000")
NOW = "2026-01-02T00:00:00.000000Z"

OF_USER = Filters(user_id="user-7", before=PLACE)
SAID = {"pattern": "%output 7777%"}
RARE = {**SAID, "trigrams": '"777" AND "put"', "count": 21}

SEARCH_CALLS: Mapping[str, Mapping[str, Any]] = {
    "search_backlog": {"count": 500},
    "search_backlog_of_everybody": {"before": PLACE, "count": 50},
    "search_backlog_of_user": {"user_id": "user-7", "before": PLACE, "count": 50},
    "search_claim": {"holder": "me", "now": NOW, "until": NOW, "count": 100},
    "search_found": {**RARE, "owner": "7ab", "filters": OF_USER},
    "search_found_of_everybody": {**RARE, "filters": Filters()},
    "search_hits": {"ids": ["thread-77", "thread-78"], "pattern": "%output 7%", "most": 3},
    "search_index_state": {},
    "search_lock_steps": {"ids": ["step-77", "step-78"]},
    "search_lock_threads": {"ids": ["thread-77", "thread-78"]},
    "search_next_steps": {"count": 100},
    "search_next_threads": {"count": 100},
    "search_steps_done": {"ids": ["step-77", "step-78"]},
    "search_text_forget": {"places": [("thread-77", "step-4077")]},
    "search_text_write": {
        "rows": [
            TextRow(
                thread_id="thread-77", step_id="step-4077", number=77, owner="7ab", text="output",
            ),
        ],
    },
    "search_thread_forget": {"thread_id": "thread-77"},
    "search_thread_mark": {"owners": [("thread-77", "7ac")]},
    "search_threads": {"ids": ["thread-77", "thread-78"]},
    "search_threads_done": {"ids": ["thread-77", "thread-78"]},
    "search_unindexed": {"ids": ["thread-77", "thread-78"], "filters": OF_USER},
    "search_waiting": {},
    "search_walk_of_everybody": {**SAID, "filters": Filters(), "reach": 40, "count": 21},
    "search_walk_of_user": {**SAID, "filters": OF_USER, "reach": 40, "count": 21},
}  # fmt: skip
