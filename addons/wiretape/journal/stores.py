"""The stores that a writer writes to, each opened once: a bucket's finds out first what its server can do."""

from wiretape.journal.write_job import WriterConfig
from wiretape.policy import Mode, Takes
from wiretape.store.base import Store
from wiretape.store.directory import DirectoryStore
from wiretape.store.grouped import GroupedStore
from wiretape.store.opening import StoreUrl
from wiretape.tape.conflicts import conflict_resolver
from wiretape.tape.take_writer import WrittenTakes


class Stores:
    """The stores of one process that writes, and what it has written there."""

    def __init__(self) -> None:
        self.written = WrittenTakes()
        self._stores: dict[StoreUrl, Store] = {}
        self._groups: dict[StoreUrl, GroupedStore] = {}
        self._chosen: dict[str, tuple[Mode, Takes]] = {}

    def of(self, config: WriterConfig) -> Store:
        """Return the store of an exchange. Raises ValueError.

        How its session is recorded is kept, for what has to wait for its store.
        """
        self._chosen[config.tape.session] = config.tape.mode, config.tape.takes
        if config.place not in self._stores:
            store = config.place.open(conflict_resolver(self._choice))
            self._stores[config.place] = store
            if isinstance(store, DirectoryStore):
                self._groups[config.place] = GroupedStore(store)
        return self._stores[config.place]

    def group(self, config: WriterConfig) -> GroupedStore | None:
        """Return the same for several exchanges at once, where it is a directory. Raises ValueError."""
        self.of(config)
        return self._groups.get(config.place)

    def _choice(self, session: str) -> tuple[Mode, Takes]:
        # What an earlier process has left: as the option's default has it.
        return self._chosen.get(session, (Mode.RECORD_IF_MISSING, Takes.LAST))

    def start(self) -> None:
        """Have them clean up after writers that were killed."""
        for store in self._stores.values():
            store.start()

    def close(self) -> None:
        """End them."""
        for store in self._stores.values():
            store.close()
