"""Chainlit's shapes to ours and back, without a database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import chainlit as cl
import pytest
from chainlit.context import context_var
from chainlit.types import Feedback as ChainlitFeedback
from hypothesis import given
from hypothesis import strategies as st

from chainkeep.chainlit.translate import (
    element_content,
    element_from_chainlit,
    element_to_chainlit,
    feedback_from_chainlit,
    metadata_from_chainlit,
    step_from_chainlit,
    step_to_chainlit,
    steps_to_chainlit,
    thread_to_chainlit,
    thread_to_list_entry,
    user_to_chainlit,
)
from chainkeep.models import STEP_COLUMNS, Element, Feedback, Step, StepValues, Thread, User

AT = "2026-01-01T00:00:00.000000Z"
THREAD = Thread(id="t", created_at=AT, last_activity_at="2026-01-02T00:00:00.000000Z")


def read(step: Any, thread_id: str = "t") -> tuple[Step, set[str]]:
    made, given = step_from_chainlit(step, thread_id=thread_id)
    return made, set(given)


def stored(id: str, **columns: Any) -> StepValues:
    """A step as the database holds it."""
    bare = {"type": "undefined", "name": "", "input": "", "output": "", "metadata": "{}"}
    known = {**bare, "id": id, "thread_id": "t", "created_at": AT, "streaming": 0, **columns}
    return [known.get(name) for name in STEP_COLUMNS]


def tree(*steps: tuple[str, str | None], deleted: str = "") -> list[StepValues]:
    return [
        stored(id, parent_id=parent, deleted_at=AT if id in deleted else None)
        for id, parent in steps
    ]


def shown(steps: list[StepValues]) -> list[tuple[str, str | None]]:
    return [(step["id"], step["parentId"]) for step in steps_to_chainlit(steps)]


class TestSteps:
    def test_only_what_is_in_the_dict_is_given(self):
        step, given = read({"id": "s", "output": "", "tags": [], "metadata": {}})
        assert given == {"output", "tags", "metadata"}
        assert (step.output, step.tags, step.metadata) == ("", [], {})

    def test_a_thread_in_the_dict_comes_before_the_chats(self):
        assert read({"id": "s", "threadId": "own"})[0].thread_id == "own"
        assert read({"id": "s", "threadId": ""})[0].thread_id == "t"
        assert read({"id": "s", "threadId": None})[0].thread_id == "t"

    def test_a_type_that_is_missing_is_not_given(self):
        for dict_type in (None, ""):
            step, given = read({"id": "s", "type": dict_type})
            assert "type" not in given
            assert step.type == "undefined"

    def test_a_time_that_cannot_be_read_is_not_given(self):
        whens: list[object] = [None, "", "soon", 12, {}]
        for when in whens:
            step, given = read({"id": "s", "createdAt": when})
            assert "created_at" not in given
            assert step.created_at.endswith("Z")

    def test_an_end_can_be_taken_away_but_not_by_nonsense(self):
        assert "end" in read({"id": "s", "end": None})[1]
        assert "end" not in read({"id": "s", "end": "soon"})[1]

    def test_a_step_without_a_time_was_made_when_it_started(self):
        assert read({"id": "s", "start": AT})[0].created_at == AT

    def test_unknown_keys_are_extra_and_feedback_is_not(self):
        step, given = read({"id": "s", "new": {1}, "feedback": {"value": 1}})
        assert step.extra == {"new": [1]}
        assert given == {"extra"}
        assert "extra" not in read({"id": "s"})[1]

    def test_nothing_is_shared_with_what_was_given(self):
        lists: Any = {
            "id": "s",
            "metadata": {"a": [1]},
            "modes": {"a": [1]},
            "tags": ["a"],
            "x": [1],
        }
        step, _ = read(lists)
        lists["metadata"]["a"].append(2)
        lists["modes"]["a"].append(2)
        lists["tags"].append("b")
        lists["x"].append(2)
        assert (step.metadata, step.modes) == ({"a": [1]}, {"a": [1]})
        assert (step.tags, step.extra) == (["a"], {"x": [1]})

    def test_metadata_is_an_object_whatever_was_given(self):
        for metadata, kept in (
            ('{"a": 1}', {"a": 1}),
            ("[1]", {}),
            ("{", {}),
            ([1], {}),
            (None, {}),
        ):
            assert read({"id": "s", "metadata": metadata})[0].metadata == kept

    def test_a_step_is_written_with_every_key_and_its_extra_ones(self):
        step = stored("s", extra='{"new": 1, "id": "forged"}')
        written: Any = step_to_chainlit(step, parent_id="p")
        assert (written["id"], written["new"], written["parentId"]) == ("s", 1, "p")

    def test_what_a_message_needs_is_never_null(self):
        written: Any = step_to_chainlit(stored("s"), parent_id=None)
        for key in ("type", "name", "input", "output", "metadata", "createdAt"):
            assert written[key] is not None
        for key in ("isError", "defaultOpen", "autoCollapse", "streaming"):
            assert written[key] is False


class TestTheTree:
    def test_parents_come_first(self):
        steps = tree(("c", "b"), ("b", "a"), ("a", None), ("d", "a"))
        assert shown(steps) == [("a", None), ("b", "a"), ("c", "b"), ("d", "a")]

    def test_a_missing_parent_lifts_its_child(self):
        assert shown(tree(("b", "never"), ("c", "b"))) == [("b", None), ("c", "b")]

    def test_a_deleted_parent_hides_its_descendants(self):
        steps = tree(("a", None), ("b", "a"), ("c", "b"), ("d", None), deleted="a")
        assert shown(steps) == [("d", None)]

    def test_a_circle_is_opened_and_not_lost(self):
        assert {id for id, _ in shown(tree(("a", "b"), ("b", "c"), ("c", "a")))} == set("abc")

    def test_an_empty_parent_is_a_parent_that_is_missing(self):
        assert shown(tree(("a", ""))) == [("a", None)]

    @given(
        st.lists(st.none() | st.integers(0, 9), min_size=10, max_size=10),
        st.sets(st.integers(0, 9)),
    )
    def test_whatever_the_tree_every_step_shown_has_its_parent_before_it(
        self, parents: list[int | None], deleted: set[int]
    ):
        links = [(str(n), None if p is None else str(p)) for n, p in enumerate(parents)]
        seen: list[str] = []
        for id, parent in shown(tree(*links, deleted="".join(map(str, deleted)))):
            assert parent is None or parent in seen
            seen.append(id)
        assert len(seen) == len(set(seen))
        assert not deleted & {int(id) for id in seen}
        if not deleted:
            assert len(seen) == 10


class TestFeedback:
    def test_a_vote_comes_back(self):
        vote = ChainlitFeedback(forId="s", value=0, threadId="t", comment="c")
        kept = feedback_from_chainlit(vote, new_id="new")
        assert kept == Feedback(id="new", for_id="s", thread_id="t", value=0, comment="c")
        columns = {"feedback_id": "new", "feedback_value": 0, "feedback_comment": "c"}
        written: Any = step_to_chainlit(stored("s", **columns), parent_id=None)
        assert written["feedback"] == {"id": "new", "forId": "s", "value": 0, "comment": "c"}

    def test_an_id_that_is_given_is_kept_and_an_empty_one_is_not(self):
        for id, kept in (("old", "old"), ("", "new"), (None, "new")):
            vote = ChainlitFeedback(forId="s", value=1, id=id)
            assert feedback_from_chainlit(vote, new_id="new").id == kept

    def test_an_empty_thread_is_none(self):
        vote = ChainlitFeedback(forId="s", value=1, threadId="")
        assert feedback_from_chainlit(vote, new_id="new").thread_id is None


class TestElements:
    @staticmethod
    def kept(element: Any, thread_id: str | None = None) -> Element:
        return element_from_chainlit(element, thread_id=thread_id)

    def test_an_element_that_names_no_thread_belongs_to_the_chat(self):
        assert self.kept(cl.Text(content="x", thread_id=""), "chat").thread_id == "chat"
        assert self.kept(cl.Text(content="x", thread_id="own"), "chat").thread_id == "own"
        assert self.kept(cl.Text(content="x", thread_id=""), "").thread_id is None

    def test_an_element_for_no_step_is_for_none(self):
        assert self.kept(cl.Text(content="x", thread_id="t", for_id="")).for_id is None

    def test_an_object_key_is_not_taken_from_outside(self):
        assert (
            self.kept(cl.Text(content="x", thread_id="t", object_key="forged")).object_key is None
        )

    def test_a_page_that_is_no_page_is_kept_apart(self):
        for odd in ("seven", 2**40, 1.5):
            pdf = cl.Pdf(content="x", thread_id="t")
            pdf.page = odd  # type: ignore[assignment]
            element = self.kept(pdf)
            assert element.page is None
            assert element_to_chainlit(element, None)["page"] == odd

    def test_what_a_row_says_needs_no_bytes(self):
        for element in (
            cl.TaskList(thread_id="t"),
            cl.CustomElement(thread_id="t"),
            cl.Image(url="https://example.com", thread_id="t"),
        ):
            assert element_content(element) is None

    def test_text_and_bytes_and_files_are_content(self):
        assert element_content(cl.Text(content="ä\ud800", thread_id="t")) == b"\xc3\xa4?"
        assert element_content(cl.File(content=b"\0", thread_id="t")) == b"\0"
        assert element_content(cl.File(path="/a", thread_id="t")) == Path("/a")

    def test_content_comes_before_the_file_it_was_made_from(self):
        assert element_content(cl.File(content=b"new", path="/a", thread_id="t")) == b"new"

    def test_props_are_copied(self):
        element = cl.CustomElement(thread_id="t", props={"a": [1]})
        kept = self.kept(element)
        element.props["a"].append(2)
        assert kept.props == {"a": [1]}

    def test_the_tasks_of_a_list_are_not_its_props(self):
        tasks = cl.TaskList(thread_id="t")
        tasks.content = '{"status": "Ready", "tasks": []}'
        kept = self.kept(tasks)
        assert kept.props == {"status": "Ready", "tasks": []}
        assert element_to_chainlit(kept, None)["props"] is None

    def test_a_task_list_that_was_never_sent_has_no_tasks(self):
        assert self.kept(cl.TaskList(thread_id="t")).props is None

    def test_a_component_without_props_has_empty_ones(self):
        written = element_to_chainlit(Element(id="e", type="custom"), None)
        assert written["props"] == {}


class TestThreads:
    def test_in_a_list_a_thread_was_created_when_it_was_last_active(self):
        entry = thread_to_list_entry(THREAD)
        assert entry["createdAt"] == THREAD.last_activity_at
        assert (entry["steps"], entry["elements"]) == ([], [])

    def test_on_its_own_a_thread_was_created_when_it_was(self):
        element = element_to_chainlit(Element(id="e", thread_id="t"), "/url")
        thread: Any = thread_to_chainlit(THREAD, [], [element])
        assert thread["createdAt"] == AT
        assert [element["url"] for element in thread["elements"]] == ["/url"]

    @pytest.mark.parametrize("from_session", [True, False])
    def test_no_metadata_is_none(self, from_session: bool):
        assert metadata_from_chainlit(None, from_session=from_session) is None

    def test_a_session_does_not_share(self):
        given = {"is_shared": True, "shared_at": AT, "a": 1, "name": "x"}
        assert metadata_from_chainlit(given, from_session=True) == {"a": 1, "name": "x"}
        assert metadata_from_chainlit(given, from_session=False) == given

    def test_what_is_no_longer_shared_forgets_since_when(self):
        assert metadata_from_chainlit({"is_shared": False}, from_session=False) == {
            "is_shared": False,
            "shared_at": None,
        }

    def test_a_key_to_be_deleted_stays_none(self):
        assert metadata_from_chainlit({"a": None}, from_session=False) == {"a": None}


def test_a_user_comes_back():
    user = user_to_chainlit(User(id="1", identifier="alice", metadata={"a": 1}, created_at=AT))
    assert (user.id, user.identifier, user.metadata) == ("1", "alice", {"a": 1})
    assert user.createdAt == AT


def test_none_of_this_needs_a_chat():
    assert context_var.get(None) is None
