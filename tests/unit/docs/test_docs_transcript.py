"""A page of commands and what they print is read, typed and compared as it should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import transcript
from support.transcript import Step
from unit.docs.pages import ROOT

PAGE = """# A page

## 1. First

```shell
x=1
```

Words.

```shell
echo "$x at 18:57:04"
echo more
echo 0.02 of 3
```

```text
1 at 9:12:00
0.31   of 3
```

## 2. Then

```shell
echo end
```
"""


def test_it_is_read_typed_and_compared(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    steps = transcript.steps(page)
    assert [step.title for step in steps] == ["1. First", "1. First", "2. Then"]
    played = transcript.play(steps, tmp_path, {"PATH": "/usr/bin:/bin"}, 60)
    assert [printed for _, printed in played] == ["", "1 at 18:57:04\nmore\n0.02 of 3\n", "end\n"]
    assert [transcript.missing(step, printed) for step, printed in played] == [None, None, None]


def test_a_step_that_fails_ends_it(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="second: exit code 3"):
        transcript.play([Step("first", "true\n", ()), Step("second", "(exit 3)\n", ())], tmp_path, {}, 60)


@pytest.mark.parametrize(
    ("shown", "printed", "missing"),
    [
        (["No model runs."], "one model\n", "No model runs."),
        (["b", "a"], "a\nb\n", "a"),
        (["728.0"], "727.0\n", "728.0"),
        (["a … (c)"], "a b b (c)\n", None),
        (["a … (c)"], "a b b (d)\n", "a … (c)"),
        (["2026-11-25 18:57 UTC"], "2027-01-01 03:00 UTC", None),
    ],
)
def test_what_is_shown_and_not_printed_is_found(shown: list[str], printed: str, missing: str | None) -> None:
    assert transcript.missing(Step("", "", tuple(shown)), printed) == missing


def test_the_first_ten_minutes_show_what_most_parts_print() -> None:
    steps = transcript.steps(ROOT / "docs" / "first-ten-minutes.md")
    assert len([step for step in steps if step.shown]) >= 7
