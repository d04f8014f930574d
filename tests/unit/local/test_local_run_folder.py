"""The folder of a cloud is its own, and nobody else's is touched."""

import json
import os
import socket
from pathlib import Path

import pytest

from hosted_model_local import cloud, processes, run_folder
from hosted_model_local.__main__ import NOT_UP, main
from hosted_model_local.status import NOBODY, owner

MINE = processes.identify(os.getpid())


def written(folder: Path, *servers: processes.Process) -> run_folder.CloudRun:
    run_folder.claim(folder)
    made = run_folder.CloudRun("https://m", "http://s", ("us-east-1",), 5, True, servers)
    run_folder.save(folder, made)
    return made


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    assert MINE is not None
    made = written(tmp_path / "x", MINE)
    assert run_folder.load(tmp_path / "x") == made
    assert made.is_up


def test_a_recycled_process_id_is_not_up(tmp_path: Path) -> None:
    made = written(tmp_path / "x", processes.Process(os.getpid(), "long ago"))
    assert not made.is_up


def test_the_folder_is_private(tmp_path: Path) -> None:
    run_folder.claim(tmp_path / "x")
    assert (tmp_path / "x").stat().st_mode & 0o077 == 0


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(FileExistsError, match="not empty"):
        cloud.LocalCloud(tmp_path).start()
    assert (tmp_path / "thesis.tex").exists()


def test_only_a_cloud_s_folder_is_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    run_folder.release(tmp_path)
    assert (tmp_path / "thesis.tex").exists()
    run_folder.claim(tmp_path / "x")
    run_folder.release(tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_status_without_a_cloud_is_an_exit_code_of_its_own(tmp_path: Path) -> None:
    assert main(["status", "--state", str(tmp_path)]) == NOT_UP == 3


def test_down_without_a_cloud_is_a_success(tmp_path: Path) -> None:
    assert main(["down", "--state", str(tmp_path / "none")]) == 0


def test_down_removes_what_a_dead_cloud_left(tmp_path: Path) -> None:
    written(tmp_path / "x", processes.Process(os.getpid(), "long ago"))
    assert main(["down", "--state", str(tmp_path / "x")]) == 0
    assert list((tmp_path / "x").iterdir()) == []


def test_the_default_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(run_folder.STATE_VARIABLE, str(tmp_path))
    assert run_folder.default_folder() == tmp_path


def test_the_end_of_a_cloud_leaves_what_shells_need_and_the_next_begins_there(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    written(folder, processes.Process(os.getpid(), "long ago"))
    for name in (run_folder.BUNDLE, "server.key", "ministack.log"):
        (folder / name).touch()
    (folder / run_folder.TOOLS).mkdir()
    ports = run_folder.choose_ports(folder, 2)
    run_folder.end(folder)
    assert {one.name for one in folder.iterdir()} == {run_folder.BUNDLE, run_folder.TOOLS, "ports.json"}
    run_folder.claim(folder)
    assert run_folder.choose_ports(folder, 2) == ports
    with socket.create_server(("127.0.0.1", ports[0])):
        others = run_folder.choose_ports(folder, 2)
    assert (others[0] != ports[0], others[1]) == (True, ports[1])
    run_folder.release(folder)
    assert not folder.exists()


@pytest.mark.parametrize("said", ["", "[]", "[1", '["x"]', "[99999999, -1]", "7"])
def test_ports_that_cannot_be_read_are_chosen_anew(tmp_path: Path, said: str) -> None:
    (tmp_path / "ports.json").write_text(said)
    assert all(0 < port < 65536 for port in run_folder.choose_ports(tmp_path, 2))


def test_the_file_of_version_0_1_is_read(tmp_path: Path) -> None:
    old = {"ministack_url": "https://m", "simulator_url": "http://s", "regions": ["r"], "environment": {},
           "servers": [{"pid": 1, "started": "2"}]}  # fmt: skip
    (tmp_path / "state.json").write_text(json.dumps(old))
    found = run_folder.load(tmp_path)
    assert found is not None
    assert found.servers == (processes.Process(1, "2"),)


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
