"""How often a client may do something, and who the client is.

The address is the one that the connection comes from. A header speaks for it only where the operator has named
the proxies in front (AWASE_TRUSTED_PROXIES), because anybody can send one.
"""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

HOUR = 3600


NETWORK = 64  # bits; whoever has one IPv6 address has all that begin with these


def client_address(request: HttpRequest) -> str:
    """The address of the client, for IPv6 its network; behind trusted proxies the nearest one that is none of them."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    for forwarded in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if not _trusted(address):
            break
        address = forwarded.strip() or address
    return _network(address)


def _network(address: str) -> str:
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if not isinstance(known, IPv6Address):
        return address
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return str(ip_network((known, NETWORK), strict=False).network_address)


def _trusted(address: str) -> bool:
    try:
        known = ip_address(address)
    except ValueError:
        return False
    return any(known in ip_network(network, strict=False) for network in settings.AWASE_TRUSTED_PROXIES)


def exceeded(request: HttpRequest, what: str, most: int) -> bool:
    """Count one act of this client; True if that makes more than `most` in the present hour."""
    hour = int(timezone.now().timestamp()) // HOUR
    key = f"limit:{what}:{hour}:{client_address(request)}".replace(" ", "")
    count = int(cache.get(key, 0)) + 1
    cache.set(key, count, HOUR)
    return count > most


def too_many(request: HttpRequest) -> HttpResponse:
    """The page for somebody who has reached a limit."""
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(HOUR)
    return response
