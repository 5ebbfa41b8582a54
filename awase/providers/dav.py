"""WebDAV calls of one account.

The client that it is given is guarded (`guard.build_guarded_client`), redirects are followed here, one checked
step at a time and never from https to http.
"""

from base64 import b64encode
from collections.abc import Collection, Mapping

import httpx2

from awase.domain.errors import Failure, FailureScope, ProviderError
from awase.providers.dav_xml import Multistatus, Resource, multistatus
from awase.providers.failures import Answer, wrong_shape
from awase.providers.guard import AddressRefused
from awase.providers.http import Wire, tried_twice

MOST_REDIRECTS = 5
XML = {"Content-Type": "application/xml; charset=utf-8"}


class Dav:
    """WebDAV calls of one account: Basic credentials, checked redirects, multistatus answers."""

    def __init__(self, wire: Wire, username: str, password: str, *, connecting: bool = False) -> None:
        self._wire = wire
        self._connecting = connecting
        secret = b64encode(f"{username}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {secret}"}

    def properties(
        self, url: httpx2.URL, question: str, about: FailureScope = FailureScope.CALENDAR
    ) -> tuple[httpx2.URL, Resource]:
        """Where the answer came from in the end, and the one resource asked for. Raises ProviderError."""
        final, found = self.multistatus("PROPFIND", str(url), question, depth="0", about=about)
        if len(found.resources) != 1:
            raise wrong_shape("one resource")
        return final, found.resources[0]

    def multistatus(
        self,
        method: str,
        url: str,
        question: str,
        *,
        depth: str,
        about: FailureScope = FailureScope.CONNECTION,
    ) -> tuple[httpx2.URL, Multistatus]:
        """Ask, and read the 207 answer. Raises ProviderError, D13 for anything but a multistatus."""
        answer = tried_twice(
            self.send,
            method,
            httpx2.URL(url),
            content=question,
            headers={**XML, "Depth": depth},
            about=about,
        )
        found = multistatus(answer.body)
        if found is None:
            raise ProviderError(self._classified(Answer(207, answer.headers, b"", answer.address), about))
        return answer.address, found

    def send(
        self,
        method: str,
        url: httpx2.URL,
        *,
        content: str = "",
        headers: Mapping[str, str] | None = None,
        expected: Collection[int] = (207,),
        about: FailureScope = FailureScope.CONNECTION,
    ) -> Answer:
        """One call, through redirects. Raises ProviderError unless the status is one that is expected."""
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._wire.fetch(
                method, url, headers={**self._headers, **(headers or {})}, content=content.encode()
            )
            location = answer.headers.get("location", "")
            if answer.status not in (301, 302, 307, 308) or not location:
                break
            target = joined(url, location)
            if url.scheme == "https" and target.scheme != "https":
                raise AddressRefused("scheme")
            url = target
        if answer.status in expected:
            return answer
        raise ProviderError(self._classified(answer, about))

    def conflict(self, url: httpx2.URL) -> Failure:
        """D08: somebody else's event has our name, or changes faster than we can write."""
        return self._classified(Answer(409, httpx2.Headers(), b"", url), FailureScope.EVENT)

    def _classified(self, answer: Answer, about: FailureScope) -> Failure:
        return self._wire.table.classify(answer, now=self._wire.clock(), about=about, fresh=self._connecting)


def joined(base: httpx2.URL, href: str) -> httpx2.URL:
    """An address that a server names, made absolute. Raises ProviderError X02."""
    try:
        return base.join(href)
    except httpx2.InvalidURL as error:
        raise wrong_shape("href") from error
