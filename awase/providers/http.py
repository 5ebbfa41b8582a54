"""One way to call a service: bounded in time and size, classified, repeated only where that is safe.

Whoever builds the `httpx2.Client` uses `build_client`: it has time limits, keeps no cookies (one client
serves many accounts) and follows no redirect (a token must not travel to another host).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx2
import stamina

from awase.domain.errors import Failure, FailureClass, FailureScope, ProviderError
from awase.providers.failures import Answer, FailureTable, Where, unreachable, wrong_shape
from awase.providers.pace import Turns
from awase.providers.protocols import TokenSource

TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
"""Seconds, for each phase of a call that nobody waits for. Live checks at booking time use less."""

BODY_LIMIT = 8 * 1024 * 1024
"""Bytes of a body, unpacked. A full page of 2,500 events is far below."""

PHASES_IN_ALL = 3  # a call ends after so many read time-outs, however slowly the body drips

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock that adapters use unless given another: aware UTC."""
    return datetime.now(UTC)


def build_client(
    *,
    timeout: httpx2.Timeout = TIMEOUT,
    transport: httpx2.BaseTransport | None = None,
    trust_env: bool = True,
) -> httpx2.Client:
    """A client fit for adapters; `trust_env` lets the operator's proxy settings count."""
    no_cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    return httpx2.Client(
        timeout=timeout,
        transport=transport,
        trust_env=trust_env,
        cookies=no_cookies,
        headers={"User-Agent": "Awase"},
        follow_redirects=False,
    )


class Wire:
    """Sends requests and turns whatever goes wrong into one `ProviderError`. Holds no state."""

    def __init__(self, client: httpx2.Client, table: FailureTable, clock: Clock = utc_now) -> None:
        self.client = client
        self.table = table
        self.clock = clock

    def send(
        self,
        method: str,
        url: str | httpx2.URL,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        content: str | bytes | None = None,
        where: Where = Where.API,
        about: FailureScope = FailureScope.CONNECTION,
        calendar_id: str | None = None,
        fresh: bool = False,
        now: datetime | None = None,
    ) -> Answer:
        """One request, one answer with a 2xx status. Raises ProviderError; `now` defaults to the clock.

        `about` and `calendar_id` say what the call is about, for failures that reach no further.
        """
        answer = self.fetch(method, url, headers=headers, params=params, json=json, content=content)
        if answer.good:
            return answer
        raise ProviderError(
            self.table.classify(
                answer,
                now=now or self.clock(),
                where=where,
                about=about,
                fresh=fresh,
                calendar_id=calendar_id,
            )
        )

    def fetch(
        self,
        method: str,
        url: str | httpx2.URL,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        content: str | bytes | None = None,
    ) -> Answer:
        """One request, one answer of any status. Raises ProviderError X01 or X02 where none came whole."""
        try:
            request = self.client.build_request(method, url, headers=headers, params=params, json=json, content=content)
            if None in self.client.timeout.as_dict().values():
                request.extensions["timeout"] = TIMEOUT.as_dict()
            until = time.monotonic() + PHASES_IN_ALL * (request.extensions["timeout"]["read"] or 0)
            response = self.client.send(request, stream=True, auth=None, follow_redirects=False)
            response.stream = _Hurried(response, until)
            try:
                body = _read(response)
            finally:
                response.close()
        except httpx2.DecodingError as error:
            raise wrong_shape("encoding of the body") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise unreachable(error) from error
        return Answer(response.status_code, response.headers, body, response.url)


class BearerWire:
    """Calls on behalf of one account: the token, a refresh after a 401, a repeat where that is safe; `turns` where the
    service limits how many calls of one account are under way."""

    def __init__(
        self,
        wire: Wire,
        base: str,
        tokens: TokenSource,
        headers: Mapping[str, str] | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._wire = wire
        self._base = base
        self._tokens = tokens
        self._headers = dict(headers or {})
        self._turns = turns
        self.table = wire.table

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        about: FailureScope = FailureScope.CONNECTION,
        calendar_id: str | None = None,
    ) -> Answer:
        """One call. `path` follows the base, or is a whole address below it that the service handed out.

        Reads are tried twice in all where no answer or a 5xx came at once; time-outs and writes are not
        repeated. Raises ProviderError.
        """
        url = self._base + path if path.startswith("/") else path
        if not url.startswith(f"{self._base}/"):
            raise wrong_shape("address of the next page")  # the token stays with its service
        if method != "GET":
            return self._authorized(method, url, params, json, headers, about, calendar_id)
        return tried_twice(self._authorized, method, url, params, json, headers, about, calendar_id)

    def classified(self, answer: Answer, about: FailureScope, calendar_id: str | None = None) -> Failure:
        """The failure that an answer is, for one that came inside another (a part of a batch)."""
        return self.table.classify(answer, now=self._wire.clock(), about=about, calendar_id=calendar_id)

    def _authorized(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None,
        json: Any,
        headers: Mapping[str, str] | None,
        about: FailureScope,
        calendar_id: str | None,
    ) -> Answer:
        """The call with the current token and, if the service rejects that, once more with a fresh one."""

        def send(token: str, *, fresh: bool) -> Answer:
            patience = self._wire.client.timeout.read or TIMEOUT.read or 0
            # An account is known by its token here, which calls that come together share.
            with self._turns.one(token, patience) if self._turns else nullcontext():
                return self._wire.send(
                    method,
                    url,
                    headers={**self._headers, **(headers or {}), "Authorization": f"Bearer {token}"},
                    params=params,
                    json=json,
                    about=about,
                    calendar_id=calendar_id,
                    fresh=fresh,
                )

        token = self._tokens.token()
        try:
            return send(token, fresh=False)
        except ProviderError as error:
            if error.failure.symptom not in self.table.refresh_first:
                raise
        return send(self._tokens.token(rejected=token), fresh=True)


def _worth_repeating(error: Exception) -> bool:
    return (
        isinstance(error, ProviderError)
        and error.failure.kind is FailureClass.RETRY
        and error.failure.retry_at is None
        and not isinstance(error.__cause__, httpx2.TimeoutException)
    )


# For calls that change nothing: twice in all where no answer or a 5xx came at once.
tried_twice = stamina.RetryingCaller(attempts=2, timeout=None, wait_initial=0.1, wait_jitter=0.3).on(_worth_repeating)


class _Hurried(httpx2.SyncByteStream):
    """A body that must be here by `until` (`time.monotonic`), as it comes over the wire: a packed one may drip for
    long before its first byte can be unpacked."""

    def __init__(self, response: httpx2.Response, until: float) -> None:
        self._stream, self._request, self._until = response.stream, response.request, until

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._stream, httpx2.SyncByteStream)
        for chunk in self._stream:
            if time.monotonic() > self._until:
                raise httpx2.ReadTimeout("the body took too long", request=self._request)
            yield chunk

    def close(self) -> None:
        assert isinstance(self._stream, httpx2.SyncByteStream)
        self._stream.close()


def _read(response: httpx2.Response) -> bytes:
    """The whole body, within the limit of size. Raises ProviderError, httpx2.HTTPError."""
    chunks = []
    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > BODY_LIMIT:
            raise wrong_shape("body too large")
        chunks.append(chunk)
    return b"".join(chunks)
