"""All settings in one place, each read from the environment (`environment.py`).

What an operator must set: AWASE_URL, AWASE_SECRET_KEY and AWASE_ENCRYPTION_KEYS; `awase demo` makes them itself.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

from csp.constants import NONE, SELF

from awase.domain.health import Service
from awase.environment import ConfigurationError, database, day, flag, number, text, words

PACKAGE = Path(__file__).resolve().parent
STATE = Path(text("AWASE_STATE", ".state")).resolve()

# Where guests and hosts reach this instance. Links and redirects are built from it, never from a Host header.
AWASE_URL = text("AWASE_URL").rstrip("/")
_address = urlsplit(AWASE_URL)
if _address.scheme not in {"http", "https"} or not _address.hostname:
    raise ConfigurationError("AWASE_URL must be the full address of this instance, e.g. https://book.example.jp.")
_secure = _address.scheme == "https"

SECRET_KEY = text("AWASE_SECRET_KEY")
# Fernet keys, newest first: the first one encrypts, all decrypt (rotation without downtime).
AWASE_ENCRYPTION_KEYS = words("AWASE_ENCRYPTION_KEYS")
DEBUG = flag("AWASE_DEBUG", False)
AWASE_DEMO = flag("AWASE_DEMO", False)
# Whether services are asked to tell of changes at once: they reach public addresses only (the stand-ins, this machine).
_ending = _address.hostname.rpartition(".")[2]
_public = _secure and _ending not in {_address.hostname, "local", "internal", "test", "example", "invalid"}
AWASE_PUSH = flag("AWASE_PUSH", AWASE_DEMO or (_public and not _ending.isdecimal()))
ALLOWED_HOSTS = [_address.hostname, *words("AWASE_ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = [f"{_address.scheme}://{_address.netloc}"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "csp",
    "awase.apps.AwaseConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "awase.web.bounds.BoundsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "awase.web.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "awase.urls"
WSGI_APPLICATION = "awase.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "awase.web.context.shell",
            ],
        },
    }
]

DATABASES = {"default": database("DATABASE_URL", f"sqlite:///{quote(str(STATE / 'awase.sqlite3'))}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    # Shared between processes, so that rate limits hold whichever worker answers. Room for many clients: beyond it
    # counts would be thrown away.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "awase_cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 20_000}},
}

AUTH_USER_MODEL = "awase.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_PATH = "/accounts/login/"
CSRF_FAILURE_VIEW = "awase.web.kept_form.csrf_failed"
LOGIN_REDIRECT_URL = "dashboard"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none" if AWASE_DEMO else "optional"
ACCOUNT_ADAPTER = "awase.web.account.AccountAdapter"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_SIGNUP_FORM_CLASS = "awase.web.account.SignUpForm"
# Whether anybody may sign up, into a workspace of their own. The first account, which owns the instance, always may.
AWASE_SIGNUP_OPEN = flag("AWASE_SIGNUP_OPEN", AWASE_DEMO)
MFA_ADAPTER = "awase.web.two_factor.TwoFactorAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_TOLERANCE = 1

SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _secure
SECURE_SSL_REDIRECT = False  # left to the proxy in front
SECURE_HSTS_SECONDS = 31536000 if _secure else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

LANGUAGE_CODE = "en"
LANGUAGES = [("ja", "日本語"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = STATE / "static"
STATICFILES_DIRS = [PACKAGE / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "awase.web.assets.Assets"},
}
MEDIA_ROOT = STATE / "media"

EMAIL_BACKEND = "awase.services.mailbox.DemoMailbox" if AWASE_DEMO else "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = text("AWASE_SMTP_HOST", "localhost")
EMAIL_PORT = number("AWASE_SMTP_PORT", 25)
EMAIL_HOST_USER = text("AWASE_SMTP_USER", "")
EMAIL_HOST_PASSWORD = text("AWASE_SMTP_PASSWORD", "")
EMAIL_USE_TLS = flag("AWASE_SMTP_TLS", False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = text("AWASE_MAIL_FROM", f"Awase <awase@{_address.hostname}>")

# The services. A base address other than the real one is for the sandbox and for tests.
AWASE_SERVICES = {
    name: {
        "client_id": text(f"AWASE_{name.upper()}_CLIENT_ID", ""),
        "client_secret": text(f"AWASE_{name.upper()}_CLIENT_SECRET", ""),
        "base": text(f"AWASE_{name.upper()}_BASE", ""),
        "webhook_secret": text(f"AWASE_{name.upper()}_WEBHOOK_SECRET", ""),  # Zoom: of the app's event subscription
    }
    for name in sorted({service.registration for service in Service} - {""})
}
# Proxies in front of this instance, as addresses or networks: only their word on a client's address counts.
AWASE_TRUSTED_PROXIES = words("AWASE_TRUSTED_PROXIES")
# Hosts or networks inside your own walls that CalDAV addresses and webhooks may point to.
AWASE_CALDAV_ALLOWED = words("AWASE_CALDAV_ALLOWED")
AWASE_WEBHOOKS_ALLOWED = words("AWASE_WEBHOOKS_ALLOWED")

# Who is told by mail of faults that are the operator's to repair.
AWASE_OPERATOR_EMAIL = text("AWASE_OPERATOR_EMAIL", "")
# The day (2027-03-31) on which each client secret runs out at the service: the operator is told ahead.
AWASE_SECRETS_END = {name: day(f"AWASE_{name.upper()}_SECRET_ENDS") for name in AWASE_SERVICES}
# The day on which the service's approval of the registration lapses (Zoom shares an unpublished app for four weeks).
AWASE_APPROVALS_END = {name: day(f"AWASE_{name.upper()}_APPROVAL_ENDS") for name in AWASE_SERVICES}
# A Google registration that is still in testing: every permission ends after seven days.
AWASE_GOOGLE_TESTING = flag("AWASE_GOOGLE_TESTING", False)

# Addresses of the proxies in front: only behind them is X-Forwarded-For believed.
AWASE_TRUSTED_PROXIES = words("AWASE_TRUSTED_PROXIES")

# Who sends this token may read /metrics; without one only this machine may.
AWASE_METRICS_TOKEN = text("AWASE_METRICS_TOKEN", "")

AWASE_TOLERANCE = timedelta(seconds=number("AWASE_TOLERANCE_SECONDS", 900))
AWASE_CHECK_INTERVAL = timedelta(seconds=number("AWASE_CHECK_SECONDS", 300))
AWASE_IDLE_CHECK_INTERVAL = timedelta(seconds=number("AWASE_IDLE_CHECK_SECONDS", 3600))
# What a worker has claimed is claimed again after this time, unless it was done: far longer than any call takes.
AWASE_LEASE = timedelta(seconds=number("AWASE_LEASE_SECONDS", 180))
AWASE_LIVE_CHECK = flag("AWASE_LIVE_CHECK", True)
AWASE_LIVE_CHECK_SECONDS = number("AWASE_LIVE_CHECK_SECONDS", 3)

# The consent screens of the services: a form that redirects there is blocked unless its origin is listed.
_consent_origins = [
    f"{parts.scheme}://{parts.netloc}"
    for parts in (urlsplit(service["base"]) for service in AWASE_SERVICES.values())
    if parts.netloc
] or [service.consent for service in Service if service.consent]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],  # the page editor's preview
        "form-action": [SELF, *dict.fromkeys(_consent_origins)],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    # A line for each call to a service would drown the rest, and addresses are nobody's business.
    "loggers": {"httpx2": {"level": "WARNING"}},
    "root": {"handlers": ["console"], "level": text("AWASE_LOG_LEVEL", "INFO")},
}
