"""The simulator on a real port."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest

from hosted_model_local.simulator import Simulator
from hosted_model_local.simulator.server import ThreadedServer


@pytest.fixture
def server():
    with ThreadedServer(Simulator(requests_per_second=None)) as server:
        yield server


def ask(url, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read())
    finally:
        connection.close()


def test_paths_arrive_as_they_were_sent(server):
    ask(server.url, "PUT", "/_simulator/models/boards/3", {"tags": {"a": "b"}})
    arn = "arn%3Aaws%3Alookoutvision%3Aus-east-1%3A000000000000%3Amodel%2Fboards%2F3"
    assert ask(server.url, "GET", f"/2020-11-20/tags/{arn}")[2] == {"Tags": [{"Key": "a", "Value": "b"}]}
    assert ask(server.url, "GET", "/2020-11-20/projects/boards%2F3/models/3")[0] == 400


def test_headers_and_status_of_an_error(server):
    ask(server.url, "PUT", "/_simulator/models/boards/3", {})
    fault = {"operation": "DescribeModel", "error": "ThrottlingException", "retry_after": 9}
    ask(server.url, "POST", "/_simulator/faults", fault)
    status, headers, body = ask(server.url, "GET", "/2020-11-20/projects/boards/models/3")
    assert (status, headers["Retry-After"], headers["x-amzn-errortype"]) == (429, "9", "ThrottlingException")
    assert body["Message"]


def test_a_lost_response_is_a_cut_connection(server):
    ask(server.url, "PUT", "/_simulator/models/boards/3", {})
    ask(server.url, "POST", "/_simulator/faults", {"operation": "StartModel", "lose_response": True})
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(server.url, "POST", "/2020-11-20/projects/boards/models/3/start", {"MinInferenceUnits": 1})
    assert ask(server.url, "GET", "/_simulator/models")[2][0]["starts"] == 1


def test_one_of_many_concurrent_starts_takes_effect(server):
    ask(server.url, "PUT", "/_simulator/models/boards/3", {})
    seen = []

    def start():
        path = "/2020-11-20/projects/boards/models/3/start"
        seen.append(ask(server.url, "POST", path, {"MinInferenceUnits": 1})[0])

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [202] + [409] * 7
    assert ask(server.url, "GET", "/_simulator/models")[2][0]["starts"] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_prints_its_address_and_ends_cleanly(number):
    command = [sys.executable, "-m", "hosted_model_local.simulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            assert line.startswith("listening on http://127.0.0.1:")
            assert ask(line.split()[-1], "GET", "/_simulator/health")[0] == 200
            process.send_signal(number)
            assert process.wait(timeout=60) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()
