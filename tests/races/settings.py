"""The product's settings on a database file that several processes share; its folder comes from the test."""

import os

from tests.settings import *  # noqa: F403

DATABASES["default"]["NAME"] = os.environ["RACE_STATE"] + "/race.sqlite3"  # noqa: F405
AWASE_LIVE_CHECK = False
