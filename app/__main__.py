"""`python -m app [WORKSPACE]`: start the studio."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from app import services
from app.wording import SUBJECT, SUBJECTS

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_BASE_PATH_VARIABLE = "STREAMLIT_SERVER_BASE_URL_PATH"
_BASE_PATH = re.compile(r"/?([\w@+~.-]+/)*[\w@+~.-]*")
_MAX_MESSAGE_MIB = 200


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options and serve until stopped."""
    options = parse(arguments)
    if options.workspace is not None:
        place = options.workspace
        os.environ["PUL_WORKSPACE"] = place if "://" in place else str(Path(place).absolute())
    if options.no_demo_run:
        os.environ["PUL_STUDIO_DEMO_RUN"] = "0"
    if options.subject is not None:
        os.environ[SUBJECT] = options.subject
    if options.login:
        os.environ["PUL_STUDIO_LOGIN"] = "1"
    if options.browse_root is not None:
        os.environ[services.browsing.ROOT] = str(options.browse_root.absolute())
    os.environ[services.uploads.MAX_UPLOAD] = str(options.max_upload)
    services.machine.save_memory()
    from app.server import app  # after the environment is set

    services.machine.leave_a_core()

    if options.login:
        _check_login()
    shown = f"[{options.host}]" if ":" in options.host else options.host
    base = base_path(options.base_path)
    print(f"PUL Studio: http://{shown}:{options.port}{base}  (Ctrl+C stops it)", flush=True)
    if options.host not in _LOOPBACK and not options.login:
        print("Anyone who can reach this address can see the images and start jobs.", flush=True)
    config = server_config(options.host, options.port, options.allow_host)
    app.run(config=config | {"server.baseUrlPath": base})


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options of the command line; wrong ones end the process with a message."""
    parser = argparse.ArgumentParser(prog="python -m app", description="Start PUL Studio.")
    parser.add_argument(
        "workspace", nargs="?", help="folder or URL of a workspace; by default the demo"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; 0.0.0.0 accepts connections from other machines",
    )
    parser.add_argument("--port", type=int, default=8501, help="port to listen on")
    parser.add_argument(
        "--no-demo-run", action="store_true", help="do not start the demo's run automatically"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="accept requests for this host name only, for example behind a proxy; may be repeated",
    )
    _add_reach(parser)
    parser.add_argument(
        "--subject",
        choices=list(SUBJECTS),
        help="what the images show, for the words on the screen: person if not given",
    )
    parser.add_argument("--login", action="store_true", help="require OIDC login")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    _check(parser, options)
    return options


def _add_reach(parser: argparse.ArgumentParser) -> None:
    """Add the options about where it is served, and what people there may look through and send."""
    parser.add_argument(
        "--base-path",
        metavar="PATH",
        default=os.environ.get(_BASE_PATH_VARIABLE),  # which `streamlit run` reads, and App.run not
        help="path that the studio is served below, behind a proxy that does not take it off",
    )
    parser.add_argument(
        "--browse-root",
        type=Path,
        metavar="FOLDER",
        help="folder of the server that people may look through for images; by default the home",
    )
    parser.add_argument(
        "--max-upload",
        type=int,
        default=services.uploads.max_mib(),
        metavar="MIB",
        help="largest file that people may drop on the page, in MiB; it is held in memory",
    )


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if not 0 <= options.port < 65536:
        parser.error(f"--port must be from 0 to 65535, but is {options.port}")
    if options.max_upload < 1:
        parser.error(f"--max-upload must be 1 MiB or more, but is {options.max_upload}")
    if options.browse_root is not None and not options.browse_root.is_dir():
        parser.error(f"--browse-root must be a folder, but is {options.browse_root}")
    if options.base_path is not None and not _is_path(options.base_path):
        parser.error(
            f"--base-path or {_BASE_PATH_VARIABLE} must be a path such as /pul or /user/ann/pul, "
            f"without the name of the server, but is {options.base_path}"
        )


def _is_path(path: str) -> bool:
    is_up = {".", ".."} & set(path.split("/"))
    return not is_up and _BASE_PATH.fullmatch(path) is not None


def _check_login() -> None:
    from app.routes import access
    from pul.errors import ConfigError

    try:
        access.check_set_up()
    except ConfigError as error:
        sys.exit(f"error: {error}")


def base_path(given: str | None) -> str:
    """Return the path that the studio is served below: "" or such as "/pul".

    Args:
        given: The option; None takes `server.baseUrlPath` of Streamlit's configuration files.
    """
    from streamlit import config

    path = str(config.get_option("server.baseUrlPath") if given is None else given).strip("/")
    return f"/{path}" if path else ""


def server_config(host: str, port: int, names: Sequence[str] = ()) -> dict[str, object]:
    """Return Streamlit's settings: no telemetry, no file watcher.

    On a loopback address only loopback host names are accepted, which protects against DNS
    rebinding.
    """
    is_local = host in _LOOPBACK
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "server.enableStaticServing": False,
        "server.enableAgentApi": False,
        # A full garbage collection after every rerun costs more than the rerun itself.
        "runner.postScriptGC": False,
        # With fast reruns, a rerun of the page drops clicks that are queued behind a fragment.
        "runner.fastReruns": False,
        "server.allowedHosts": [*_LOOPBACK, *names] if is_local or names else [],
        "server.maxUploadSize": services.uploads.max_mib(),
        "server.maxMessageSize": _MAX_MESSAGE_MIB,
        # Set, so that Streamlit does not ask an external server for this machine's address.
        "browser.serverAddress": "localhost" if is_local or host in ("0.0.0.0", "::") else host,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "viewer",
    }


if __name__ == "__main__":
    main()
