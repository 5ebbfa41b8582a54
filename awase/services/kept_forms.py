"""What somebody had typed when their session turned out to be over: sealed, until they are back."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from cryptography.fernet import InvalidToken

from awase.models.encryption import cipher

LONGEST = 200_000  # signs of all entries together
LASTS = 24 * 3600  # seconds
NOT_KEPT = ("password", "secret", "csrfmiddlewaretoken", "code")


@dataclass(frozen=True, slots=True)
class KeptForm:
    """`action`: where it was to go; `back`: the screen on which it stood; `pairs`: (name, value) in their order;
    `user_id`: who was logged in last in that browser, 0 if that is not known."""

    action: str
    back: str
    pairs: tuple[tuple[str, str], ...]
    user_id: int = 0


def seal(action: str, back: str, pairs: Iterable[tuple[str, str]], user_id: int) -> str:
    """The form as a sealed text for the session; "" if it is too long to keep. Passwords and codes are left out."""
    kept = tuple((name, value) for name, value in pairs if not any(part in name.lower() for part in NOT_KEPT))
    text = json.dumps(asdict(KeptForm(action, back, kept, user_id)))
    return cipher().encrypt(text.encode()).decode() if len(text) <= LONGEST else ""


def unseal(sealed: str) -> KeptForm | None:
    """The form; None if it is too old, or none of ours."""
    try:
        found = json.loads(cipher().decrypt(sealed.encode(), ttl=LASTS))
    except InvalidToken:
        return None
    return KeptForm(found["action"], found["back"], tuple((n, v) for n, v in found["pairs"]), found["user_id"])
