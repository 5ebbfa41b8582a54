"""The demo's one folder: keys, ports, database, logs, the sandbox's memory. Nothing outside it is written."""

import base64
import errno
import fcntl
import json
import os
import secrets
import shutil
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

WEB_HOST = "127.0.0.1"
# Another host name than the product's, so that the two share no cookies, like the real services.
SANDBOX_HOST = "localhost"
USUAL_PORTS = {WEB_HOST: 8000, SANDBOX_HOST: 8001}
# What somebody may want to try out; every other AWASE_ variable around belongs to another instance.
TUNABLE = ("AWASE_CHECK_SECONDS", "AWASE_TOLERANCE_SECONDS", "AWASE_LIVE_CHECK_SECONDS", "AWASE_LOG_LEVEL")
ZOOM_WEBHOOK_SECRET = "sandbox-webhook-secret"  # noqa: S105 - of the stand-in
QUICK_CHECKS = {"AWASE_CHECK_SECONDS": "20", "AWASE_TOLERANCE_SECONDS": "120"}


class Trouble(Exception):
    """The demo cannot go on; the text says why and what to do."""


@dataclass
class Place:
    """What has to be the same at the next start. Redirect addresses depend on the ports."""

    folder: Path
    port: int
    sandbox_port: int
    secret_key: str
    encryption_key: str

    @property
    def url(self) -> str:
        return f"http://{WEB_HOST}:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{SANDBOX_HOST}:{self.sandbox_port}"

    def environment(self) -> dict[str, str]:
        """The environment of the demo's processes: that around, without any other instance's settings."""
        around = {name: value for name, value in os.environ.items() if not name.startswith("AWASE_")}
        tuned = {name: os.environ[name] for name in TUNABLE if name in os.environ}
        services = {
            f"AWASE_{service.upper()}_{setting}": value
            for service in ("google", "microsoft", "zoom")
            for setting, value in {
                "CLIENT_ID": f"awase-{service}",
                "CLIENT_SECRET": "sandbox-secret",
                "BASE": f"{self.sandbox_url}/{service}",
            }.items()
        }
        own = {
            "DJANGO_SETTINGS_MODULE": "awase.settings",
            "PYTHONPATH": os.pathsep.join(
                filter(None, [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH")])
            ),
            "PYTHONUNBUFFERED": "1",
            "AWASE_DEMO": "1",
            "AWASE_ZOOM_WEBHOOK_SECRET": ZOOM_WEBHOOK_SECRET,
            "AWASE_STATE": str(self.folder),
            "DATABASE_URL": f"sqlite:///{quote(str(self.folder / 'awase.sqlite3'))}",
            "AWASE_URL": self.url,
            "AWASE_SECRET_KEY": self.secret_key,
            "AWASE_ENCRYPTION_KEYS": self.encryption_key,
        }
        return around | own | services | QUICK_CHECKS | tuned


def lock(folder: Path) -> IO[str]:
    """Keep the folder to ourselves for as long as the answer stays open. Raises Trouble."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = (folder / "lock").open("w")
    except OSError as error:
        raise Trouble(f"{folder} cannot be written ({error.strerror}): set AWASE_STATE to another folder.") from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        raise Trouble(f"A demo is running in {folder} already: stop it first, or set AWASE_STATE.") from None
    return held


def forget(folder: Path) -> None:
    """Delete everything in a demo's folder but its lock. Raises Trouble if it is not such a folder."""
    content = [path for path in folder.iterdir() if path.name != "lock"]
    if content and not (folder / "demo.json").exists():
        raise Trouble(f"{folder} does not look like a demo's folder: nothing was deleted.")
    for path in content:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def settle(folder: Path, port: int | None) -> Place:
    """The place as the last start left it, with new ports where the old ones are taken. Raises Trouble."""
    file = folder / "demo.json"
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if port is not None and not is_free(WEB_HOST, port):
        raise Trouble(f"Port {port} is taken: choose another one, or none.")
    chosen = port if port is not None else find_port(WEB_HOST, kept.get("port"))
    place = Place(
        folder=folder,
        port=chosen,
        sandbox_port=find_port(SANDBOX_HOST, kept.get("sandbox_port"), avoid=chosen),
        secret_key=kept.get("secret_key") or secrets.token_urlsafe(50),
        encryption_key=kept.get("encryption_key") or base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    )
    remembered = {name: value for name, value in asdict(place).items() if name != "folder"}
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(remembered, indent=1), encoding="utf-8")
    fresh.replace(file)
    return place


def find_port(host: str, kept: int | None, avoid: int = 0) -> int:
    """The port used before, else the usual one, else any free one."""
    for candidate in (kept, USUAL_PORTS[host]):
        if candidate and candidate != avoid and is_free(host, candidate):
            return candidate
    with socket.create_server((WEB_HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def is_free(host: str, port: int) -> bool:
    """Whether a server may listen there: on every address that the name stands for."""
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            # A name may stand for an address that this machine lacks (IPv6 switched off): nobody is there.
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                return False
    return True
