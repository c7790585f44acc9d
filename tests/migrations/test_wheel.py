"""An installed chainkeep can migrate: the wheel has the scripts."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    build = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return directory / done.stdout.split()[-1]


def test_the_wheel_has_every_script(wheel: Path) -> None:
    source = ROOT / "src"
    scripts = {str(path.relative_to(source)) for path in source.rglob("*.sql")}
    assert "chainkeep/db/migrations/versions/0001_initial.sql" in scripts
    assert scripts <= set(zipfile.ZipFile(wheel).namelist())


def test_the_unpacked_wheel_migrates_a_database(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    program = (
        "from sqlalchemy import create_engine\n"
        "from chainkeep.db import migrate\n"
        "print(migrate.__file__)\n"
        "with create_engine('sqlite:///new.db').connect() as connection:\n"
        "    print(migrate.migrate(connection))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        str(tmp_path / "site/chainkeep/db/migrate.py"),
        "['0001', '0002', '0003', '0004', '0005', '0006', '0007']",
    ]
