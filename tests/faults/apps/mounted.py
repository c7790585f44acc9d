"""The app in the working directory, mounted in another, which never tells it to close."""

from __future__ import annotations

from chainlit.utils import mount_chainlit
from fastapi import FastAPI

app = FastAPI()
mount_chainlit(app, "chat.py", path="/chat")
