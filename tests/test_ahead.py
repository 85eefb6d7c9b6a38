"""Working ahead: the same items in the same order, a few at most, and nothing left running."""

import threading
from collections.abc import Generator

import pytest

from edgeanon.pipeline.ahead import ahead

PATIENCE = 10
"""Seconds after which a test that waits has failed."""


def numbers(count: int) -> Generator[int]:
    yield from range(count)


def working() -> bool:
    return any(thread.name == "edgeanon-ahead" for thread in threading.enumerate())


def test_items_come_in_order() -> None:
    assert list(ahead(numbers(100), 3)) == list(range(100))
    assert not working()


def test_it_goes_on_while_nobody_asks_and_stops_where_enough_are_ready() -> None:
    taken, enough = 0, threading.Event()

    def counted() -> Generator[int]:
        nonlocal taken
        for number in range(100):
            taken += 1
            if taken == 4:
                enough.set()
            yield number

    items = ahead(counted(), 3)
    assert next(items) == 0
    assert enough.wait(PATIENCE)
    items.close()
    assert taken <= 5


def test_an_error_is_raised_where_its_item_belongs() -> None:
    def failing() -> Generator[int]:
        yield 1
        yield 2
        raise OSError("the third")

    items = ahead(failing(), 10)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(OSError, match="the third"):
        next(items)
    assert not working()


def test_closing_waits_for_the_item_under_way_and_closes_the_items() -> None:
    closed = False

    def endless() -> Generator[int]:
        nonlocal closed
        try:
            while True:
                yield 1
        finally:
            closed = True

    items = ahead(endless(), 2)
    next(items)
    items.close()
    assert closed
    assert not working()
