"""Values that are made once, however many ask at the same time."""

from threading import Barrier, Event, Thread

import pytest

from app.services.cache import cached


def in_threads(n: int, work) -> None:
    threads = [Thread(target=work) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_kept__who_asks_at_the_same_time_waits_for_the_first() -> None:
    made, got, barrier = [], [], Barrier(8)

    @cached(maxsize=2)
    def make(name: str) -> object:
        made.append(name)
        Event().wait(0.05)  # long enough for the others to come
        return object()

    def ask() -> None:
        barrier.wait(10)
        got.append(make("a"))

    in_threads(8, ask)
    assert made == ["a"]
    assert len(got) == 8
    assert len(set(map(id, got))) == 1


def test_kept__a_value_that_could_not_be_made_is_made_again() -> None:
    tries = []

    @cached(maxsize=2)
    def make() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("not yet")
        return 7

    with pytest.raises(ValueError, match="not yet"):
        make()
    assert (make(), make(), len(tries)) == (7, 7, 2)


def test_kept__forgets_what_was_asked_for_least_recently() -> None:
    made = []

    @cached(maxsize=2)
    def make(name: str) -> str:
        made.append(name)
        return name

    for name in "abacab":
        make(name)
    assert made == ["a", "b", "c", "b"]
