"""What `import chainkeep` gives, and what it does not load."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import chainkeep

HEAVY = {"asyncpg", "boto3", "chainlit"}
PRINT_LOADED = f"\nimport sys; print(*sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
CALL_THE_COMMAND_LINE = """
import sys
from chainkeep.cli import main
sys.argv = ["chainkeep", "--help"]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
"""


@pytest.fixture(scope="module")
def listed() -> dict[str, list[str]]:
    """Module to the names in its `__all__`; importing a migration or `__main__` would run it."""
    found = [module.name for module in pkgutil.walk_packages(chainkeep.__path__, "chainkeep.")]
    quiet = [name for name in found if not name.endswith("__main__") and ".migrations." not in name]
    modules = map(importlib.import_module, ["chainkeep", *quiet])
    return {
        module.__name__: list(module.__all__) for module in modules if "__all__" in vars(module)
    }


def loaded_by(program: str) -> set[str]:
    ended = subprocess.run(
        [sys.executable, "-c", program + PRINT_LOADED],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(ended.stderr.split())


def test_no_public_name_is_unlisted() -> None:
    public = {
        name
        for name, value in vars(chainkeep).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("chainkeep")
    }
    assert public - set(chainkeep.__all__) == set()


def test_every_listed_name_is_there(listed: dict[str, list[str]]) -> None:
    for module, names in listed.items():
        assert [name for name in names if not hasattr(sys.modules[module], name)] == [], module


def test_lists_of_names_are_sorted_and_without_doubles(listed: dict[str, list[str]]) -> None:
    for module, names in listed.items():
        assert names == sorted(set(names), key=names_order), module


def names_order(name: str) -> tuple[int, str]:
    """CONSTANTS, then Classes, then functions: the order that ruff keeps."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        getattr(chainkeep, "no_such_name")  # noqa: B009


def test_importing_chainkeep_loads_neither_chainlit_nor_a_driver() -> None:
    assert loaded_by("import chainkeep") == set()


def test_the_command_line_loads_neither_chainlit_nor_a_driver() -> None:
    assert loaded_by(CALL_THE_COMMAND_LINE) == set()


def test_what_is_loaded_is_noticed() -> None:
    assert loaded_by("import asyncpg") == {"asyncpg"}
