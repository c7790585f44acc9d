"""The distribution: what is in the wheel, and what it asks for."""

from __future__ import annotations

import re
import subprocess
import sys
from email.message import Message
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

from chainkeep._version import __version__

ROOT = Path(__file__).parents[2]
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return ZipFile(next(folder.iterdir()))


@pytest.fixture(scope="module")
def metadata(wheel: ZipFile) -> Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def requirements(metadata: Message, extra: str | None = None) -> set[str]:
    """The names of the distributions that are required, without an extra or by one."""
    found: set[str] = set()
    for line in map(str, metadata.get_all("Requires-Dist") or []):
        requirement, _, marker = line.partition(";")
        if (f"extra == '{extra}'" in marker) if extra else ("extra" not in marker):
            found.add(re.split(r"[\s\[<>=!~]", requirement, maxsplit=1)[0])
    return found


def test_the_wheel_holds_every_file_of_the_package(wheel: ZipFile) -> None:
    source = ROOT / "src"
    written = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == written
    assert {"chainkeep/py.typed", "chainkeep/db/sql/threads.sql"} <= packed


def test_the_licence_travels_with_the_wheel(wheel: ZipFile, metadata: Message) -> None:
    licence = next(name for name in wheel.namelist() if name.endswith("/LICENSE"))
    assert b"Apache License" in wheel.read(licence)
    assert metadata["License-Expression"] == "Apache-2.0"


def test_the_version_is_the_packages(metadata: Message) -> None:
    assert metadata["Version"] == __version__


def test_a_sqlite_user_installs_no_driver_and_no_cloud_client(metadata: Message) -> None:
    assert requirements(metadata) == {
        "aiofiles",
        "aiosqlite",
        "alembic",
        "chainlit",
        "click",
        "sqlalchemy",
        "typing-extensions",
    }


def test_the_extra_all_is_the_sum_of_the_others(metadata: Message) -> None:
    extras = set(map(str, metadata.get_all("Provides-Extra") or []))
    sums = {name for extra in extras - {"all"} for name in requirements(metadata, extra)}
    assert extras == {"postgres", "s3", "all"}
    assert requirements(metadata, "all") == sums == {"asyncpg", "boto3"}


def test_each_supported_python_is_declared(metadata: Message) -> None:
    prefix = "Programming Language :: Python :: "
    declared = [str(line).removeprefix(prefix) for line in metadata.get_all("Classifier") or []]
    assert [version for version in declared if re.fullmatch(r"3\.\d+", version)] == PYTHONS
    assert set(metadata["Requires-Python"].split(",")) == {">=3.10", "<3.14"}


def test_the_command_is_installed(wheel: ZipFile) -> None:
    name = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert b"chainkeep = chainkeep.cli:main" in wheel.read(name)
