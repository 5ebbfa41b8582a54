"""Every address of the product. The public pages come last: their first part is a workspace's own."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from awase.api import api, callbacks
from awase.web import (
    booking_actions,
    bookings,
    mailbox,
    page_edit,
    page_new,
    page_save,
    pages,
    schedules,
)
from awase.web.page_rules import SECTION_FORMS

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    path("hooks/google", callbacks.google),
    path("hooks/microsoft", callbacks.microsoft),
    path("hooks/zoom", callbacks.zoom),
    path("", RedirectView.as_view(pattern_name="dashboard")),
    path("accounts/", include("allauth.account.urls")),
    path("language/", set_language, name="set_language"),
    path("app/", bookings.home, name="dashboard"),
    path("app/banner", pages.live_banner, name="banner"),
    path("app/pages", pages.page_list, name="pages"),
    path("app/pages/new", page_new.new_page),
    path("app/pages/<int:pk>", page_edit.edit),
    path("app/pages/<int:pk>/members", page_save.save_members),
    path("app/pages/<int:pk>/locations", page_save.save_locations),
    path("app/pages/<int:pk>/rooms", page_save.save_rooms),
    path("app/pages/<int:pk>/form", page_save.save_questions),
    path("app/pages/<int:pk>/duplicate", page_save.duplicate),
    path("app/pages/<int:pk>/archive", page_save.archive),
    *(path(f"app/pages/<int:pk>/{name}", page_save.save_form, {"section": name}) for name in SECTION_FORMS),
    path("app/pages/<int:pk>/switch", pages.switch),
    path("app/bookings", bookings.booking_list, name="bookings"),
    path("app/bookings/<str:uid>", bookings.booking_details),
    path("app/bookings/<str:uid>/cancel", bookings.cancel),
    path("app/bookings/<str:uid>/place", bookings.fill_in_place),
    path("app/bookings/<str:uid>/approve", booking_actions.approve),
    path("app/bookings/<str:uid>/decline", booking_actions.decline),
    path("app/bookings/<str:uid>/move", booking_actions.move),
    path("app/bookings/<str:uid>/times", booking_actions.times),
    path("app/bookings/<str:uid>/reassign", booking_actions.reassign),
    path("app/bookings/<str:uid>/no-show", booking_actions.no_show),
    path("app/bookings/<str:uid>/resend", booking_actions.resend),
    path("app/bookings.csv", booking_actions.as_file),
    path("app/pages/<int:pk>/book", booking_actions.for_guest),
    path("app/schedules", schedules.schedule_list, name="schedules"),
    path("app/schedules/new", schedules.create),
    path("app/schedules/<int:pk>", schedules.edit),
    path("app/schedules/<int:pk>/details", schedules.save_details),
    path("app/schedules/<int:pk>/week", schedules.save_week),
    path("app/schedules/<int:pk>/override", schedules.save_override),
    path("app/schedules/<int:pk>/delete", schedules.delete),
    path("app/absences", schedules.add_absence),
    path("app/absences/<int:pk>/delete", schedules.delete_absence),
    path("", include("awase.web.urls_connections")),
    path("app/mailbox", mailbox.mailbox, name="mailbox"),
    path("app/mailbox/<int:pk>", mailbox.mail),
    path("app/mailbox/<int:pk>/invite.ics", mailbox.attachment),
    path("", include("awase.web.urls_public")),
]
