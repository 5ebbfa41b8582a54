"""Runs the web server."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from awase.management.readiness import make_ready

LEAST_THREADS = 4  # a handshake calls back while the first request still waits


class Command(BaseCommand):
    help = "Runs the web server (granian)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
        parser.add_argument(
            "--workers",
            type=int,
            default=1,
            help="worker processes; more than one use more than one core (default: %(default)s)",
        )
        parser.add_argument(
            "--threads",
            type=int,
            default=LEAST_THREADS,
            help="requests answered at once by each of them (default and least: 4)",
        )

    def handle(self, *args: Any, host: str, port: int, workers: int, threads: int, **options: Any) -> None:
        make_ready()
        connections.close_all()
        options_of_granian = {
            "interface": "wsgi",
            "workers": max(workers, 1),
            "host": host,
            "port": port,
            "blocking-threads": max(threads, LEAST_THREADS),
            "blocking-threads-idle-timeout": 600,
            "workers-kill-timeout": 10,
        }
        arguments = [f"--{name}={value}" for name, value in options_of_granian.items()]
        # A heap for each thread would keep a tenth of the memory for nothing.
        os.environ.setdefault("MALLOC_ARENA_MAX", "2")
        # Becoming granian instead of calling it keeps Django out of the process that only watches the worker.
        command = [sys.executable, "-m", "granian", "awase.wsgi:application", "--no-ws", *arguments]
        os.execv(sys.executable, command)  # noqa: S606  # our own interpreter, no shell
