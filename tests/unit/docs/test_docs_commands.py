"""Every command that a page shows is there: make targets, the local cloud, the simulator's control API."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from hosted_model_local import __main__ as command
from hosted_model_local.simulator import control
from hosted_model_local.simulator.core import Simulator
from hosted_model_local.simulator.http import Request
from unit.docs.pages import PAGES, ROOT, blocks, code, rows

SHELL = blocks("shell")
PROSE = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)


def test_every_make_target_is_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9]+):", makefile, re.MULTILINE))
    said = set(re.findall(r"`make ([a-z0-9]+)", PROSE))
    for block in SHELL:
        said |= set(re.findall(r"\bmake (?:-s )?([a-z0-9]+)", block.text))
    assert len(said) > 10
    assert said <= targets


def test_make_help_shows_the_documentation():
    assert re.search(r"^docs: .*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_a_block_can_be_pasted_whole():
    """A command that asks would take the next line for its answer."""
    lines = [line for block in SHELL for line in block.text.splitlines()]
    deploys = [line for line in lines if line.startswith("cdk deploy")]
    destroys = [line for line in lines if line.startswith("cdk destroy")]
    assert deploys
    assert destroys
    assert [line for line in deploys if "--require-approval never" not in line] == []
    assert [line for line in destroys if "--force" not in line] == []


def test_every_subcommand_is_there():
    known = set(command._parser()._subparsers._group_actions[0].choices)
    said = {word for block in SHELL for word in re.findall(r"hosted-model-local ([a-z]+)", block.text)}
    assert said == known


def test_every_option_of_the_local_cloud_is_there(capsys):
    for row in rows("docs/local-cloud.md", "command"):
        subcommand = code(row[0])[0] if code(row[0]) else "down"
        with pytest.raises(SystemExit):
            command.main([subcommand, "--help"])
        shown = capsys.readouterr().out
        assert [option for option in re.findall(r"--[a-z-]+", row[1]) if option not in shown] == []


def curls() -> Iterator[tuple[str, str, str]]:
    """Every curl to the simulator: method, path, body; in the pages' order."""
    for block in SHELL:
        for line in block.text.replace("\\\n", " ").splitlines():
            if not line.startswith("curl "):
                continue
            words = shlex.split(line.replace("$AWS_ENDPOINT_URL_LOOKOUTVISION", "http://simulator"))
            given = {flag: words[words.index(flag) + 1] for flag in ("-X", "-d") if flag in words}
            (url,) = (word for word in words if word.startswith("http://"))
            yield given.get("-X", "GET"), urlsplit(url).path, given.get("-d", "")


def test_every_curl_is_answered():
    simulator = Simulator()
    answers = []
    for method, path, body in curls():
        answer = simulator.handle(Request(method, path, "", {}, body.encode()))
        assert answer.status == 200, (method, path, body, answer.body)
        answers.append(json.loads(answer.body))
    assert len(answers) > 15


def test_the_members_of_a_model():
    said = {word for row in rows("docs/local-cloud.md", "member") for word in code(row[0])}
    assert said == control._MODEL_MEMBERS
