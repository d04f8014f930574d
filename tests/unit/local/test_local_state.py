"""The folder of a cloud is its own, and nobody else's is touched."""

import os
from pathlib import Path

import pytest

from hosted_model_local import cloud, processes, state
from hosted_model_local.__main__ import NOT_UP, exports, main
from hosted_model_local.status import NOBODY, owner

MINE = processes.identify(os.getpid())


def written(folder: Path, *servers: processes.Process) -> state.State:
    state.claim(folder)
    made = state.State("https://m", "http://s", ("us-east-1",), {"A": "b c"}, servers)
    state.save(folder, made)
    return made


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    assert MINE is not None
    made = written(tmp_path / "x", MINE)
    assert state.load(tmp_path / "x") == made
    assert made.is_up


def test_a_recycled_process_id_is_not_up(tmp_path: Path) -> None:
    made = written(tmp_path / "x", processes.Process(os.getpid(), "long ago"))
    assert not made.is_up


def test_the_folder_is_private(tmp_path: Path) -> None:
    state.claim(tmp_path / "x")
    assert (tmp_path / "x").stat().st_mode & 0o077 == 0


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(FileExistsError, match="not empty"):
        cloud.LocalCloud(tmp_path).start()
    assert (tmp_path / "thesis.tex").exists()


def test_only_a_cloud_s_folder_is_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    state.release(tmp_path)
    assert (tmp_path / "thesis.tex").exists()
    state.claim(tmp_path / "x")
    state.release(tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_status_without_a_cloud_is_an_exit_code_of_its_own(tmp_path: Path) -> None:
    assert main(["status", "--state", str(tmp_path)]) == NOT_UP == 3


def test_down_without_a_cloud_is_a_success(tmp_path: Path) -> None:
    assert main(["down", "--state", str(tmp_path / "none")]) == 0


def test_down_removes_what_a_dead_cloud_left(tmp_path: Path) -> None:
    written(tmp_path / "x", processes.Process(os.getpid(), "long ago"))
    assert main(["down", "--state", str(tmp_path / "x")]) == 0
    assert not (tmp_path / "x").exists()


def test_the_default_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(state.STATE_VARIABLE, str(tmp_path))
    assert state.default_folder() == tmp_path


def test_exports_are_quoted_and_unset_what_would_win() -> None:
    said = exports({"A": "b c", "D": "e'f"}, {"AWS_PROFILE": "work"})
    assert said == "unset AWS_PROFILE\nexport A='b c'\nexport D='e'\"'\"'f'"


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        (
            {
                "hosted-model:stack": "arn:aws:cloudformation:us-east-1:000000000000:stack/Boards/0f-1",
                "hosted-model:logical-id": "Model",
            },
            "Boards/Model",
        ),
        ({"hosted-model:closed": "x", "cost": "y"}, NOBODY),
        ({}, NOBODY),
    ],
)
def test_the_owner_is_read_from_the_tags(tags: dict[str, str], wanted: str) -> None:
    assert owner(tags) == wanted
