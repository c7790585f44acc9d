"""What can be configured: an argument, else a variable, else the default."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from chainkeep.errors import InvalidInputError
from chainkeep.settings import DatabaseSettings, Settings, env_flag, env_number


@pytest.mark.parametrize("word", ["1", "true", "TRUE", "Yes", "on", " on "])
def test_a_yes_is_a_yes(word: str) -> None:
    assert env_flag("FLAG", False, {"FLAG": word})


@pytest.mark.parametrize("word", ["0", "false", "No", "OFF"])
def test_a_no_is_a_no(word: str) -> None:
    assert not env_flag("FLAG", True, {"FLAG": word})


@pytest.mark.parametrize("environ", [{}, {"FLAG": ""}, {"FLAG": "  "}])
@pytest.mark.parametrize("default", [True, False])
def test_a_flag_that_is_not_set_is_its_default(environ: dict[str, str], default: bool) -> None:
    assert env_flag("FLAG", default, environ) is default


@pytest.mark.parametrize("word", ["2", "ja", "truee"])
def test_another_word_for_a_flag_is_refused_by_the_variables_name(word: str) -> None:
    with pytest.raises(InvalidInputError, match=r"CHAINKEEP_X .* set it to 1 or 0"):
        env_flag("CHAINKEEP_X", False, {"CHAINKEEP_X": word})


def test_a_number_is_read_and_else_is_its_default() -> None:
    assert env_number("N", 3, {"N": " 12 "}) == 12
    assert env_number("N", 3, {"N": ""}) == 3
    assert env_number("N", 3, {}) == 3


@pytest.mark.parametrize("word", ["-1", "1.5", "ten", "1e3"])
def test_what_is_no_whole_number_is_refused_by_the_variables_name(word: str) -> None:
    with pytest.raises(InvalidInputError, match="CHAINKEEP_POOL_SIZE"):
        DatabaseSettings.from_environment({"CHAINKEEP_POOL_SIZE": word})


def test_without_any_variable_all_is_its_default() -> None:
    assert DatabaseSettings.from_environment({}) == DatabaseSettings()
    assert Settings.from_environment({}) == Settings()


def test_the_database_is_told_by_variables() -> None:
    found = DatabaseSettings.from_environment(
        {
            "CHAINKEEP_DATABASE_URL": "postgresql+asyncpg://u@h/d",
            "CHAINKEEP_POOL_SIZE": "3",
            "CHAINKEEP_WRITE_LANES": "4",
            "CHAINKEEP_LOCK_TIMEOUT": "5",
            "CHAINKEEP_SCHEMA": "chats",
            "CHAINKEEP_PGBOUNCER": "1",
        }
    )
    assert (found.url, found.pool_size) == ("postgresql+asyncpg://u@h/d", 3)
    assert (found.schema, found.pgbouncer) == ("chats", True)
    assert (found.write_lanes, found.lock_timeout_seconds) == (4, 5)


def test_the_rest_is_told_by_variables() -> None:
    found = Settings.from_environment(
        {
            "CHAINKEEP_BLOBS": "s3://bucket",
            "CHAINKEEP_SPOOL": "/var/spool",
            "CHAINKEEP_JOURNAL": "/var/journal",
            "CHAINKEEP_AUTO_MIGRATE": "no",
            "CHAINKEEP_DIRECT_URLS": "yes",
            "CHAINKEEP_CLOSE_TIMEOUT": "8",
            "CHAINKEEP_WRITE_QUEUE": "500",
        }
    )
    assert (found.blobs, found.spool, found.journal) == (
        "s3://bucket",
        "/var/spool",
        "/var/journal",
    )
    assert (found.auto_migrate, found.direct_urls) == (False, True)
    assert (found.close_timeout_seconds, found.write_queue) == (8, 500)


def test_an_argument_comes_before_the_variable() -> None:
    environ = {"CHAINKEEP_DATABASE_URL": "from the environment", "CHAINKEEP_AUTO_MIGRATE": "1"}
    assert DatabaseSettings.from_environment(environ, url="given").url == "given"
    assert not Settings.from_environment(environ, auto_migrate=False).auto_migrate


def test_an_argument_of_none_is_none_given() -> None:
    environ = {"CHAINKEEP_DATABASE_URL": "from the environment", "CHAINKEEP_BLOBS": "there"}
    assert DatabaseSettings.from_environment(environ, url=None).url == "from the environment"
    assert Settings.from_environment(environ, blobs=None).blobs == "there"


def test_the_settings_of_the_database_can_be_given_whole() -> None:
    database = DatabaseSettings(url="given")
    found = Settings.from_environment({"CHAINKEEP_DATABASE_URL": "not this"}, database=database)
    assert found.database is database


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().blobs = "elsewhere"  # type: ignore[misc]


def test_settings_of_the_database_do_not_show_what_opens_it() -> None:
    settings = DatabaseSettings(url="postgresql+asyncpg://ada:hush@h/d", password_provider=str)
    assert "hush" not in repr(settings)
