"""The Thread API: an app's own code reads and writes the conversations that the UI shows."""

from __future__ import annotations

from chainkeep.threads.collection import NumberedPage, Threads, open_threads
from chainkeep.threads.drafts import Draft
from chainkeep.threads.figures import Figures, Usage
from chainkeep.threads.formats import from_openai, to_chat_completion, to_openai
from chainkeep.threads.memory import remember
from chainkeep.threads.message import Message
from chainkeep.threads.thread import Role, Thread

__all__ = [
    "Draft",
    "Figures",
    "Message",
    "NumberedPage",
    "Role",
    "Thread",
    "Threads",
    "Usage",
    "from_openai",
    "open_threads",
    "remember",
    "to_chat_completion",
    "to_openai",
]
