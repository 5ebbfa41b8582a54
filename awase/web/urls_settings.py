"""Addresses of 設定."""

from django.urls import path

from awase.domain.first_run import Step
from awase.web import first_run, profile, security, settings_frame, workspace

urlpatterns = [
    path("app/settings", settings_frame.index, name="settings"),
    path("app/settings/profile", profile.show),
    path("app/settings/notices", profile.notices),
    path("app/settings/security", security.show),
    path("app/settings/security/sessions/<int:pk>/end", security.end_session),
    path("app/settings/security/sessions/end", security.end_others),
    path("app/settings/workspace", workspace.show),
    path("app/start", first_run.start),
    *(path(f"app/start/{step}", first_run.step, {"name": step.value}) for step in Step),
    path("app/start/done/<int:pk>", first_run.done),
]
