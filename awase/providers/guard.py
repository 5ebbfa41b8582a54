"""Addresses that users type (CalDAV servers) must not lead our server into its own network.

The check sits where the connection is made: a name is resolved once, every address it yields is checked,
and the connection goes to a checked address, so neither a redirect nor a changing DNS answer slips by.
What the operator opens (`allowed`: networks, addresses or host names) is exempt, also from https.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from socket import SOCK_STREAM, gaierror, getaddrinfo

import httpcore2
import httpx2

from awase.domain.errors import Failure, FailureClass, FailureScope, ProviderError
from awase.providers.http import build_client

TIMEOUT = httpx2.Timeout(35.0, connect=5.0)
"""Seconds. Nextcloud delays its answer to a wrong password by up to 25 (`providers.md` section 6)."""

Resolver = Callable[[str, int], Sequence[str]]

NAT64 = IPv6Network("64:ff9b::/96")
UNICAST = IPv6Network("2000::/3")  # all that IANA has given out; below it lie old ways to carry IPv4 addresses
# What Python calls global and is not for us: Azure's and Oracle's metadata services, relays, local NAT64,
# site-local and documentation addresses (IANA special-purpose registries).
NOT_FOR_US = tuple(
    ip_network(network)
    for network in (
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)


class AddressRefused(ProviderError):
    """The address must not be called. `failure.detail` says why: scheme, credentials, host or private."""

    def __init__(self, why: str) -> None:
        super().__init__(Failure(FailureClass.BAD_REQUEST, FailureScope.CONNECTION, "address_refused", detail=why))


def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a name, as the system finds them."""
    return [str(found[4][0]) for found in getaddrinfo(host, port, type=SOCK_STREAM)]


class Guard:
    """Decides which addresses may be called. `allowed` holds networks, addresses and host names."""

    def __init__(self, allowed: Iterable[str] = (), resolver: Resolver = resolve) -> None:
        self._resolver = resolver
        self._networks = []
        self._hosts = set()
        for entry in allowed:
            try:
                self._networks.append(ip_network(entry, strict=False))
            except ValueError:
                self._hosts.add(entry.lower())

    def check_url(self, url: httpx2.URL) -> None:
        """Refuse other schemes, names and passwords in the address, and plain http beyond what is opened."""
        if url.scheme not in ("https", "http"):
            raise AddressRefused("scheme")
        if url.userinfo:
            raise AddressRefused("credentials")
        if not re.fullmatch(rb"[\w.:-]+", url.raw_host):
            raise AddressRefused("host")
        if url.scheme == "http":
            addresses = self.addresses(url.host, url.port or 80)
            if not all(self._opened(url.host, address) for address in addresses):
                raise AddressRefused("scheme")

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host, each of them checked. Raises AddressRefused, httpcore2.ConnectError."""
        try:
            found = self._resolver(host, port)
        except (gaierror, UnicodeError) as error:
            raise httpcore2.ConnectError("the name cannot be resolved") from error
        for address in found:
            if not self._opened(host, address) and not _public(address):
                raise AddressRefused("private")
        return found

    def _opened(self, host: str, address: str) -> bool:
        plain = ip_address(address.partition("%")[0])
        return host.lower() in self._hosts or any(plain in network for network in self._networks)


def _public(address: str) -> bool:
    plain: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(plain, IPv6Address):
        carried = IPv4Address(int(plain) & 0xFFFF_FFFF) if plain in NAT64 else None
        plain = carried or plain.ipv4_mapped or plain.sixtofour or plain
        if isinstance(plain, IPv6Address) and plain not in UNICAST:
            return False
    return plain.is_global and not plain.is_multicast and not any(plain in network for network in NOT_FOR_US)


class _PinnedBackend(httpcore2.SyncBackend):
    """Connects to an address that was checked a moment ago; TLS still speaks to the name."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        failed: httpcore2.ConnectError | httpcore2.ConnectTimeout | None = None
        for address in self._guard.addresses(host, port)[:4]:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed or httpcore2.ConnectError("the name has no address")


class GuardedTransport(httpx2.HTTPTransport):
    """A transport that calls nothing the guard refuses; no proxy, no settings from the environment."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(trust_env=False)
        self._guard = guard
        # httpx2 has no parameter for the network backend; its pool has (a test watches over this).
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            max_connections=20,
            keepalive_expiry=5.0,
            network_backend=_PinnedBackend(guard),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Check the address, then call it. Raises AddressRefused, httpx2.TransportError."""
        try:
            self._guard.check_url(request.url)
        except httpcore2.ConnectError as error:
            raise httpx2.ConnectError(str(error), request=request) from error
        return super().handle_request(request)


def build_guarded_client(
    *, allowed: Iterable[str] = (), timeout: httpx2.Timeout = TIMEOUT, resolver: Resolver = resolve
) -> httpx2.Client:
    """A client for user-typed addresses; safe to share among accounts."""
    return build_client(timeout=timeout, transport=GuardedTransport(Guard(allowed, resolver)), trust_env=False)
