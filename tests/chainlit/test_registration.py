"""Each test is a Python of its own: what has been imported, and when, is what they are about."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.chainlit.apps.serving import APPS

INSTALL = """
from chainkeep.chainlit.route import install_element_route
install_element_route()
"""
ROUTES = """
import chainlit.server
names = [getattr(route, "name", None) for route in chainlit.server.app.router.routes]
print(names.count("chainkeep_element"), names.index("chainkeep_element"))
"""


def run(program: str, home: Path) -> str:
    """What the program prints last."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=home, check=True, capture_output=True, text=True
    )
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("first", ["import chainlit.server", "import chainlit"])
def test_there_is_one_route_and_it_comes_first(first: str, tmp_path: Path):
    assert run(first + INSTALL + INSTALL + ROUTES, tmp_path) == "1 0"


def test_the_server_may_be_imported_later_and_more_than_once(tmp_path: Path):
    later = """
import sys
from chainlit.config import config
assert "chainlit.server" not in sys.modules
config.run.root_path = "one that the server does not take"
try:
    import chainlit.server
except AssertionError:
    config.run.root_path = "/assistant"
import chainlit.server
print(chainlit.server.app.router.routes[0].path)
"""
    assert run(INSTALL + later, tmp_path) == "/assistant/chainkeep/element"


def test_a_reload_of_the_app_replaces_the_route(tmp_path: Path):
    reload = f"""
import chainlit.server, sys
from chainlit.config import load_module
app = {str(APPS / "elements.py")!r}
load_module(app)
before = chainlit.server.app.router.routes[0]
for name in [name for name in sys.modules if name.startswith("chainkeep")]:
    del sys.modules[name]
load_module(app, force_refresh=True)
assert chainlit.server.app.router.routes[0] is not before
"""
    assert run(reload + ROUTES, tmp_path) == "1 0"
