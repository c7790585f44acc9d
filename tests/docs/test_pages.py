"""What the pages say, held against what is there."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from chainkeep._version import __version__
from chainkeep.blobs.s3.options import S3Options
from chainkeep.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text("utf-8")

VARIABLE = re.compile(r"\bCHAINKEEP_(?!TEST_)[A-Z_]*[A-Z]\b")
PAGE = re.compile(r"\bdocs/[\w./-]+\.md\b")
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


def variables_read_by_the_code() -> set[str]:
    sources = (ROOT / "src" / "chainkeep").rglob("*.py")
    return {name for path in sources for name in VARIABLE.findall(path.read_text("utf-8"))}


def test_every_variable_that_is_read_is_documented() -> None:
    assert variables_read_by_the_code() - set(VARIABLE.findall(CONFIGURATION)) == set()


def test_every_variable_that_is_documented_is_read() -> None:
    named = {name for page in PAGES for name in VARIABLE.findall(page.read_text("utf-8"))}
    assert named - variables_read_by_the_code() == set()


def test_every_page_that_the_code_names_is_there() -> None:
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.sql"), ROOT / "schema.sql"]
    named = {name for path in sources for name in PAGE.findall(path.read_text("utf-8"))}
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def test_the_documented_defaults_are_the_settings() -> None:
    defaults = Settings()
    documented = dict(
        re.findall(r"^\| `(CHAINKEEP_\w+)` \| `([^`]*)` \|", CONFIGURATION, re.MULTILINE)
    )
    assert documented == {
        "CHAINKEEP_DATABASE_URL": defaults.database.url,
        "CHAINKEEP_BLOBS": defaults.blobs,
        "CHAINKEEP_SPOOL": defaults.spool,
        "CHAINKEEP_JOURNAL": defaults.journal,
        "CHAINKEEP_WRITE_LANES": str(defaults.database.write_lanes),
        "CHAINKEEP_WRITE_QUEUE": str(defaults.write_queue),
        "CHAINKEEP_LOCK_TIMEOUT": f"{defaults.database.lock_timeout_seconds:g}",
        "CHAINKEEP_CLOSE_TIMEOUT": f"{defaults.close_timeout_seconds:g}",
        "CHAINKEEP_AUTO_MIGRATE": str(int(defaults.auto_migrate)),
        "CHAINKEEP_PGBOUNCER": str(int(defaults.database.pgbouncer)),
        "CHAINKEEP_POOL_SIZE": str(defaults.database.pool_size),
        "CHAINKEEP_SEARCH_INDEX": str(int(defaults.search_index)),
        "CHAINKEEP_DIRECT_URLS": str(int(defaults.direct_urls)),
        "CHAINKEEP_CACHE_SECONDS": f"{defaults.cache_seconds:g}",
    }


def test_the_documented_options_of_a_bucket_are_those_it_takes() -> None:
    table = CONFIGURATION.partition("## A bucket")[2]
    documented = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", table, re.MULTILINE))
    taken = {field.name: field.default for field in fields(S3Options)}
    not_in_an_address = {"bucket", "prefix", "access_key", "secret_key", "session_token"}
    assert set(documented) == set(taken) - not_in_an_address
    assert {
        name: int(word.strip("`")) for name, word in documented.items() if word[1].isdecimal()
    } == {name: default for name, default in taken.items() if isinstance(default, int)}


def test_the_changelog_knows_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "## [Unreleased]" in changelog
    assert __version__ in changelog


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_its_four_parts(page: Path) -> None:
    text = page.read_text("utf-8")
    number = int(page.stem.partition("-")[0])
    assert re.match(rf"# {number}\. \S", text)
    assert re.findall(r"^(?:## |\*\*)([A-Z][a-z]+)\b", text, re.MULTILINE) == [
        "Status",
        "Context",
        "Decision",
        "Consequences",
    ]


def test_decisions_are_numbered_once() -> None:
    numbers = [page.stem.partition("-")[0] for page in DECISIONS]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_make_command_that_a_page_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    commands = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {
        name
        for page in PAGES
        for name in re.findall(r"(?:^|`)make ([a-z]+)\b", page.read_text("utf-8"), re.MULTILINE)
    }
    assert named - commands == set()
    assert {"example", "test", "check"} <= named
