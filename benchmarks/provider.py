"""A local OIDC provider with an account for each simulated person, and the studio set up for it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_SECRETS = """\
[auth]
redirect_uri = "{studio}/oauth2callback"
cookie_secret = "a secret of this benchmark alone"
client_id = "pul-studio"
client_secret = "any"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""
_DOMAIN = "example.org"
ADMITTED = f"@{_DOMAIN}"  # PUL_STUDIO_USERS


@contextmanager
def provide(names: Sequence[str]) -> Iterator[str]:
    """Run a provider with an account for each name; yield its address.

    It needs the package oidc-provider-mock, which asks for no password.
    """
    address = f"http://127.0.0.1:{free_port()}"
    claims = [
        {"sub": name, "name": name, "email": f"{n}@{_DOMAIN}", "email_verified": True}
        for n, name in enumerate(names)
    ]
    options = [word for claim in claims for word in ("--user-claims", json.dumps(claim))]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", address.rpartition(":")[2]]
    provider = subprocess.Popen(
        [*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield address
    finally:
        provider.terminate()
        provider.wait()


def set_up(folder: Path, studio: str, provider: str) -> dict[str, str]:
    """Write the studio's settings for a provider into a folder to start it in; return what it needs
    in its environment.
    """
    settings = folder / ".streamlit" / "secrets.toml"
    settings.parent.mkdir()
    settings.write_text(_SECRETS.format(studio=studio, provider=provider))
    settings.chmod(0o600)
    return os.environ | {"PUL_STUDIO_USERS": ADMITTED}


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
