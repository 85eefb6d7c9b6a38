"""One thread works ahead of another: frames are decoded and searched while those before are masked and encoded."""

import threading
from collections import deque
from collections.abc import Generator
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Generator[Item], most: int) -> Generator[Item]:
    """The items in order, taken by a thread of their own, so many at most before they are asked for.

    What goes wrong in taking one is raised in its place. When this is closed, the thread ends with the item that it is
    at and closes ``items``; that is waited for, so nothing of them runs any more afterwards.
    """
    ready: deque[Item] = deque()
    failed: list[BaseException] = []
    changed = threading.Condition()
    wanted = True
    ended = False

    def take() -> None:
        nonlocal ended
        try:
            for item in items:
                with changed:
                    ready.append(item)
                    del item  # whoever asks for it has it alone
                    changed.notify_all()
                    changed.wait_for(lambda: len(ready) < most or not wanted)
                    if not wanted:
                        break
        except BaseException as error:  # noqa: BLE001  (it is raised where the item was asked for)
            failed.append(error)
        finally:
            try:
                items.close()
            finally:
                with changed:
                    ended = True
                    changed.notify_all()

    thread = threading.Thread(target=take, name="edgeanon-ahead")
    thread.start()
    try:
        while True:
            with changed:
                changed.wait_for(lambda: ready or ended)
                if not ready:
                    break
                item = ready.popleft()
                changed.notify_all()
            yield item
            del item
    finally:
        with changed:
            wanted = False
            ready.clear()
            changed.notify_all()
        thread.join()
    if failed:
        raise failed[0]
