"""The entry point of the web server."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "awase.settings")

application = get_wsgi_application()

# Load what the first request would, then let the garbage collector forget it: going through all of it again and
# again would hold up requests for a tenth of a second at a time.
get_resolver().url_patterns  # noqa: B018
gc.collect()
gc.freeze()
