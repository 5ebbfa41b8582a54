"""The product's own settings in a fixed environment, with nothing that leaves the process."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

state = Path(tempfile.mkdtemp(prefix="awase-tests-"))
atexit.register(shutil.rmtree, state, ignore_errors=True)
(state / "static").mkdir()

for name in [name for name in os.environ if name.startswith("AWASE_")]:
    del os.environ[name]
os.environ.update(
    {
        "AWASE_STATE": str(state),
        "AWASE_URL": "https://awase.test",
        "AWASE_SECRET_KEY": "only-for-tests",
        "AWASE_ENCRYPTION_KEYS": "b3VyLWtleS1mb3ItdGVzdHMtb25seS0zMi1ieXRlcyE=",
    }
    | {f"AWASE_{service}_CLIENT_ID": f"awase-{service.lower()}" for service in ("GOOGLE", "MICROSOFT", "ZOOM")}
    | {f"AWASE_{service}_CLIENT_SECRET": "sandbox-secret" for service in ("GOOGLE", "MICROSOFT", "ZOOM")}
)

from awase.settings import *  # noqa: E402, F403

ALLOWED_HOSTS = ["awase.test", "testserver"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
LOGGING_CONFIG = None
