"""Addresses of 設定."""

from django.urls import path

from awase.domain.first_run import Step
from awase.web import (
    branding,
    first_run,
    help_pages,
    kept_form,
    mailserver,
    profile,
    security,
    settings_frame,
    webhooks,
    workspace,
)

urlpatterns = [
    path("app/settings", settings_frame.index, name="settings"),
    path("app/settings/profile", profile.show),
    path("app/settings/notices", profile.notices),
    path("app/settings/security", security.show),
    path("app/settings/security/sessions/<int:pk>/end", security.end_session),
    path("app/settings/security/sessions/end", security.end_others),
    path("app/settings/workspace", workspace.show),
    path("app/settings/webhooks", webhooks.show),
    path("app/settings/webhooks/<int:pk>", webhooks.details),
    path("app/settings/webhooks/<int:pk>/switch", webhooks.switch),
    path("app/settings/webhooks/<int:pk>/delete", webhooks.delete),
    path("app/settings/webhooks/<int:pk>/deliveries/<int:delivery>/again", webhooks.redeliver),
    path("app/settings/branding", branding.show),
    path("app/settings/mail", mailserver.show),
    path("theme/<str:colour>.css", branding.style_sheet, name="theme"),
    path("media/logos/<str:digest>", branding.logo, name="logo"),
    path("help/", help_pages.index, name="help"),
    path("help/<slug:name>", help_pages.page, name="help_page"),
    path("app/kept", kept_form.show),
    path("app/kept/drop", kept_form.drop),
    path("app/start", first_run.start),
    *(path(f"app/start/{step}", first_run.step, {"name": step.value}) for step in Step),
    path("app/start/done/<int:pk>", first_run.done),
]
