"""No more calls of one account at once than its service allows."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from awase.domain.errors import FailureClass, ProviderError
from awase.providers.http import build_client
from awase.providers.microsoft import Microsoft
from awase.providers.pace import Turns
from tests.providers.scripted import APP, failure_of


class OneToken:
    def __init__(self, value: str) -> None:
        self.value = value

    def token(self, *, rejected: str | None = None) -> str:
        return self.value


class Graph(httpx2.BaseTransport):
    """Answers once it is let go; counts what is under way by the account's token."""

    def __init__(self) -> None:
        self.changed, self.open = threading.Condition(), False
        self.under_way: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        token = request.headers["Authorization"]
        with self.changed:
            self.under_way[token] += 1
            self.most |= self.under_way
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.open, 20)
            self.under_way[token] -= 1
        return httpx2.Response(200, json={"id": "calendar"})

    def wait_until(self, token: str, calls: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.under_way[f"Bearer {token}"] == calls, 20)

    def let_go(self) -> None:
        with self.changed:
            self.open = True
            self.changed.notify_all()


def check(graph: Graph, token: str, patience: float = 20.0) -> None:
    """One call, as the worker, a page or a live check makes it: each with an adapter of its own."""
    client = build_client(transport=graph, timeout=httpx2.Timeout(patience))
    Microsoft(client, APP).session(OneToken(token)).check()


def test_a_mailbox_is_asked_four_things_at_once_and_another_is_not_kept_waiting() -> None:
    graph = Graph()
    with ThreadPoolExecutor(12) as pool:
        calls = [pool.submit(check, graph, "hanako") for _ in range(10)]
        graph.wait_until("hanako", 4)
        calls.append(pool.submit(check, graph, "taro"))
        graph.wait_until("taro", 1)
        graph.let_go()
        for call in calls:
            call.result(20)
    assert graph.most == {"Bearer hanako": 4, "Bearer taro": 1}


def test_a_call_that_gets_no_turn_in_its_time_counts_as_timed_out() -> None:
    graph = Graph()
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(check, graph, "jiro") for _ in range(4)]
        graph.wait_until("jiro", 4)
        failure = failure_of(lambda: check(graph, "jiro", patience=0.05))
        graph.let_go()
        for call in calls:
            call.result(20)
    assert failure is not None
    assert (failure.kind, failure.symptom, failure.detail) == (FailureClass.RETRY, "X01", "PoolTimeout")
    check(graph, "jiro", patience=0.05)


def test_a_turn_ends_with_its_call_also_where_that_fails() -> None:
    turns = Turns(1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), turns.one("account", 0):
            raise ZeroDivisionError
    with turns.one("account", 0), pytest.raises(ProviderError), turns.one("account", 0):
        raise AssertionError("only one turn")
