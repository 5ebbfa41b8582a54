"""The product's own settings in a fixed environment, with nothing that leaves the process."""

import atexit
import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from awase.domain.health import Service

state = Path(tempfile.mkdtemp(prefix="awase-tests-"))
atexit.register(shutil.rmtree, state, ignore_errors=True)
(state / "static").mkdir()

until_the_end = ExitStack()
atexit.register(until_the_end.close)
database_server = None
if {"sqlite": False, "postgres": True}[os.environ.pop("AWASE_TEST_DATABASE", "sqlite")]:
    from tests import postgres

    database_server = until_the_end.enter_context(postgres.running())


DATABASE_FILE = "own.sqlite3"


def new_database(folder: Path) -> str:
    """The address of an empty database of the kind that this run is about; a file lies in `folder`."""
    return database_server.new_database() if database_server else f"sqlite:///{quote(str(folder / DATABASE_FILE))}"


for name in [name for name in os.environ if name.startswith("AWASE_")]:
    del os.environ[name]
os.environ.update(
    {
        "AWASE_STATE": str(state),
        "DATABASE_URL": new_database(state),
        "AWASE_URL": "https://awase.test",
        "AWASE_SECRET_KEY": "only-for-tests",
        "AWASE_ENCRYPTION_KEYS": "b3VyLWtleS1mb3ItdGVzdHMtb25seS0zMi1ieXRlcyE=",
    }
    | {f"AWASE_{service.registration.upper()}_CLIENT_ID": f"awase-{service.registration}" for service in Service}
    | {f"AWASE_{service.registration.upper()}_CLIENT_SECRET": "sandbox-secret" for service in Service}
)

from awase.settings import *  # noqa: E402, F403

ALLOWED_HOSTS = ["awase.test", "testserver"]
CACHES = {
    name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": name}
    for name in ("default", "process")
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
LOGGING_CONFIG = None
# Each person of each test has a password: Argon2 would spend half of the time that the tests take.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
