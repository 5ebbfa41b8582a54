"""`awase demo`: a complete Awase on this machine alone, with sample data and stand-ins for the services."""

import argparse
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

import httpx2

from awase.demo import place
from awase.demo.children import Children, end_with
from awase.demo.people import PASSWORD, PEOPLE, WORKSPACE_SLUG
from awase.demo.place import SANDBOX_HOST, WEB_HOST, ZOOM_WEBHOOK_SECRET, Place, Trouble

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked the demo to end: Ctrl-C, or a signal from outside."""


def main(arguments: list[str]) -> int:
    """Run the demo until it is stopped; returns the exit code."""
    parser = argparse.ArgumentParser(prog="awase demo", description=__doc__)
    parser.add_argument("--port", type=int, help="port of Awase itself (default: 8000 or a free one)")
    parser.add_argument("--reset", action="store_true", help="forget everything and start over")
    parser.add_argument("--with-parent", action="store_true", help="end when whoever has started it ends")
    chosen = parser.parse_args(arguments)
    folder = Path(os.environ.get("AWASE_STATE", ".state/demo")).resolve()

    for number in STOPPING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, stop)
    if chosen.with_parent:
        end_with(os.getppid())
    try:
        with place.lock(folder):
            if chosen.reset:
                place.forget(folder)
            run(place.settle(folder, chosen.port))
    except Trouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 1
    except Stopped:
        say("Stopped. Everything is kept for the next start.")
    return 0


def stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped


def run(here: Place) -> NoReturn:
    """Start everything, tell where it is, and watch it. Ends by Stopped or Trouble, leaving no process."""
    children = Children(here.environment(), here.folder / "logs")
    began = time.monotonic()
    try:
        say(f"Starting the Awase demo in {here.folder}")
        step(1, "Database, messages and static files")
        children.run("preparation", "awase", "prepare")
        step(2, "Stand-ins for Google, Microsoft and Zoom, web server and worker")
        sandbox_address = ("--host", SANDBOX_HOST, "--port", str(here.sandbox_port))
        children.start("sandbox", "sandbox", *sandbox_address, "--state", str(here.folder / "sandbox"))
        children.start("web", "awase", "serve", "--host", WEB_HOST, "--port", str(here.port))
        children.wait_for(SANDBOX_HOST, here.sandbox_port)
        children.wait_for(WEB_HOST, here.port)
        children.start("worker", "awase", "worker")
        register_zoom_events(here)
        step(3, "Sample data, connected through the consent screens")
        # Only once: what people change, break and disconnect afterwards is theirs.
        if not (seeded := here.folder / "seeded").exists():
            children.run("sample-data", "awase", "demo-data", "--sandbox", here.sandbox_url)
            seeded.touch()
        children.check()
        say(welcome(here, time.monotonic() - began))
        while True:
            children.check()
            time.sleep(0.5)
    finally:
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)
        children.stop()


def register_zoom_events(here: Place) -> None:
    """Have Zoom's stand-in tell us when somebody removes the app, as an operator registers it at Zoom. Without it the
    next check notices."""
    wanted = {"id": "awase-zoom", "webhook": f"{here.url}/hooks/zoom", "webhook_secret": ZOOM_WEBHOOK_SECRET}
    with suppress(httpx2.HTTPError):
        httpx2.post(f"{here.sandbox_url}/control/api/clients", json=wanted, trust_env=False)


def step(number: int, what: str) -> None:
    say(f"  {number}/3  {what} …")


def say(text: str) -> None:
    with suppress(OSError):  # the terminal is gone; the demo still ends as it should
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def welcome(here: Place, seconds: float) -> str:
    log_ins = "\n".join(f"    {person.email:<28}{person.name} – {person.what}" for person in PEOPLE)
    return f"""
Ready after {seconds:.0f} s.

  Awase           {here.url}/
  Booking pages   {here.url}/{WORKSPACE_SLUG}/
  Mails           {here.url}/app/mailbox   (after logging in)
  Control panel   {here.sandbox_url}/   (break and repair the accounts)

  Log-ins, password {PASSWORD}
{log_ins}

  Stop with Ctrl-C. Data and logs: {here.folder}"""
