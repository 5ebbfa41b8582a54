"""What is really the matter with an account, as only the sandbox knows it."""

from enum import Enum

from awase.domain.health import Service
from awase.models import Credential
from sandbox.state import Grant
from tests.campaign.world import World

PERSON = {
    "revoked",
    "expired",
    "password_changed",
    "mfa_required",
    "consent_missing",
    "scope_missing",
    "app_deauthorized",
    "disabled",
    "account_gone",
    "admin_blocked",
    "no_mailbox",
}
TRANSIENT = {"outage", "timeout", "html_body", "truncated_json", "lost_answer", "rate_limited", "calendar_error"}
OURS = {"app_secret_expired"}
CAPABILITY = {"no_licence", "meet_failed"}


class Truth(Enum):
    FINE = "fine"
    PERSON = "somebody must act"
    TRANSIENT = "passes by itself"
    OURS = "the operator must act"
    CAPABILITY = "some meetings cannot be made"
    UNSEEN = "somebody must act, and a check may not meet it"


def truth(world: World, credential: Credential) -> Truth:
    """The state of the account, and of the tokens that we hold for it."""
    account = world.account(credential)
    now = world.sandbox.epoch()
    names = {fault.name for fault in account.faults if fault.until is None or now < fault.until}
    no_mailbox = not Service(credential.service).calendars and "no_mailbox" in names
    if no_mailbox:
        names.remove("no_mailbox")
    grants = _grants(world, credential)
    # A process died over a refresh; nobody else may until its lease has run out.
    leased = credential.lease_until is not None and credential.lease_until > world.now()
    hidden = leased or bool(names & TRANSIENT)  # an outage answers before anybody looks at what was granted
    if names & PERSON or not grants or any(grant.ended for grant in grants):
        return Truth.UNSEEN if hidden else Truth.PERSON
    at_teams = credential.service == Service.TEAMS
    if at_teams and no_mailbox:
        return Truth.UNSEEN
    if any(grant.withheld for grant in grants):  # which at Teams is met when the token is renewed
        return Truth.UNSEEN if hidden or at_teams else Truth.PERSON
    if leased:
        return Truth.TRANSIENT
    for kind, some in ((Truth.TRANSIENT, TRANSIENT), (Truth.OURS, OURS), (Truth.CAPABILITY, CAPABILITY)):
        if names & some:
            return kind
    return Truth.FINE


def _grants(world: World, credential: Credential) -> list[Grant]:
    """What stands behind the tokens that we hold and that still work, or can be renewed."""
    state = world.sandbox.state
    held = [state.tokens.get(credential.secret[kind]) for kind in ("access_token", "refresh_token")]
    alive = [
        token
        for token in held
        if token and not token.dead and (token.expires_at is None or token.expires_at > world.sandbox.epoch())
    ]
    return [state.grants[token.grant] for token in alive]
