"""Posting to an address that somebody typed, through the guarded client: no private address, no redirect, no
second try. What the receiver answers is never read, its status is all that counts."""

from collections.abc import Mapping

import httpcore2
import httpx2

from awase.domain.errors import Failure, FailureClass, FailureScope, ProviderError
from awase.providers.guard import AddressRefused, Guard


def check_address(address: str, guard: Guard) -> None:
    """Raises AddressRefused for an address that must not be called. One whose name cannot be resolved at the
    moment passes: it is checked again at each call."""
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL as error:
        raise AddressRefused("host") from error
    try:
        guard.check_url(url)
        guard.addresses(url.host, url.port or 443)
    except httpcore2.ConnectError as error:
        if url.scheme != "https":
            raise AddressRefused("scheme") from error


def post(client: httpx2.Client, address: str, headers: Mapping[str, str], body: bytes) -> tuple[int, float | None]:
    """The status of the answer, and the seconds of its Retry-After (None: not said). Raises ProviderError
    where no answer came, AddressRefused where the address must not be called."""
    try:
        with client.stream("POST", address, headers=dict(headers), content=body, follow_redirects=False) as response:
            wait = response.headers.get("retry-after", "")
            return response.status_code, float(wait) if wait.isdecimal() else None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        failure = Failure(FailureClass.RETRY, FailureScope.CONNECTION, "X01", detail=type(error).__name__)
        raise ProviderError(failure) from error
