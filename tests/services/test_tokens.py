"""One writer per credential: a rotating token is refreshed once, whoever asks."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from awase import registry
from awase.domain.errors import ProviderError, Reason
from awase.domain.health import Service
from awase.models import Credential
from awase.services.tokens import StoredTokens, source
from sandbox.app import wsgi
from tests.services.conftest import utcnow


@pytest.mark.django_db
def test_a_token_about_to_end_is_refreshed_and_the_rotated_one_saved(owner: Any, connect: Any) -> None:
    credential = connect(owner, Service.ZOOM).credential
    before = Credential.objects.get(pk=credential.pk)
    Credential.objects.filter(pk=credential.pk).update(expires_at=utcnow())
    token = source(before).token()
    after = Credential.objects.get(pk=credential.pk)
    assert after.secret["access_token"] == token != before.secret["access_token"]
    assert after.secret["refresh_token"] != before.secret["refresh_token"]
    assert after.generation == before.generation + 1 and not after.lease_token


@pytest.mark.django_db
def test_a_rotated_token_is_saved_also_where_a_permission_was_taken_away(
    owner: Any, connect: Any, control: Any
) -> None:
    credential = connect(owner, Service.ZOOM).credential
    control.fault("zoom", owner.user.email, "scope_missing", scopes=["meeting:write:meeting"])
    Credential.objects.update(expires_at=utcnow())
    with pytest.raises(ProviderError) as caught:
        StoredTokens(credential.pk).token()
    assert caught.value.failure.reason is Reason.SCOPE_MISSING
    control.repair("zoom", owner.user.email)
    rejected = Credential.objects.get().secret["access_token"]
    assert StoredTokens(credential.pk).token(rejected=rejected), "the administrator gave it back, nobody reconnected"


@pytest.mark.django_db
def test_a_lease_left_by_a_killed_process_runs_out(owner: Any, connect: Any) -> None:
    credential = connect(owner, Service.ZOOM).credential
    Credential.objects.filter(pk=credential.pk).update(
        expires_at=utcnow(), lease_token="dead", lease_until=utcnow() - timedelta(seconds=1)
    )
    assert StoredTokens(credential.pk).token()


@pytest.mark.django_db
def test_a_refusal_of_tokens_that_were_replaced_meanwhile_is_no_failure(
    owner: Any, connect: Any, control: Any, sandbox: Any
) -> None:
    link = connect(owner, Service.GOOGLE)
    control.revoke("google", owner.user.email)
    Credential.objects.update(expires_at=utcnow())

    class Overtaking(httpx2.WSGITransport):
        """On its way the refresh is overtaken by the person, who reconnects."""

        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            if b"grant_type=refresh_token" in request.read() and not overtaken:
                overtaken.append(connect(owner, Service.GOOGLE, again=link))
            return super().handle_request(request)

    overtaken: list[Any] = []
    with registry.use_transport(Overtaking(app=wsgi(sandbox))):
        token = StoredTokens(link.credential_id).token()
    assert overtaken and token == Credential.objects.get().secret["access_token"]


@pytest.mark.django_db
def test_whoever_finds_a_newer_token_uses_it(owner: Any, connect: Any) -> None:
    credential = connect(owner, Service.ZOOM).credential
    rejected = Credential.objects.get(pk=credential.pk).secret["access_token"]
    fresh = StoredTokens(credential.pk).token(rejected=rejected)
    generation = Credential.objects.get(pk=credential.pk).generation
    assert StoredTokens(credential.pk).token(rejected=rejected) == fresh
    assert Credential.objects.get(pk=credential.pk).generation == generation, "a peer's result was used"
