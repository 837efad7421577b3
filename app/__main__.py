"""`python -m app [WORKSPACE]`: start the studio."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from app import services

_OWN = ("127.0.0.1", "::1", "localhost")
_MAX_UPLOAD_MIB = 20  # a picture, or a list of labels
_MAX_MESSAGE_MIB = 200


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options and serve until stopped."""
    options = parse(arguments)
    if options.workspace is not None:
        place = options.workspace
        os.environ["PUL_WORKSPACE"] = place if "://" in place else str(Path(place).absolute())
    if options.no_demo_run:
        os.environ["PUL_STUDIO_DEMO_RUN"] = "0"
    if options.login:
        os.environ["PUL_STUDIO_LOGIN"] = "1"
    services.machine.save_memory()
    from app.server import app  # after the environment is set

    services.machine.leave_a_core()

    if options.login:
        _check_login()
    shown = f"[{options.host}]" if ":" in options.host else options.host
    print(f"PUL Studio: http://{shown}:{options.port}  (Ctrl+C stops it)", flush=True)
    if options.host not in _OWN and not options.login:
        print("Whoever reaches this address may see the images and start work here.", flush=True)
    app.run(config=server_config(options.host, options.port, options.allow_host))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options of the command line; wrong ones end the process with a message."""
    parser = argparse.ArgumentParser(prog="python -m app", description="Start PUL Studio.")
    parser.add_argument(
        "workspace", nargs="?", help="folder or URL of a workspace; the demo where not given"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets others in"
    )
    parser.add_argument("--port", type=int, default=8501, help="port to listen on")
    parser.add_argument(
        "--no-demo-run", action="store_true", help="do not start a run of the demo by itself"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name of this server, as behind a proxy; others are refused where one is given",
    )
    parser.add_argument("--login", action="store_true", help="require OIDC login")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    if not 0 <= options.port < 65536:
        parser.error(f"--port must be from 0 to 65535, but is {options.port}")
    return options


def _check_login() -> None:
    from app.routes import access
    from pul.errors import ConfigError

    try:
        access.check_set_up()
    except ConfigError as error:
        sys.exit(f"error: {error}")


def server_config(host: str, port: int, names: Sequence[str] = ()) -> dict[str, object]:
    """Return Streamlit's settings: nothing is sent anywhere, no file is watched.

    On this machine's own address only its own names are answered to, so that no page of another
    site reaches the studio under a name that was made to lead here (DNS rebinding).
    """
    is_own = host in _OWN
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "server.enableStaticServing": False,
        "server.enableAgentApi": False,
        # A full collection after every run of a page costs more than the run, the more people look.
        "runner.postScriptGC": False,
        # A drawing of the whole page would drop the presses that wait behind a fragment.
        "runner.fastReruns": False,
        "server.allowedHosts": [*_OWN, *names] if is_own or names else [],
        "server.maxUploadSize": _MAX_UPLOAD_MIB,
        "server.maxMessageSize": _MAX_MESSAGE_MIB,
        # Named, so that Streamlit does not ask a server elsewhere for this machine's address.
        "browser.serverAddress": "localhost" if is_own or host in ("0.0.0.0", "::") else host,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "viewer",
    }


if __name__ == "__main__":
    main()
