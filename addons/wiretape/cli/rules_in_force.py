"""The sessions that a command on rules looks at, and the rules that a proxy would have for them."""

from dataclasses import dataclass
from pathlib import Path

from wiretape import config, redaction
from wiretape.cli.sessions import Library, open_library
from wiretape.config import Configuration
from wiretape.matching import presets
from wiretape.matching.rules import MatchPolicy, Places
from wiretape.providers.routing import Providers


@dataclass(frozen=True, slots=True)
class SessionRules:
    """Sessions, and the rules that hold for them."""

    library: Library
    names: tuple[str, ...]
    """The sessions that are meant."""
    policy: MatchPolicy
    providers: Providers


def open_session_rules(
    recordings: str, session: str | None, file: Path | None, match: str, local: str = ""
) -> SessionRules:
    """Return the sessions below a directory or in a bucket, or one of them, with the rules for them.

    ``file`` is that of ``wiretape_config``, ``match`` what ``wiretape_match`` says, ``local`` the folder of
    ``wiretape_local``. What the file says of secrets is in force from then on. Raises ValueError and OSError.
    """
    library = open_library(recordings, file, local)
    own = config.read(file) if file else Configuration()
    redaction.DEFAULT.use(own.redaction())
    names = (library.existing(session),) if session else tuple(library.store.sessions())
    providers = own.providers()
    chosen, known = presets.choose(match, own.presets())
    policy = presets.policy(chosen, known, own.matching(providers.names), Places())
    return SessionRules(library, names, policy, providers)
