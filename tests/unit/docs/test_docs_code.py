"""Every block of Python in README and docs runs; what it declares is synthesised."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template

from hosted_model import RekognitionCustomLabelsModel
from unit.docs.pages import Block, blocks

# A reader goes down a page: what one block made, the next ones use.
PAGES = {page: list(found) for page, found in groupby(blocks("python"), key=lambda each: each.page)}
#: Models that a page's blocks host.
HOSTED = {
    "docs/hosting-hours.md": 1,
    "README.md": 3,
    "docs/getting-started.md": 5,
    "docs/migration.md": 2,
    "docs/operations.md": 0,
    "docs/upgrading.md": 1,
    "docs/cost.md": 1,
    "docs/monitoring.md": 0,
    "docs/add-a-service.md": 0,
}
#: What docs/stylesheets/extra.css makes room for.
COLUMNS = 104
ACCOUNT, REGION = "111122223333", "us-east-1"


def prepared(outdir: Path) -> dict[str, Any]:
    """What a page takes for granted: an app, a stack, and a model in it."""
    app = App(outdir=str(outdir))
    stack = Stack(app, "Prepared", env=Environment(account=ACCOUNT, region=REGION))
    model = RekognitionCustomLabelsModel(
        stack,
        "PreparedModel",
        project_version_arn=f"arn:aws:rekognition:{REGION}:{ACCOUNT}:project/p/version/v1/1600000000001",
    )
    return {"app": app, "stack": stack, "model": model}


def run(block: Block, names: dict[str, Any]) -> None:
    """Run a block at its place in the page, so that a failure points there."""
    # An app can be synthesised once: it is, when the page has been read.
    text = block.text.replace("app.synth()\n", "")
    exec(compile("\n" * block.line + text, block.page, "exec"), names)


def hosted(names: dict[str, Any]) -> int:
    """Synthesise every stack; the number of hosted models in them."""
    stacks = {each for each in names.values() if isinstance(each, Stack)}
    found = [Template.from_stack(stack).find_resources("Custom::HostedModel") for stack in stacks]
    return sum(map(len, found))


@pytest.mark.parametrize("page", PAGES)
def test_a_page(page, tmp_path):
    names = prepared(tmp_path)
    there = names["stack"]
    for block in PAGES[page]:
        run(block, names)
    assert hosted({**names, "": there}) == HOSTED[page] + 1


def test_every_page_with_code_is_known():
    assert set(PAGES) == set(HOSTED)


def test_no_line_is_cut_on_a_screen_of_1280_pixels():
    """Output of a pipe is shown as it is: one line a model."""
    lines = [
        (str(block), line)
        for language in ("python", "shell", "json")
        for block in blocks(language)
        for line in block.text.splitlines()
    ]
    assert len(lines) > 400
    assert [(where, line) for where, line in lines if len(line) > COLUMNS] == []


def test_a_block_that_is_wrong_is_seen(tmp_path):
    block = Block("README.md", "python", "LookoutVisionModl(stack)\n", 7)
    with pytest.raises(NameError, match="LookoutVisionModl"):
        run(block, prepared(tmp_path))
