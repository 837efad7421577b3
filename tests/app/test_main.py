import pytest

from app.__main__ import parse, server_config


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


def test_server_config__sends_nothing_anywhere() -> None:
    config = server_config("127.0.0.1", 8501)
    assert config["browser.gatherUsageStats"] is False
    assert (config["server.address"], config["server.port"]) == ("127.0.0.1", 8501)
