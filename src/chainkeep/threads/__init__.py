"""The Thread API: an app's own code reads and writes the conversations that the UI shows."""

from __future__ import annotations

from chainkeep.scope import Scope
from chainkeep.threads.attachments import Attachment, AttachmentLimits, Describe, describe
from chainkeep.threads.blocking import Blocking, open_threads_blocking
from chainkeep.threads.collection import Threads, open_threads
from chainkeep.threads.drafts import Draft
from chainkeep.threads.figures import Figures, Usage
from chainkeep.threads.finding import Found, Snippet
from chainkeep.threads.formats import from_openai, to_chat_completion, to_openai, to_swift3
from chainkeep.threads.lists import NumberedPage
from chainkeep.threads.memory import remember
from chainkeep.threads.message import Message
from chainkeep.threads.summaries import with_summary
from chainkeep.threads.thread import Role, Thread
from chainkeep.threads.titles import WriteTitle, generate_title
from chainkeep.threads.views import Turn

__all__ = [
    "Attachment",
    "AttachmentLimits",
    "Blocking",
    "Describe",
    "Draft",
    "Figures",
    "Found",
    "Message",
    "NumberedPage",
    "Role",
    "Scope",
    "Snippet",
    "Thread",
    "Threads",
    "Turn",
    "Usage",
    "WriteTitle",
    "describe",
    "from_openai",
    "generate_title",
    "open_threads",
    "open_threads_blocking",
    "remember",
    "to_chat_completion",
    "to_openai",
    "to_swift3",
    "with_summary",
]
