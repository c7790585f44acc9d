"""The app of elements.py mounted in another that imports chainkeep before Chainlit's server."""

from __future__ import annotations

import sys
from pathlib import Path

from chainlit.utils import mount_chainlit
from fastapi import FastAPI

from chainkeep.chainlit.route import install_element_route

install_element_route()
if "chainlit.server" in sys.modules:
    raise RuntimeError("chainkeep has imported Chainlit's server")

app = FastAPI(root_path="/behind")
mount_chainlit(app, str(Path(__file__).with_name("elements.py")), path="/chat")
