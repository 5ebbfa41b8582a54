"""Users, workspaces, and the members of a workspace."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who can log in. The name, language and zone are theirs in every workspace."""

    email = models.EmailField(max_length=254, unique=True)  # kept in lower case
    name = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=8, blank=True)
    time_zone = models.CharField(max_length=64, default="Asia/Tokyo")
    clock = models.CharField(max_length=2, blank=True)  # "12" or "24"; "": as the language has it
    is_active = models.BooleanField(default=True)
    owns_instance = models.BooleanField(null=True, default=None, unique=True)  # the first account: true; others: null
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or self.email


class Workspace(models.Model):
    """A team with its members and booking pages. `slug` is the first part of its pages' addresses."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    language = models.CharField(max_length=8, default="ja")
    accent = models.CharField(max_length=10, blank=True)  # "#27508f"; "": Awase's own
    logo = models.CharField(max_length=64, blank=True)  # the digest of the picture that `WorkspaceLogo` holds
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class WorkspaceLogo(models.Model):
    """The logo, apart from the workspace, because workspaces are read far more often than pictures."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, related_name="picture")
    digest = models.CharField(max_length=64, db_index=True)  # names it in its address, which so never changes
    kind = models.CharField(max_length=30)
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.workspace}: {self.digest[:8]}"


class Role(models.TextChoices):
    OWNER = "owner", "workspace owner"
    ADMIN = "admin", "admin"
    MEMBER = "member", "member"


class Member(models.Model):
    """A user in a workspace. Bookings of theirs are added to at most one calendar."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    phone = models.CharField(max_length=40, blank=True)
    address = models.CharField(max_length=300, blank=True)
    slug = models.SlugField(max_length=60, blank=True)  # of the public profile
    about = models.TextField(blank=True)
    left_at = models.DateTimeField(null=True, blank=True)  # whoever has left stays known to the history of bookings
    first_run = models.CharField(max_length=10, blank=True)  # the step to go on with (domain.first_run); "": over
    notices = models.JSONField(default=dict, blank=True)  # kinds of mail that this member does not want: false
    booking_calendar = models.ForeignKey(
        "awase.Calendar", on_delete=models.SET_NULL, null=True, blank=True, related_name="receiving_members"
    )
    meet_connection = models.ForeignKey(
        "awase.Connection", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["workspace", "user"], name="member_once_per_workspace"),
            models.UniqueConstraint(
                fields=["workspace", "slug"], condition=~models.Q(slug=""), name="profile_slug_once_per_workspace"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.user.name or self.user.email

    @property
    def is_admin(self) -> bool:
        return self.role in (Role.OWNER, Role.ADMIN) and self.left_at is None


class Invitation(models.Model):
    """Somebody was asked to join a workspace by a link that was mailed; only its digest is kept."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.email
