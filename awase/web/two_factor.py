"""How allauth's second factor fits this instance: its secrets are sealed as all others are."""

from allauth.mfa.adapter import DefaultMFAAdapter

from awase.models.encryption import cipher


class TwoFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    def encrypt(self, text: str) -> str:
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return cipher().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return "Awase"
