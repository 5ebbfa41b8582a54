"""Sending one message over the network."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

WAIT_SECONDS = 10.0


def reachable(address: str) -> bool:
    """https, as the services demand; plain http on this machine alone."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost"))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any, **named: Any) -> None:
        """A redirect is an answer like any other."""


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def send_post(address: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    """Send one message; status 0 stands for no answer."""
    if not reachable(address):
        return 0, b""
    message = urllib.request.Request(address, body, headers, method="POST")  # noqa: S310 - checked above
    try:
        with OPENER.open(message, timeout=WAIT_SECONDS) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except OSError:
        return 0, b""
