"""Rooms (リソース) and their busy times."""

from django.db import models

from awase.models.account import Workspace
from awase.models.connection import Connection, ReadBusy


class Room(models.Model):
    """A room of a workspace, read by the connection through which it was added, or by any other of the same
    service. `missing_since`: gone at the service; `unreadable_since`: it alone fails."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="rooms")
    connection = models.ForeignKey(Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="rooms")
    service = models.CharField(max_length=20)
    address = models.CharField(max_length=254)
    name = models.CharField(max_length=120)
    capacity = models.PositiveSmallIntegerField(null=True, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)
    unreadable_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(fields=["workspace", "service", "address"], name="room_once_per_workspace"),
        )

    def __str__(self) -> str:
        return self.name


class RoomBusy(ReadBusy):
    """The busy times of one room as last read."""

    room = models.OneToOneField(Room, on_delete=models.CASCADE, related_name="busy", primary_key=True)
