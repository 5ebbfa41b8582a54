"""The one Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AwaseConfig(AppConfig):
    name = "awase"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from awase.models.guards import install_guards

        post_migrate.connect(install_guards, sender=self)
