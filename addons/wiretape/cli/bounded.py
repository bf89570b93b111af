"""Work that may wait for a network, within a bounded time."""

import threading
from collections.abc import Callable


def within[T](seconds: float, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, or raise what it raises. Raises TimeoutError where it takes longer.

    Work that takes longer goes on in a thread of its own, which keeps no process from ending.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as e:  # noqa: BLE001  it is raised below
            errors.append(e)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"nothing came of it within {seconds:g} seconds")
    return results[0]
