"""The store of a ``Runtime``: opened, and asked whether it can be recorded in. Beside ``configure``.

Both functions raise ``OptionsError``, which names the option and says what to do.
"""

from collections.abc import Callable

from mitmproxy import exceptions

from wiretape.exceptions import StoreAwayError
from wiretape.policy import Mode, Takes
from wiretape.store.base import Store
from wiretape.store.opening import StoreUrl
from wiretape.tape.conflicts import conflict_resolver


def open_store(place: StoreUrl, choice: Callable[[str], tuple[Mode, Takes]]) -> Store:
    """Return the store at a place. ``choice``: see ``conflict_resolver``."""
    try:
        return place.open(conflict_resolver(choice))
    except ValueError as e:
        raise exceptions.OptionsError(f"wiretape_recordings: {e}") from e


def check_writable(store: Store, session: str) -> None:
    """Raise OptionsError where a session cannot be recorded in; it says what to do."""
    try:
        store.check_writable(session)
    except OSError as e:
        why = str(e) if isinstance(e, StoreAwayError) else f"{store.url}: cannot be written: {e.strerror or e}"
        raise exceptions.OptionsError(
            f"wiretape_recordings: {why}. Nothing could be recorded: see to that, name another place, "
            "or choose wiretape_mode=replay"
        ) from e
