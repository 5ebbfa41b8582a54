"""Who may do what: one table from acts to the parts that somebody can have in a workspace, on a page, in a booking.

`docs/roles.md` shows this table to people; a test holds the two against each other, and every act against the
services. Own things (profile, accounts, schedules, absences) are everybody's own and stand in no table.
"""

from collections.abc import Iterable
from enum import StrEnum


class Part(StrEnum):
    """What somebody is: a role in the workspace, something to a page, or the host of a booking."""

    WORKSPACE_OWNER = "workspace_owner"
    ADMIN = "admin"
    MEMBER = "member"
    PAGE_OWNER = "page_owner"
    PAGE_EDITOR = "page_editor"
    PAGE_VIEWER = "page_viewer"
    TAKES_PART = "takes_part"  # a member of the page, or of a group of its assignment list
    HOST = "host"  # of this booking


class Act(StrEnum):
    """What can be done with a workspace, a page, a booking."""

    SEE_TEAM = "see_team"
    CREATE_PAGES = "create_pages"
    INVITE = "invite"
    SET_ROLES = "set_roles"  # of admins and members
    SET_OWNERS = "set_owners"  # make, change and remove workspace owners
    REMOVE_MEMBERS = "remove_members"  # leaving by oneself needs no permission
    CHANGE_WORKSPACE = "change_workspace"  # name, address, branding
    CHANGE_ROOMS = "change_rooms"
    CHANGE_WEBHOOKS = "change_webhooks"
    SEE_CONNECTIONS = "see_connections"  # state and history of everybody's accounts

    SEE_PAGE = "see_page"  # its settings, state, history, and why a time is not offered
    BOOK_FOR_GUEST = "book_for_guest"
    EDIT_PAGE = "edit_page"  # every section, switch, links, duplicate, archive
    GIVE_PAGE = "give_page"  # hand it over, name editors and viewers
    ASK_RECONNECT = "ask_reconnect"  # somebody whose account the page needs

    SEE_BOOKING = "see_booking"
    HANDLE_BOOKING = "handle_booking"  # approve, decline, move, hand over, cancel, no-show, mail, place


EVERYBODY = frozenset({Part.WORKSPACE_OWNER, Part.ADMIN, Part.MEMBER})
ADMINS = frozenset({Part.WORKSPACE_OWNER, Part.ADMIN})
EDITORS = ADMINS | {Part.PAGE_OWNER, Part.PAGE_EDITOR}

ALLOWED: dict[Act, frozenset[Part]] = {
    Act.SEE_TEAM: EVERYBODY,
    Act.CREATE_PAGES: EVERYBODY,
    Act.INVITE: ADMINS,
    Act.SET_ROLES: ADMINS,
    Act.SET_OWNERS: frozenset({Part.WORKSPACE_OWNER}),
    Act.REMOVE_MEMBERS: ADMINS,
    Act.CHANGE_WORKSPACE: ADMINS,
    Act.CHANGE_ROOMS: ADMINS,
    Act.CHANGE_WEBHOOKS: ADMINS,
    Act.SEE_CONNECTIONS: ADMINS,
    Act.SEE_PAGE: EDITORS | {Part.PAGE_VIEWER, Part.TAKES_PART},
    Act.BOOK_FOR_GUEST: EDITORS | {Part.TAKES_PART},
    Act.EDIT_PAGE: EDITORS,
    Act.GIVE_PAGE: ADMINS | {Part.PAGE_OWNER},
    Act.ASK_RECONNECT: ADMINS | {Part.PAGE_OWNER},
    Act.SEE_BOOKING: EDITORS | {Part.PAGE_VIEWER, Part.HOST},
    Act.HANDLE_BOOKING: EDITORS | {Part.HOST},
}


def allowed(act: Act, parts: Iterable[Part]) -> bool:
    """Whether one of these parts is enough for the act. Parts are taken one after the other, so that what is dear
    to find out may come last."""
    return any(part in ALLOWED[act] for part in parts)
