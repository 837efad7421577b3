"""`python -m app [WORKSPACE]`: start the studio."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options and serve until stopped."""
    options = parse(arguments)
    if options.workspace is not None:
        place = options.workspace
        os.environ["PUL_WORKSPACE"] = place if "://" in place else str(Path(place).absolute())
    if options.no_demo_run:
        os.environ["PUL_STUDIO_DEMO_RUN"] = "0"
    from app.asgi import app  # after the environment is set

    shown = f"[{options.host}]" if ":" in options.host else options.host
    print(f"PUL Studio: http://{shown}:{options.port}  (Ctrl+C stops it)", flush=True)
    if options.host not in ("127.0.0.1", "::1", "localhost"):
        print("Whoever reaches this address may see the images and start work here.", flush=True)
    app.run(config=server_config(options.host, options.port))


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
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    if not 0 <= options.port < 65536:
        parser.error(f"--port must be from 0 to 65535, but is {options.port}")
    return options


def server_config(host: str, port: int) -> dict[str, object]:
    """Return Streamlit's settings: nothing is sent anywhere, no file is watched."""
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "viewer",
    }


if __name__ == "__main__":
    main()
