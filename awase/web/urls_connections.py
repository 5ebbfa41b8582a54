"""Addresses of connection health: accounts, their calendars, histories and measures."""

from django.urls import path

from awase.web import connecting, connections, history, insights, metrics, reconnect, rooms

urlpatterns = [
    path("app/connections", connections.connection_list, name="connections"),
    path("app/connections/receiving", connections.save_receiving),
    path("app/connections/<int:pk>/calendars", connections.save_calendars),
    path("app/connections/<int:pk>/check", connections.check_now),
    path("app/connections/<int:pk>/disconnect", connections.disconnect),
    path("app/connections/<int:pk>/ask", connections.ask),
    path("app/connections/<int:pk>/meet", connections.choose_for_meet),
    path("app/connections/<int:pk>/history", history.connection_history),
    path("app/connections/<int:pk>/rooms", rooms.add),
    path("app/rooms/<int:pk>/remove", rooms.remove),
    path("app/connections/<str:service>", connections.service_details),
    path("app/connections/<str:service>/connect", connecting.connect),
    path("app/calendars/<int:pk>/untick", connections.leave_out, {"how": "untick"}),
    path("app/calendars/<int:pk>/go-on", connections.leave_out, {"how": "go-on"}),
    path("app/pages/<int:pk>/history", history.page_history),
    path("app/insights", insights.insights, name="insights"),
    path("metrics", metrics.metrics),
    path("connect/<str:service>/callback", connecting.callback),
    path("reconnect/<str:token>", reconnect.follow),
]
