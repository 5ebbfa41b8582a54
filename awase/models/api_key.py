"""Keys with which programs use the API in a member's name."""

from django.db import models

from awase.models.account import Member


class ApiKey(models.Model):
    """A key of one member. The secret itself is shown once and stored nowhere: `digest` is its SHA-256 in hex.
    It is random and long, so that a slow hash would add nothing."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="api_keys")
    public_id = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=80, blank=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    last_used = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.member}: {self.name or self.public_id}"
