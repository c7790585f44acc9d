"""What the README tells people to type, typed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from chainkeep.cli import main
from tests.support.server import ChainlitServer

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands(name: str) -> list[list[str]]:
    lines = "".join(blocks("sh")).splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [command for command in words if command[:1] == [name]]


def run(command: list[str], folder: Path) -> str:
    ended = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


THE_APP = next(block for block in blocks("python") if "@cl.data_layer" in block)


ANSWERS = """

@cl.on_message
async def answer(message):
    await cl.Message(message.content).send()
"""


@pytest.mark.e2e
def test_an_app_with_the_three_lines_starts_and_keeps(tmp_path: Path) -> None:
    app = tmp_path / "three_lines.py"
    app.write_text(THE_APP + ANSWERS, "utf-8")
    with ChainlitServer(tmp_path / "home", app=app) as server:
        settings = httpx.get(f"{server.url}/project/settings?language=en-US").json()
        assert settings["dataPersistence"] is True


@pytest.mark.parametrize("block", [block for block in blocks("python") if block != THE_APP])
def test_a_python_block_runs_as_it_stands(block: str, tmp_path: Path) -> None:
    run([sys.executable, "-c", block], tmp_path)


@pytest.mark.parametrize("command", commands("chainkeep"), ids=" ".join)
def test_a_command_and_its_options_exist(command: list[str]) -> None:
    verbs = list(takewhile(lambda word: not word.startswith("-"), command[1:]))
    described = CliRunner().invoke(main, [*verbs, "--help"])
    assert described.exit_code == 0, described.output
    options = [word for word in command if word.startswith("-")]
    assert [option for option in options if option not in described.output] == []


def test_there_are_commands_to_check() -> None:
    assert commands("chainkeep")
    assert commands("make")


def test_the_extras_that_are_named_exist() -> None:
    named = {
        extra for extras in re.findall(r"\[([a-z0-9,]+)\]'", README) for extra in extras.split(",")
    }
    pyproject = (ROOT / "pyproject.toml").read_text("utf-8")
    declared = pyproject.partition("[project.optional-dependencies]")[2].partition("\n\n")[0]
    assert named
    assert named <= set(re.findall(r"^([a-z0-9]+) =", declared, re.MULTILINE))


def test_the_example_s_logins_are_those_of_the_readme() -> None:
    app = (ROOT / "examples" / "chainlit_app" / "app.py").read_text("utf-8")
    logins = re.findall(r"(\w+) \(password (\w+)\)", README)
    assert logins
    assert all(f'"{user}": "{password}"' in app for user, password in logins)
