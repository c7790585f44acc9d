"""What each query of the Thread API is called with; ``benchmarks.explain`` says what for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chainkeep.db.attachment_queries import AttachmentCopy, AttachmentRow
from chainkeep.db.thread_queries import Copy, MessageRow, Reaction, RoleRow
from chainkeep.paging import Cursor
from chainkeep.scope import EVERYTHING, Scope

NOW = "2026-01-02T00:00:00.000000Z"
PLACE = Cursor("2026-01-01T00:00:00.003000Z", "thread-3000")

MESSAGE = MessageRow(
    id="step-new",
    thread_id="thread-77",
    nests=True,
    type="user_message",
    name="User",
    speaks_as="user",
    input="",
    output="hi",
    created_at=NOW,
    language=None,
    metadata="{}",
    generation=None,
    position=1,
    role="user",
    private=False,
    reply_to="step-77",
    same_turn=True,
    turn=1,
    tool_call_id=None,
    ext="{}",
    run_id="step-run",
    run_created_at=NOW,
)
MESSAGES = {"id": None, "include_private": True, "roles": None, "count": 100}

ALWAYS = {"since": "", "until": "~"}
PERSON = Scope(user="person-7", any_org=True)
FIRST = {"before": None, "feedback": None, "count": 21, "skip": 0}

ATTACHMENT = AttachmentRow(
    id="element-new",
    thread_id="thread-77",
    for_id="step-77",
    type="image",
    name="a.png",
    url=None,
    object_key="aa/bb",
    mime="image/png",
    created_at=NOW,
    position=1,
    attributes="{}",
    status="pending",
)
COPIED = AttachmentCopy(
    id="element-77", new_id="element-new", thread_id="thread-new", for_id=None, object_key=None
)

ROLE = RoleRow(
    thread_id="thread-77",
    name="bot",
    user_id=None,
    user_name=None,
    icon=None,
    description=None,
    position=1,
)

THREAD_CALLS: Mapping[str, Mapping[str, Any]] = {
    "attachment_copy": {"copies": [COPIED]},
    "attachment_describe": {"id": "element-77", "status": "stored", "attributes": {}},
    "attachment_insert": {"attachments": [ATTACHMENT]},
    "blob_rows": {"after": "", "count": 1000},
    "element_shown": {"id": "element-77", "thread_id": "thread-77"},
    "figures": {"thread_id": "thread-77", "scope": EVERYTHING, **ALWAYS},
    "figures-org": {"thread_id": None, "scope": Scope(org="org-7"), **ALWAYS},
    "figures-owner": {"thread_id": None, "scope": PERSON, **ALWAYS},
    "message_change": {
        "id": "step-77", "thread_id": "thread-77", "output": "hi", "ext": {}, "language": None,
    },
    "message_insert": {"message": MESSAGE},
    "message_release": {"id": "step-77", "thread_id": "thread-77"},
    "messages_of_thread": {**MESSAGES, "thread_id": "thread-77"},
    "messages_of_thread-one": {**MESSAGES, "thread_id": None, "id": "step-77"},
    "pictures_of_users": {"thread_id": "thread-77"},
    "reaction_add": {
        "reaction": Reaction(
            thread_id="thread-77", step_id="step-4077", emoji="+1", user_id="ada", created_at=NOW,
            position=1,
        ),
    },
    "reaction_remove": {
        "thread_id": "thread-77", "step_id": "step-77", "emoji": "+1", "user_id": "ada",
    },
    "reactions_of_message": {"thread_id": "thread-77", "step_id": "step-77"},
    "role_add": {"role": ROLE},
    "role_replace": {"role": ROLE},
    "role_remove": {"thread_id": "thread-77", "name": "bot"},
    "roles_of_thread": {"thread_id": "thread-77"},
    "step_copy": {
        "copies": [
            Copy(
                id="step-77", new_id="step-new", thread_id="thread-new", parent_id=None,
                reply_to=None,
            ),
        ],
    },
    "steps_alive": {"thread_id": "thread-77"},
    "steps_clear_reactions": {"ids": ["step-77", "step-78"]},
    "steps_clear_summaries": {"ids": ["step-77", "step-78"]},
    "summaries_of_thread": {"thread_id": "thread-77"},
    "summary_of_message": {"thread_id": "thread-77", "step_id": "step-77"},
    "summary_upsert": {
        "thread_id": "thread-77", "step_id": "step-77", "summary": "short",
        "earlier": ["shorter"], "now": NOW,
    },
    "thread_advance": {
        "id": "thread-77", "position": 1, "count": 2, "activity_at": NOW, "scope": PERSON,
    },
    "thread_clear_reactions": {"thread_id": "thread-77"},
    "thread_clear_roles": {"thread_id": "thread-77"},
    "thread_clear_summaries": {"thread_id": "thread-77"},
    "thread_create": {
        "id": "thread-new", "created_at": NOW, "name": None, "owner": "person-7", "tags": None,
        "metadata": {}, "attributes": {}, "platforms": {}, "public": False,
        "org_id": None, "product": None,
    },
    "thread_forget_facts": {"thread_id": "thread-77"},
    "thread_in_scope": {"id": "thread-77", "scope": Scope(user="person-7", org="org-7")},
    "thread_note_facts": {"thread_id": "thread-77", "facts": ['["attributes","a"]']},
    "thread_deleted_at": {"id": "thread-77"},
    "thread_read": {"id": "thread-77", "include_deleted": True},
    "thread_restore": {"id": "thread-77"},
    "thread_revise": {
        "id": "thread-77", "name": "new", "tags": None, "metadata": None, "attributes": {},
        "platforms": None, "public": True, "org_id": "org-7", "product": None,
        "updated_at": NOW,
    },
    "thread_set_aside": {"id": "thread-77", "deleted_at": NOW},
    "threads_count": {"scope": PERSON, "feedback": None},
    "threads_count-org": {"scope": Scope(org="org-7"), "feedback": 1},
    "threads_of_everybody": {**FIRST, "scope": EVERYTHING, "before": PLACE},
    "threads_of_org": {**FIRST, "scope": Scope(org="org-7", product="product-7"), "before": PLACE},
    "threads_of_owner": {**FIRST, "scope": PERSON, "before": PLACE},
    "threads_of_owner-votes": {**FIRST, "scope": PERSON, "feedback": 0},
    "threads_of_product": {**FIRST, "scope": Scope(product="product-7", any_org=True)},
    "threads_of_ids": {"ids": ["thread-77", "thread-78"]},
    "threads_set_aside": {"before": NOW, "scope": EVERYTHING, "count": 100},
    "threads_with_facts": {
        "facts": ['["attributes","a",1]', '["platforms","slack"]'],
        "absent": ['["attributes","b"]'],
        "scope": PERSON, "count": 20,
    },
    "user_ensure": {"id": "user-new", "identifier": "person-7", "created_at": NOW},
    "vote_of_message": {"thread_id": "thread-77", "id": "step-4077"},
}  # fmt: skip
