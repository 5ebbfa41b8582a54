"""The guest's side. It comes last in `awase.urls`, because the first part of an address is a workspace's own."""

from django.urls import path, re_path

from awase.web import booking, embed, manage, moving, openings, profiles, public

PAGE = r"^(?P<workspace_slug>[-\w]+)/(?P<page_slug>[-\w]+)"

urlpatterns = [
    path("b/<str:uid>/<str:secret>", manage.show, name="booking"),
    path("b/<str:uid>/<str:secret>/live", manage.live, name="booking_live"),
    path("b/<str:uid>/<str:secret>/move", moving.move, name="move"),
    path("b/<str:uid>/<str:secret>/cancel", manage.cancel, name="cancel"),
    path("b/<str:uid>/<str:secret>/calendar.ics", manage.calendar_file, name="calendar_file"),
    path("embed.js", embed.script),
    path("media/covers/<str:digest>", public.cover, name="cover"),
    # People type these, with and without the last slash.
    re_path(r"^(?P<workspace_slug>[-\w]+)/?$", profiles.workspace, name="profile"),
    re_path(r"^(?P<workspace_slug>[-\w]+)/@(?P<member_slug>[-\w]+)/?$", profiles.member, name="member_profile"),
    re_path(rf"{PAGE}/?$", public.booking_page, name="booking_page"),
    re_path(rf"{PAGE}/book$", booking.book, name="book"),
    re_path(rf"{PAGE}/hold$", booking.hold, name="hold"),
    re_path(rf"{PAGE}/tell$", openings.tell_when_open, name="tell_when_open"),
]
