"""What `up` and `down` print, evaluated by real shells."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hosted_model_local import __main__ as command
from hosted_model_local import run_folder, shell

SHELLS = ["sh", "bash"]
BASE = {
    "PATH": "/mine/bin:/usr/bin:/bin",
    "HOME": "/h",
    "AWS_PROFILE": "work",
    "SSL_CERT_FILE": "/company's.pem",
    "AWS_ENDPOINT_URL_S3": "https://s3",
}
SETTINGS = {
    "AWS_ENDPOINT_URL": "https://127.0.0.1:1",
    "AWS_REGION": "eu-west-1",
    "PATH": f"/cloud's/bin:{BASE['PATH']}",
    "SSL_CERT_FILE": "/a b/bundle.pem",
}
ENDPOINTS = """
import botocore.session
session = botocore.session.Session()
for name in ("sts", "cloudformation", "s3", "rekognition", "iam", "ssm"):
    print(session.create_client(name).meta.endpoint_url)
"""
SHOW = f'"{sys.executable}" -c "import json, os; print(json.dumps(dict(os.environ)))"'


def run(sh: str, text: str, base: dict[str, str] = BASE) -> tuple[int, dict[str, str]]:
    """Evaluate a text as `eval` does; its exit code, and the environment of the next command."""
    done = subprocess.run(
        [sh, "-uc", f'eval "$TEXT"; code=$?; unset TEXT; {SHOW}; exit $code'],
        env={**base, "TEXT": text}, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.stderr == ""
    ignored = ("_", "SHLVL", "PWD", "LC_CTYPE", "OLDPWD")
    return done.returncode, {k: v for k, v in json.loads(done.stdout).items() if k not in ignored}


@pytest.mark.parametrize("sh", SHELLS)
def test_up_points_the_shell_and_down_gives_back_what_it_had(sh: str) -> None:
    code, pointed = run(sh, shell.point(SETTINGS, BASE))
    assert code == 0
    assert SETTINGS.items() <= pointed.items()
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3"} & set(pointed)
    assert shell.before(pointed) == BASE
    assert run(sh, shell.restore(pointed), pointed) == (0, BASE)


@pytest.mark.parametrize("sh", SHELLS)
def test_up_again_in_the_same_shell_remembers_what_was_before_the_first(sh: str) -> None:
    _, first = run(sh, shell.point(SETTINGS, BASE))
    _, second = run(sh, shell.point({**SETTINGS, "AWS_ENDPOINT_URL": "https://127.0.0.1:2"}, first), first)
    assert second["AWS_ENDPOINT_URL"] == "https://127.0.0.1:2"
    _, failed = run(sh, shell.refuse(second), second)
    assert run(sh, shell.restore(failed), failed) == (0, BASE)


@pytest.mark.parametrize("sh", SHELLS)
def test_what_was_activated_since_stays_on_the_path(sh: str) -> None:
    _, pointed = run(sh, shell.point(SETTINGS, BASE))
    pointed["PATH"] = f"/new/bin:{pointed['PATH']}"
    assert run(sh, shell.restore(pointed), pointed)[1]["PATH"] == f"/new/bin:{BASE['PATH']}"


@pytest.mark.parametrize("sh", SHELLS)
def test_an_up_that_fails_fails_and_points_nowhere(sh: str) -> None:
    code, after = run(sh, shell.refuse(BASE))
    assert code == 1
    asked = subprocess.run(
        [sys.executable, "-c", ENDPOINTS],
        env={**after, "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
    )
    assert set(asked.stdout.split()) == {shell.NOWHERE}, asked.stderr
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3"} & set(after)
    done = subprocess.run([sh, "-ec", 'eval "$TEXT"; echo went on'], env={**BASE, "TEXT": shell.refuse(BASE)},
                          capture_output=True, text=True)  # fmt: skip
    assert (done.returncode, done.stdout) == (1, ""), "with `set -e` it ends here"


def test_no_value_of_the_caller_is_printed() -> None:
    base = {**BASE, "AWS_SECRET_ACCESS_KEY": "very-secret", "AWS_SESSION_TOKEN": "very-secret"}
    for text in (shell.point({**SETTINGS, "AWS_SECRET_ACCESS_KEY": "test"}, base), shell.refuse(base)):
        assert "very-secret" not in text
        assert 'AWS_SESSION_TOKEN="$AWS_SESSION_TOKEN"' in text


def test_nothing_to_give_back() -> None:
    assert shell.restore(BASE) == ""


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (["up", "--region", "mars-1"], 2, "mars-1"),
        (["up", "--regoin", "us-east-1"], 2, "regoin"),
        (["up", "--requests-per-second", "-1"], 2, "requests-per-second"),
        (["up", "--state", "/dev/null/x"], 1, "error"),
        (["up", "--state", "{mine}"], 1, "not empty"),
    ],
)
def test_every_up_that_fails_prints_it(tmp_path: Path, given: list[str], code: int, said: str) -> None:
    (tmp_path / "thesis.tex").touch()
    given = [one.replace("{mine}", str(tmp_path)) for one in given]
    done = subprocess.run(
        [sys.executable, "-m", "hosted_model_local", *given], capture_output=True, text=True, timeout=200
    )
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert done.stdout.endswith("\nfalse\n")
    assert shell.NOWHERE in done.stdout
    assert "Traceback" not in done.stderr


def test_options_that_a_running_cloud_does_not_take_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from hosted_model_local import processes

    mine = processes.identify(os.getpid())
    assert mine is not None
    run_folder.claim(tmp_path / "x")
    run_folder.save(
        tmp_path / "x", run_folder.CloudRun("https://m", "http://s", ("us-east-1",), 5, True, (mine,))
    )
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    options = ["--region", "eu-west-1", "--requests-per-second", "1", "--no-bootstrap"]
    assert command.main(["up", "--state", str(tmp_path / "x"), *options]) == 0
    said = capsys.readouterr()
    assert [line.split(";")[0] for line in said.err.splitlines() if "not taken" in line] == [
        "not taken: --region", "not taken: --requests-per-second", "not taken: --no-bootstrap",
    ]  # fmt: skip
    assert "export AWS_ENDPOINT_URL=https://m\n" in said.out
    assert command.main(["up", "--state", str(tmp_path / "x"), "--region", "us-east-1"]) == 0
    assert "not taken" not in capsys.readouterr().err


#: A day in a shell: $COMMAND is the local cloud's command, $STATE its folder.
DAY = """
eval "$($COMMAND up --no-bootstrap)" || exit 1
first=$AWS_ENDPOINT_URL
$COMMAND status >/dev/null || exit 2
$COMMAND down >/dev/null || exit 3
# Not evaluated: the shell still points at what is gone, and what reads certificates works all the same.
"$PYTHON" -c 'import ssl; ssl.create_default_context()' || exit 4
eval "$($COMMAND up --no-bootstrap)" || exit 5
[ "$AWS_ENDPOINT_URL" = "$first" ] || exit 6
eval "$($COMMAND down)" || exit 7
[ "$PATH" = "$PATH_BEFORE" ] && [ "$AWS_PROFILE" = work ] && [ -z "${AWS_ENDPOINT_URL-}" ] || exit 8
"$PYTHON" -c 'import ssl; ssl.create_default_context()' || exit 9
eval "$($COMMAND status)"; [ $? = 3 ] || true
"""


@pytest.mark.parametrize("sh", SHELLS)
def test_a_day_in_a_shell(sh: str, tmp_path: Path) -> None:
    variables = {
        "COMMAND": f"{sys.executable} -m hosted_model_local",
        "PYTHON": sys.executable,
        "PATH_BEFORE": os.environ["PATH"],
        "AWS_PROFILE": "work",
        run_folder.STATE_VARIABLE: str(tmp_path / "cloud"),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    try:
        done = subprocess.run(
            [sh, "-uc", DAY], env={**kept, **variables}, capture_output=True, text=True, timeout=500
        )
        assert done.returncode == 0, done.stderr
    finally:
        run_folder.end(tmp_path / "cloud")


@pytest.mark.parametrize("sh", SHELLS)
def test_make_up_that_cannot_even_install_fails_and_points_nowhere(sh: str, tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "package.json", "package-lock.json"):
        shutil.copy(Path(__file__).parents[3] / name, tmp_path)
    made = subprocess.run(
        ["make", "-s", "up", "PYTHON=no-such-python"], cwd=tmp_path, capture_output=True, text=True
    )
    assert "There is no no-such-python" in made.stderr
    code, after = run(sh, made.stdout)
    assert (code, after["AWS_ENDPOINT_URL"], "AWS_PROFILE" in after) == (1, shell.NOWHERE, False)
