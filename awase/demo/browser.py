"""A member at their browser, in code: logs in, connects accounts through the consent screens."""

from types import TracebackType
from typing import Self

import httpx2
from django.urls import reverse

from awase.demo.consent import Form, answer_consent, as_data
from awase.demo.people import PASSWORD, Person


class Unexpected(Exception):
    """A screen answered something else than it should; says which and what."""


class Browser:
    """One person's browser on the running product at `url`."""

    def __init__(self, url: str, person: Person, transport: httpx2.BaseTransport | None = None) -> None:
        self.person = person
        # The environment's proxies know nothing of this machine's own servers.
        self.client = httpx2.Client(
            base_url=url, headers={"Referer": f"{url}/"}, timeout=60, trust_env=False, transport=transport
        )

    def __enter__(self) -> Self:
        self._submit(reverse("account_login"), "login", login=self.person.email, password=PASSWORD)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()

    def connect(self, service: str) -> None:
        """Link this person's account at the service: the button, the consent screen, and back."""
        started = self.client.post(
            f"/app/connections/{service}/connect", data={"csrfmiddlewaretoken": self.client.cookies["csrftoken"]}
        )
        back = answer_consent(self.client, self._redirect(started, "connect"), self.person.email)
        self._redirect(self.client.get(back), "callback")

    def _submit(self, path: str, holding: str, **values: str) -> None:
        """Fill in and send the form at `path` that has a field called `holding`."""
        form = Form(self.client.get(path).text, holding)
        fields = as_data([(name, value) for name, value in form.fields if name not in values])
        self._redirect(self.client.post(form.action or path, data=fields | values), path)

    @staticmethod
    def _redirect(answer: httpx2.Response, where: str) -> str:
        if not answer.has_redirect_location:
            raise Unexpected(f"{where} answered {answer.status_code} instead of leading on.")
        return answer.headers["Location"]
