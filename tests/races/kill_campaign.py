"""R2: the web server or the worker is killed (kill -9) at random points of booking, moving and cancelling.

`python -m tests.races.kill_campaign [--kills 200] [--database sqlite|postgres] [--seed N]`. The web server and
the worker are the real processes; the services' stand-ins answer over HTTP. Half of the kills come at a random
moment, the others in the middle of a call to a service: before it does anything, or after it did and before it
answers. Half of the requests that got no answer are repeated, as a guest would, the others abandoned. In the end
everything drains; then each standing booking must have exactly one event in each host's calendar and one meeting,
a cancelled one none, and nothing may be left parked, failed, under way or half written.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from awase.demo.place import WEB_HOST
from sandbox.control import account_view
from tests import postgres
from tests.races.stage import Puppet, Stage, Watch, puppets, stage

PAGES = ("zoom", "teams", "meet")
SETTINGS = {
    # What a killed worker had claimed falls due again soon; what one that lives is slow with does not.
    "AWASE_LEASE_SECONDS": "15",
    "AWASE_TOLERANCE_SECONDS": "86400",  # checks are hindered all the time; that is not what this is about
}
LONGEST_DELAY = 2.5  # seconds after the request, in which nearly all of its effects are carried out
DRAIN_SECONDS = 300.0
HOUR = 3600
OPEN_END = 10**9


def _nobody() -> None:
    pass


class Trap(Watch):
    """Springs in the middle of a call to a service."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.calls, self.late = OPEN_END, False
        self.sprung = threading.Event()
        self.kill: Callable[[], None] = _nobody

    def set(self, calls: int, *, late: bool, kill: Callable[[], None]) -> None:
        """Kill at so many calls from now, before the call is carried out, or `late`: before it is answered."""
        with self.lock:
            self.calls, self.late, self.kill = calls, late, kill
            self.sprung.clear()

    def before(self, path: str) -> None:
        with self.lock:
            self.calls -= 1
            if self.calls == 0 and not self.late:
                self._spring()

    def after(self, path: str) -> None:
        with self.lock:
            if self.calls == 0 and self.late:
                self._spring()

    def spring(self) -> None:
        """Kill now, if that has not been done."""
        with self.lock:
            if not self.sprung.is_set():
                self._spring()

    def _spring(self) -> None:
        self.calls = OPEN_END
        self.kill()
        self.sprung.set()


@dataclass
class Act:
    """A request of a guest's. `status`: of the answer; 0: none came."""

    kind: str
    path: str
    body: str
    headers: dict[str, str]
    uid: str = ""  # of the booking that is changed
    status: int = 0
    answer: str = ""


@dataclass
class Result:
    """What the campaign found. `wrong`: a sentence for each thing that is not as it must be."""

    kills: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    mails: tuple[int, int] = (0, 0)  # different ones, and all that were sent
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Campaign:
    """One instance under fire."""

    def __init__(self, here: Stage, trap: Trap, actor: Puppet, seed: int) -> None:
        self.here, self.trap, self.actor, self.random = here, trap, actor, random.Random(seed)
        self.keys: list[str] = here.ask("targets")
        self.standing: list[str] = []  # uids of bookings that, as far as guests know, stand
        self.hour = int(time.time()) // HOUR + 24
        self.result = Result()
        self._start("web")
        self._start("worker")

    def run(self, kills: int) -> Iterator[Result]:
        """Kill so often; yields what came of it after each kill, and at the end with the verdict."""
        began = time.monotonic()
        for number in range(kills):
            act = self._act(number)
            target = self.random.choice(("web", "worker"))
            asking = threading.Thread(target=self._ask, args=(act,))
            if self.random.random() < 0.5:
                asking.start()
                time.sleep(self.random.uniform(0, LONGEST_DELAY))
                self._kill(target)
                point = "any moment"
            else:
                late = self.random.random() < 0.5
                self.trap.set(self.random.randint(1, 8), late=late, kill=partial(self._kill, target))
                asking.start()
                if not self.trap.sprung.wait(2 * LONGEST_DELAY):
                    self.trap.spring()  # there were fewer calls
                point = "before the answer" if late else "before the act"
            asking.join()
            self._start(target)
            self._settle(act)
            self.result.kills[f"{target}, {act.kind}, {point}"] += 1
            self.result.seconds = time.monotonic() - began
            yield self.result
        self._drain()
        self.judge()
        self.result.seconds = time.monotonic() - began
        yield self.result

    def _act(self, number: int) -> Act:
        for account in self.here.services.accounts("zoom"):
            account.writes.clear()  # a hundred a day are not enough
        kind = self.random.choice(("book", "move", "cancel")) if len(self.standing) > 3 else "book"
        if kind == "book":
            guest = {"name": "Guest", "email": f"guest{number}@guest.example", "language": "en"}
            return Act(
                kind,
                f"/api/v1/pages/{self.random.choice(PAGES)}/bookings",
                json.dumps({"start": self._fresh_start(), "guest": guest}),
                {
                    "Authorization": f"Bearer {self.keys[number % len(self.keys)]}",
                    "Content-Type": "application/json",
                    "Idempotency-Key": f"booking-{number}",
                },
            )
        uid = self.random.choice(self.standing)
        self.actor.tell("secret", uid=uid)
        body = urlencode({"start": self._fresh_start()}) if kind == "move" else ""
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return Act(kind, f"/b/{uid}/{self.actor.hear()}/{kind}", body, form, uid)

    def _fresh_start(self) -> str:
        """Each booking has an hour of its own, so that events and meetings are told apart by their start."""
        self.hour += 1
        return f"{datetime.fromtimestamp(self.hour * HOUR, UTC):%Y-%m-%dT%H:%M:%SZ}"

    def _ask(self, act: Act) -> None:
        """Send the request once; no answer is one that leaves `status` 0."""
        wire = http.client.HTTPConnection(WEB_HOST, self.here.place.port, timeout=90)
        try:
            wire.request("POST", act.path, act.body, act.headers)
            answer = wire.getresponse()
            act.answer = answer.read().decode()
            act.status = answer.status
        except (OSError, http.client.HTTPException):
            pass
        finally:
            wire.close()

    def _settle(self, act: Act) -> None:
        """Repeat a request without an answer, or abandon it; keep the books of what stands."""
        if not act.status and self.random.random() < 0.5:
            self._ask(act)
        if act.status not in {0, 201 if act.kind == "book" else 303}:
            self.result.wrong.append(f"{act.kind} was answered {act.status}: {act.answer[:300]}")
        elif act.kind == "book" and act.status:
            self.standing.append(json.loads(act.answer)["uid"])
        elif act.kind == "cancel":
            self.standing.remove(act.uid)

    def _kill(self, name: str) -> None:
        process = self.here.children.running[name]
        if process.poll() is None:  # else its number may be another's by now
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, name: str) -> None:
        if name in self.here.children.running:
            self._read_log(name)
        if name == "web":
            self.here.children.start("web", "awase", "serve", "--host", WEB_HOST, "--port", str(self.here.place.port))
            self.here.children.wait_for(WEB_HOST, self.here.place.port)
        else:
            self.here.children.start("worker", "awase", "worker")

    def _read_log(self, name: str) -> None:
        """Nothing that a process was killed in may have surprised another."""
        log = (self.here.folder / "logs" / f"{name}.log").read_text(errors="replace")
        if "Traceback" in log:
            self.result.wrong.append(f"{name}: {log[-1500:]}")

    def _drain(self) -> None:
        patience = time.monotonic() + DRAIN_SECONDS
        while self.actor.ask("waiting") and time.monotonic() < patience:
            time.sleep(0.2)

    def judge(self) -> None:
        """Look everything over; what is not as it must be is noted in the result."""
        for name in ("web", "worker"):
            self._read_log(name)
        found = self.here.ask("verdict")
        self.result.wrong += found["wrong"]
        self.result.states.update(found["states"])
        self.result.mails = found["mails"]
        for place, wanted in found["wanted"].items():
            there, due = Counter(self._there(place)), Counter(wanted)
            for start in (there - due).elements():
                self.result.wrong.append(f"{place}: one too many at {start}")
            for start in (due - there).elements():
                self.result.wrong.append(f"{place}: one is missing at {start}")

    def _there(self, place: str) -> list[str]:
        """The starts of the events or meetings in an account."""
        service, email, what = place.split(" ")
        account = self.here.services.account(service, email)
        assert account is not None
        view = account_view(self.here.services, account)
        if what == "events":
            starts = [event["start"] for calendar in view["calendars"] for event in calendar["events"]]
        else:
            starts = [meeting.get("start") or meeting["startDateTime"] for meeting in view["meetings"]]
        return [f"{datetime.fromisoformat(start):%Y-%m-%dT%H:%MZ}" for start in starts]


@contextmanager
def campaign(folder: Path, address: str, seed: int) -> Iterator[Campaign]:
    """The instance with its web server and worker running, until the end of the block."""
    trap = Trap()
    with stage(folder, address, trap, **SETTINGS) as here, puppets(here, 1) as [actor]:
        yield Campaign(here, trap, actor, seed)


def report(database: str, result: Result) -> str:
    """The result, for people."""
    lines = [f"{database}: {result.kills.total()} kills in {result.seconds:.0f} s"]
    lines += [f"{count:>6}  {what}" for what, count in sorted(result.kills.items())]
    lines += [f"  bookings: {', '.join(f'{count} {state}' for state, count in sorted(result.states.items()))}"]
    different, sent = result.mails
    lines += [f"  mails: {different}, {sent - different} of them sent twice (killed between sending and noting it)"]
    lines += [f"  WRONG: {sentence}" for sentence in result.wrong] or ["  nothing wrong"]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.races.kill_campaign", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--database", choices=["sqlite", "postgres"], help="only this one")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    wrong = 0
    for database in [chosen.database] if chosen.database else ["sqlite", "postgres"]:
        with ExitStack() as until_the_end:
            folder = Path(until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="awase-kills-")))
            address = f"sqlite:///{folder / 'kills.sqlite3'}"
            if database == "postgres":
                address = until_the_end.enter_context(postgres.running()).new_database()
            under_fire = until_the_end.enter_context(campaign(folder, address, chosen.seed))
            for result in under_fire.run(chosen.kills):
                sys.stderr.write(f"\r{database}: {result.kills.total()} kills, {len(result.wrong)} wrong   ")
        sys.stderr.write("\n")
        print(report(database, result), flush=True)
        wrong += len(result.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
