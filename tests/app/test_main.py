import os
import subprocess
import sys
from pathlib import Path

import pytest
import uvicorn

from app import server
from app.__main__ import main, parse, server_config
from app.http_limits import LimitedProtocol
from tests.app.browser.browsing import ROOT


def test_parse__nothing_given() -> None:
    options = parse([])
    assert (options.workspace, options.host, options.port) == (None, "127.0.0.1", 8501)
    assert not options.no_demo_run


def test_parse__all_given() -> None:
    options = parse(["market", "--host", "0.0.0.0", "--port", "0", "--no-demo-run"])
    assert (options.workspace, options.host, options.port) == ("market", "0.0.0.0", 0)
    assert options.no_demo_run


@pytest.mark.parametrize("port", ["-1", "65536", "many"])
def test_parse__no_port(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([f"--port={port}"])
    assert "port" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["/pul", "pul", "/user/ann@x.org/proxy/8501/", "/a.b/~c", "/"])
def test_parse__base_path(path: str) -> None:
    assert parse([f"--base-path={path}"]).base_path == path


@pytest.mark.parametrize(
    "path", ["http://a.org/pul", "/a/../b", "/..", "/a b", "/a?b", "//a", "/%61"]
)
def test_parse__no_base_path(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([f"--base-path={path}"])
    assert "must be a path such as /pul" in capsys.readouterr().err


def test_parse__base_path_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMLIT_SERVER_BASE_URL_PATH", "lab/pul")
    assert parse([]).base_path == "lab/pul"
    assert parse(["--base-path", "/other"]).base_path == "/other"


@pytest.mark.parametrize(
    ("given", "setting", "expected"),
    [
        (None, "", ""),
        (None, "pul", "/pul"),
        ("lab/pul/", "pul", "/lab/pul"),
        ("/", "pul", ""),
        ("", "pul", ""),
    ],
)
def test_base_path__the_option_goes_before_the_file(
    given: str | None, setting: str, expected: str, tmp_path: Path
) -> None:
    (tmp_path / ".streamlit").mkdir()
    file = tmp_path / ".streamlit" / "config.toml"
    file.write_text(f'[server]\nbaseUrlPath = "{setting}"\n', encoding="utf-8")
    program = f"from app.__main__ import base_path; print('<' + base_path({given!r}) + '>')"
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=True, text=True,
        stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert said.stdout == f"<{expected}>\n"


def test_server_config__sends_nothing_anywhere() -> None:
    config = server_config("127.0.0.1", 8501)
    assert config["browser.gatherUsageStats"] is False
    assert (config["server.address"], config["server.port"]) == ("127.0.0.1", 8501)


@pytest.mark.parametrize(
    ("host", "names", "allowed", "shown"),
    [
        ("127.0.0.1", [], ["127.0.0.1", "::1", "localhost"], "localhost"),
        ("127.0.0.1", ["a.org"], ["127.0.0.1", "::1", "localhost", "a.org"], "localhost"),
        ("0.0.0.0", [], [], "localhost"),
        ("192.0.2.7", [], [], "192.0.2.7"),
    ],
)
def test_server_config__answers_to_its_own_names_and_asks_nobody_for_them(
    host: str, names: list[str], allowed: list[str], shown: str
) -> None:
    config = server_config(host, 8501, names)
    assert config["server.allowedHosts"] == allowed
    assert config["browser.serverAddress"] == shown


def test_server_config__is_closed() -> None:
    config = server_config("127.0.0.1", 8501)
    assert config["server.enableXsrfProtection"] is True
    assert config["server.enableCORS"] is True
    assert config["server.enableStaticServing"] is False
    assert config["server.enableAgentApi"] is False
    assert config["server.maxUploadSize"] == 500


@pytest.mark.skipif(sys.platform == "win32", reason="there is no uvloop")
def test_server__runs_on_the_quick_loop_and_parser() -> None:
    config = uvicorn.Config(server.app)  # loop and parser are left to it by Streamlit, too
    config.load()
    factory = config.get_loop_factory()
    assert factory is not None
    loop = factory()
    loop.close()
    assert type(loop).__module__.startswith("uvloop")
    assert config.http_protocol_class is LimitedProtocol  # which is that of httptools


def test_server__has_pandas_before_threads_draw() -> None:
    program = "import sys, app.server; sys.exit('pandas' not in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_main__login_without_a_provider_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PUL_STUDIO_LOGIN", "")
    with pytest.raises(SystemExit, match="--login needs an OIDC provider"):
        main(["--login", "--port", "0"])
