"""A real start and end of the two servers, without the bootstrap."""

import contextlib
import json
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from hosted_model_local import clients, cloud, processes, run_folder, status
from hosted_model_local.gateway import AUTHORIZE_PATH

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def listeners(pid: int) -> set[str]:
    """The addresses that a process listens on, in hexadecimal as /proc/net has them."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(entry.readlink().name.removeprefix("socket:[").rstrip("]"))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.add(fields[1].split(":")[0])
    return found


def post(made: cloud.LocalCloud, document: bytes) -> tuple[int, dict[str, object]]:
    context = ssl.create_default_context(cafile=made.environment["SSL_CERT_FILE"])
    request = urllib.request.Request(made.ministack_url + AUTHORIZE_PATH, data=document, method="POST")
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@linux
def test_it_starts_on_loopback_answers_and_leaves_nothing(tmp_path: Path) -> None:
    made = cloud.LocalCloud(tmp_path / "state", bootstrap=False)
    with made:
        running = made.running()
        assert len(made.pids) == 2
        for pid in made.pids:
            assert listeners(pid) == {"0100007F"}
        assert post(made, b"{}")[0] == 400
        status, verdict = post(made, b'{"method":"GET","path":"/","headers":{"host":"x"}}')
        assert (status, verdict["code"]) == (200, "MissingAuthenticationTokenException")
        assert made.used_actions() == {}
    assert processes.alive(running) == []
    assert not (tmp_path / "state").exists()


def test_a_start_that_fails_ends_everything_and_shows_the_logs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[int] = []
    original = cloud.LocalCloud._spawn

    def spawn(self: cloud.LocalCloud, name: str, module: list[str], extra: dict[str, str]) -> None:
        original(self, name, ["no_such_module"] if name == "simulator" else module, extra)
        started.extend(self.pids)

    monkeypatch.setattr(cloud.LocalCloud, "_spawn", spawn)
    with pytest.raises(cloud.LocalCloudError, match=r"(?s)simulator ended with.*no_such_module"):
        cloud.LocalCloud(tmp_path / "state", bootstrap=False).start()
    assert [pid for pid in started if processes.identify(pid)] == []
    assert not (tmp_path / "state").exists()


def test_ministack_has_what_the_adjustments_need() -> None:
    # In a process of its own: the adjustments are for good.
    code = "from hosted_model_local import ministack_adjustments as m; m.apply_all(); print('applied')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200)
    assert done.stdout == "applied\n", done.stderr


def test_another_ministack_is_refused_by_name() -> None:
    from hosted_model_local import ministack_adjustments

    with pytest.raises(RuntimeError, match=r"no .*json\.nothing_like_it"):
        ministack_adjustments.require(json, "nothing_like_it")


def test_status_lists_schedules(tmp_path: Path) -> None:
    with cloud.LocalCloud(tmp_path / "state", bootstrap=False) as made:
        bundle = tmp_path / "state" / run_folder.BUNDLE
        scheduler = clients.aws(
            "scheduler", endpoint=made.ministack_url, bundle=str(bundle), region="us-east-1"
        )
        scheduler.create_schedule(
            Name="Wake",
            ScheduleExpression="cron(0 8 ? * MON-FRI *)",
            ScheduleExpressionTimezone="Europe/Berlin",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": "arn:aws:lambda:us-east-1:000000000000:function:f",
                "RoleArn": "arn:aws:iam::0:role/r",
            },
        )
        current = run_folder.load(tmp_path / "state")
        assert current is not None
        shown = {one.title: one for one in status.tables(current, bundle)}["Schedules"]
        cells = [list(column.cells) for column in shown.columns]
    assert cells == [["us-east-1"], ["Wake"], ["cron(0 8 ? * MON-FRI *) Europe/Berlin"], ["ENABLED"]]
