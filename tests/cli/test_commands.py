"""The command as it is typed: what it prints, where, and how it ends."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, make_url

import chainkeep.cli
from chainkeep import __version__
from chainkeep.cli import main
from chainkeep.db.migrate import check, current, latest
from chainkeep.db.migrations import versions
from tests.migrations.test_schema_file import feed_client
from tests.support.databases import run_on, shape
from tests.support.postgres import PostgresDatabases, in_a_thread
from tests.transfer.conftest import everything, execute, run_scripts

REVISIONS = sorted(path.name[:4] for path in Path(versions.__file__).parent.glob("0*.py"))
"""Every migration there is, oldest first."""

PROGRAM = Path(sysconfig.get_path("scripts")) / "chainkeep"
T = TypeVar("T")

# Click before 8.2 has to be told not to mix stdout and stderr.
MIXES = "mix_stderr" in inspect.signature(CliRunner).parameters
SEPARATELY: dict[str, Any] = {"mix_stderr": False} if MIXES else {}


def typed(*words: str, url: str | None = None, answer: str | None = None) -> Result:
    """Run the command in this process."""
    environment = {"CHAINKEEP_DATABASE_URL": url, "CHAINKEEP_SCHEMA": None}
    return CliRunner(**SEPARATELY).invoke(main, words, input=answer, env=environment)


def run(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed program."""
    return subprocess.run(
        [PROGRAM, *words],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_program_is_installed_and_knows_its_version(tmp_path: Path) -> None:
    assert run("--version", folder=tmp_path).stdout == f"chainkeep, version {__version__}\n"


def test_without_a_database_named_it_is_a_file_here(tmp_path: Path) -> None:
    assert run("migrate", folder=tmp_path).stdout == f"Applied {', '.join(REVISIONS)}.\n"
    assert (tmp_path / ".chainkeep/chainkeep.db").exists()


def test_the_environment_names_the_database(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/other.db"
    assert run("migrate", folder=tmp_path, CHAINKEEP_DATABASE_URL=url).returncode == 0
    assert (tmp_path / "other.db").exists()


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["adopt", "--help"], ["schema"]])
def test_the_program_does_not_load_chainlit(words: list[str]) -> None:
    program = (
        "import sys, chainkeep.cli\n"
        f"chainkeep.cli.main({words!r}, standalone_mode=False)\n"
        "sys.exit('chainlit' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_help_loads_no_database_library() -> None:
    program = (
        "import sys, chainkeep.cli\n"
        "chainkeep.cli.main(['--help'], standalone_mode=False)\n"
        "sys.exit('sqlalchemy' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def commands(group: click.Group = main, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command and subcommand with the words it is called by."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path}{name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{name} ")


def test_the_list_of_commands_is_complete() -> None:
    modules = {path.stem for path in Path(chainkeep.cli.__file__).parent.glob("*.py")}
    assert set(main.list_commands(click.Context(main))) == modules - {"__init__", "connection"}


def test_the_list_of_commands_says_what_each_is_for() -> None:
    described = typed("--help").output
    for name in main.list_commands(click.Context(main)):
        assert re.search(rf"^  {name} +[A-Z]", described, re.MULTILINE)


@pytest.mark.parametrize(("words", "command"), list(commands()))
def test_every_command_and_option_has_help(words: str, command: click.Command) -> None:
    assert command.help, words
    for parameter in command.params:
        assert isinstance(parameter, click.Argument) or getattr(parameter, "help", None), words


def test_a_wrong_word_ends_with_2() -> None:
    assert typed("migrat").exit_code == 2
    assert typed("migrate", "--dryrun").exit_code == 2


def on(url: str, work: Callable[[Connection], T], schema: str | None = None) -> T:
    return in_a_thread(run_on(url, work, schema))


def test_migrate_makes_the_tables(empty_database_url: str) -> None:
    result = typed("migrate", url=empty_database_url)
    assert (result.exit_code, result.output) == (0, f"Applied {', '.join(REVISIONS)}.\n")
    on(empty_database_url, check)


def test_migrate_again_says_that_nothing_was_to_do(database_url: str) -> None:
    assert typed("migrate", url=database_url).output == f"Up to date at {latest()}.\n"


def test_migrate_prints_json(empty_database_url: str) -> None:
    result = typed("migrate", "--json", "--database-url", empty_database_url)
    outcome = {"dry_run": False, "applied": REVISIONS, "latest": latest()}
    assert json.loads(result.stdout) == outcome


def test_a_dry_run_of_migrate_makes_nothing(empty_database_url: str) -> None:
    result = typed("migrate", "--dry-run", url=empty_database_url)
    assert result.output == f"Would apply {', '.join(REVISIONS)}.\n"
    assert on(empty_database_url, current) is None


def test_a_dry_run_of_migrate_does_not_even_make_the_file(tmp_path: Path) -> None:
    result = run("migrate", "--dry-run", folder=tmp_path)
    assert result.stdout == f"Would apply {', '.join(REVISIONS)}.\n"
    assert list(tmp_path.iterdir()) == []


def test_the_tables_can_have_a_schema_of_their_own(make_postgres: Callable[[bool], str]) -> None:
    url = make_postgres(False)
    on(url, execute('CREATE SCHEMA "Chat"'))
    assert typed("migrate", "--schema", "Chat", url=url).exit_code == 0
    on(url, check, '"Chat"')
    assert on(url, current) is None


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_schema_prints_a_script(dialect: str) -> None:
    script = typed("schema", "--dialect", dialect).output
    assert script.startswith("BEGIN;")
    assert "CREATE TABLE steps" in script
    assert script.rstrip().endswith("COMMIT;")


def test_schema_prints_what_the_databases_client_takes(
    make_database_url: Callable[[bool], str],
) -> None:
    by_hand, migrated = make_database_url(False), make_database_url(True)
    script = typed("schema", url=by_hand).output
    feed_client(by_hand, script.replace("BEGIN;", "").replace("COMMIT;", ""))
    assert on(by_hand, shape) == on(migrated, shape)


@pytest.fixture
def builtin_url(empty_database_url: str, database_kind: str) -> str:
    """A database of Chainlit's built-in layer, with a user."""
    on(empty_database_url, run_scripts(f"{database_kind}.sql"))
    user = "INSERT INTO users VALUES ('6f1c0f3e-93b0-4b4f-8c57-0d5ce0d7a001', 'ada', '{}', NULL)"
    on(empty_database_url, execute(user.replace(":", r"\:")))
    return empty_database_url


def test_migrate_refuses_chainlits_tables_and_names_the_next_step(builtin_url: str) -> None:
    result = typed("migrate", url=builtin_url)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "chainkeep adopt --dry-run" in result.stderr


def test_adopt_says_what_it_did(builtin_url: str) -> None:
    result = typed("adopt", "--yes", url=builtin_url)
    assert result.exit_code == 0, result.output
    assert "users: 1 of 1 rows adopted" in result.stdout
    assert result.stdout.endswith(f"Adopted; the tables are at {latest()}.\n")
    on(builtin_url, check)


def test_adopt_prints_json(builtin_url: str) -> None:
    report = json.loads(typed("adopt", "--yes", "--json", url=builtin_url).stdout)
    assert report["tables"]["users"] == {"rows": 1, "adopted": 1}
    assert report["filled"] == {"users.createdAt": 1}


def test_a_dry_run_of_adopt_changes_nothing_and_names_the_next_step(builtin_url: str) -> None:
    before = on(builtin_url, everything)
    result = typed("adopt", "--dry-run", url=builtin_url)
    assert result.exit_code == 0
    assert "Adopt with: chainkeep adopt" in result.stdout
    assert on(builtin_url, everything) == before


def test_adopt_asks_first(builtin_url: str) -> None:
    before = on(builtin_url, everything)
    result = typed("adopt", url=builtin_url, answer="n\n")
    assert result.exit_code == 1
    assert "Is there a backup" in result.stderr
    assert on(builtin_url, everything) == before


def test_adopt_goes_on_when_told_to(builtin_url: str) -> None:
    assert typed("adopt", url=builtin_url, answer="y\n").exit_code == 0
    on(builtin_url, check)


def test_adopt_can_keep_the_old_tables(builtin_url: str) -> None:
    typed("adopt", "--yes", "--keep-old", url=builtin_url)
    assert len(on(builtin_url, everything)["chainlit_users"]) == 1


def test_adopt_makes_no_file_where_there_is_none(tmp_path: Path) -> None:
    result = run("adopt", "--yes", folder=tmp_path)
    assert result.returncode == 1
    assert "There is no database at" in result.stderr
    assert list(tmp_path.iterdir()) == []


UNREACHABLE = [
    "postgresql+asyncpg://ada:hunter2@127.0.0.1:1/x",
    "postgresql+asyncpg://ada@127.0.0.1:1/x?password=hunter2",
    "mysql://ada:hunter2@127.0.0.1/x",
    "ada:hunter2",
    "sqlite+aiosqlite:////dev/null/x.db",
]


@pytest.mark.parametrize("command", ["migrate", "adopt"])
@pytest.mark.parametrize("url", UNREACHABLE)
def test_a_failure_is_one_line_without_traceback_or_password(
    command: str, url: str, tmp_path: Path
) -> None:
    words = [command, "--yes"] if command == "adopt" else [command]
    result = run(*words, "--database-url", url, folder=tmp_path)
    assert result.returncode == 1
    assert result.stdout == ""
    assert re.fullmatch(r"Error: [^\n]+[.\w)]\n", result.stderr)
    assert "hunter2" not in result.stderr
    assert "Traceback" not in result.stderr


def test_a_wrong_password_or_database_is_one_line(postgres: PostgresDatabases) -> None:
    result = typed("migrate", url=postgres.url("nowhere"))
    assert result.exit_code == 1
    assert re.fullmatch(r"Error: .*nowhere.*\n", result.stderr)


def test_the_question_names_the_database_without_its_password(
    make_postgres: Callable[[bool], str],
) -> None:
    url = make_url(make_postgres(False)).set(password="hunter2", query={"password": "hunter3"})
    result = typed("adopt", url=url.render_as_string(hide_password=False), answer="n\n")
    assert str(url.database) in result.stderr
    assert "hunter" not in result.output
