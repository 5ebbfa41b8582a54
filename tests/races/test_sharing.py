"""What several processes share – due work, a rotating token, the answers kept for pages – stays whole."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.races.stage import Stage, Watch, puppets, stage

pytestmark = pytest.mark.races


PROCESSES = 4


class Slow(Watch):
    """Services that take their time, so that others come meanwhile. Those who renew tokens are kept waiting until all
    of them have asked, if `gathered` says so."""

    def __init__(self) -> None:
        self.gathered = False
        self.all_here = threading.Barrier(PROCESSES)

    def before(self, path: str) -> None:
        if self.gathered and path.endswith("/oauth/token"):
            self.all_here.wait(timeout=60)
        else:
            time.sleep(0.2)


@pytest.fixture
def watch() -> Slow:
    return Slow()


@pytest.fixture
def here(tmp_path: Path, new_database: Callable[[Path], str], watch: Slow) -> Iterator[Stage]:
    with stage(tmp_path, new_database(tmp_path), watch, AWASE_LIVE_CHECK="0", AWASE_LOG_LEVEL="INFO") as made:
        yield made


def refreshes(here: Stage) -> int:
    """How often tokens were renewed since the account was connected."""
    return [call["path"] for call in here.services.requests].count("/oauth/token") - 1


def wait_until(done: object, seconds: float = 300) -> None:
    assert callable(done)
    patience = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < patience, "it takes too long"
        time.sleep(0.1)


def test_two_workers_share_the_work_and_do_nothing_twice(here: Stage) -> None:
    here.ask("hosts")
    for name in ("worker-1", "worker-2"):
        here.children.start(name, "awase", "worker")
        wait_until(lambda name=name: "worker started" in here.children.last_lines(name))
    here.ask("rush")
    with puppets(here, 1) as [watcher]:
        wait_until(lambda: watcher.ask("waiting") == 0)
    written = [call for call in here.services.requests if call["method"] == "POST" and call["path"].endswith("/events")]
    assert len(written) == 12
    assert here.ask("mails") == [24, 24]
    for name in ("worker-1", "worker-2"):
        log = (here.folder / "logs" / f"{name}.log").read_text()
        assert "mail kept" in log and "Traceback" not in log


def test_workers_that_claim_at_the_same_moment_share_the_accounts_that_are_due(here: Stage) -> None:
    due = here.ask("sixty_due")
    claimed: list[int] = []
    with puppets(here, PROCESSES) as processes:
        while len(claimed) < len(due):
            for process in processes:
                process.tell("claim", most=7)
            shares = [process.hear() for process in processes]
            assert any(shares)
            claimed += [account for share in shares for account in share]
    assert sorted(claimed) == due


def test_a_rotating_token_is_refreshed_once_by_whichever_process(here: Stage) -> None:
    token = here.ask("zoom_user")
    with puppets(here, PROCESSES) as processes:
        for _round in range(4):
            for process in processes:
                process.tell("refresh", rejected=token, leased=True)
            answers = {process.hear() for process in processes}
            assert len(answers) == 1 and token not in answers, "everybody uses the same new token"
            [token] = answers
    assert refreshes(here) == 4
    assert here.ask("zoom_works"), "still connected"


def test_without_the_lease_each_process_spends_the_same_token(here: Stage, watch: Slow) -> None:
    """The twin, which shows that the test above can fail: the lease taken away, all spend what only one may."""
    token = here.ask("zoom_user")
    watch.gathered = True
    with puppets(here, PROCESSES) as processes:
        for process in processes:
            process.tell("refresh", rejected=token, leased=False)
        for process in processes:
            process.hear()
    assert refreshes(here) >= PROCESSES


def test_two_accounts_repaired_at_once_leave_the_right_answer_stored(here: Stage) -> None:
    here.ask("hosts")
    accounts = here.ask("accounts_of_both")
    with puppets(here, 2) as processes:
        for _round in range(10):
            for good in (False, True):
                for process, account in zip(processes, accounts, strict=True):
                    process.tell("signal", credential=account, good=good)
                assert [process.hear() for process in processes] == ["recorded"] * 2
            processes[0].tell("outdated")
            assert processes[0].hear() == []


def test_no_booking_is_committed_after_the_stop_of_its_page(here: Stage) -> None:
    here.ask("hosts")
    account = here.ask("accounts_of_both")[0]
    tomorrow = int(time.time()) // 86400 * 86400 + 86400 + 12 * 3600
    with puppets(here, 3) as (bar, guest, check):
        bar.tell("bar_bookings", barred=True)
        assert bar.hear() == "done"
        guest.tell("book", slug="solo", start=tomorrow, locked=True)
        time.sleep(1.5)  # the guest has been told "free", and waits to be written down
        check.tell("stop_seeing", credential=account)
        time.sleep(1.5)
        bar.tell("bar_bookings", barred=False)
        assert bar.hear() == "done"
        taken, seen = guest.hear(), check.hear()
    assert (taken, seen) in {("taken", 1), ("not_accepting", 0)}
