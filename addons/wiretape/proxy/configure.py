"""mitmproxy's options and the files that they name -> a ``Runtime``. Nothing takes effect here.

Every function raises ``OptionsError``, which names the option, or the file and the place in it, and the right values:
so mitmproxy tells it and sets the options back. Some checks are of options of mitmproxy's, which can change while ours
stay: ``check`` is for every change, ``build`` for those of ours.
"""

import logging
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mitmproxy import exceptions
from mitmproxy.optmanager import OptManager
from mitmproxy.proxy.mode_specs import ProxyMode

from wiretape import config, redaction
from wiretape.call_log.places import make_log_file, named_log_file, run_name
from wiretape.cluster import worker
from wiretape.cluster.worker import Membership
from wiretape.codecs import misspelled, printable
from wiretape.codecs.units import parse_size
from wiretape.config import Configuration
from wiretape.config.overrides import Known
from wiretape.control import server
from wiretape.exceptions import ConfigurationError
from wiretape.matching import presets
from wiretape.matching.choice import MatchChoice
from wiretape.matching.presets import MatchPolicies, Preset
from wiretape.matching.rules import parse_places
from wiretape.metrics.prometheus import MissingPackageError
from wiretape.network import address, dns_rebinding
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames
from wiretape.network.egress import EgressPolicy
from wiretape.policy import DEFAULT_MODE, Mode, parse_form, parse_mode, parse_takes
from wiretape.pricing.installed import memory_file
from wiretape.pricing.prices import Prices
from wiretape.providers.ignoring import IgnoredRequests, Program
from wiretape.proxy import budgets
from wiretape.proxy.compat import loopback, supported
from wiretape.proxy.options import PREFIX, Lane, Large
from wiretape.proxy.runtime import Runtime
from wiretape.redaction import RedactionPolicy
from wiretape.replay import pacing
from wiretape.sessions.access import AccessPolicy
from wiretape.sessions.model import Sessions, check_name
from wiretape.sessions.scopes import Overrides
from wiretape.sessions.token_file import TokenFile
from wiretape.store.opening import StoreUrl, is_url
from wiretape.tape.config import TapeConfig

if TYPE_CHECKING:
    from wiretape.pricing.spending import Spending

logger = logging.getLogger(__name__)

_RUN = 100
"""Characters of the name of a run that are kept."""

# -- what is looked at with every change -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Appearance:
    """How the proxy itself is met: by its page of counters, its API, its coordinator, and who asks for it by name."""

    page: Address | None
    """Where the page of counters is, if anywhere."""
    control: Address | None
    """Where the control API is, if anywhere."""
    membership: Membership | None
    """Which worker of several this is, if one."""
    names: OwnNames


def check(options: OptManager) -> Appearance:
    """Look at what mitmproxy's own options have a part in, and return how the proxy is met."""
    _check_mitmproxy()
    _check_names(options)
    _refuse_conflicts(options)
    _lane(options)
    check_listening(options)
    page = _checked(options, "wiretape_metrics", address.parse) if options.wiretape_metrics else None
    is_worker = bool(options.wiretape_coordinator)
    membership = _checked(options, "wiretape_coordinator", worker.parse) if is_worker else None
    return Appearance(page, _control(options), membership, own_names(options))


def _control(options: OptManager) -> Address | None:
    """Return where the control API is to be, if anywhere."""
    if not options.wiretape_control:
        return None
    found = _checked(options, "wiretape_control", address.parse)
    if not found.is_loopback and not options.wiretape_tokens:
        raise exceptions.OptionsError(
            f"wiretape_control: {found} is open to other machines, where anybody could change what this proxy does. "
            "Make a token with: wiretape token create --session NAME --role write; then set wiretape_tokens to its file"
        )
    try:
        server.available()
    except MissingPackageError as e:
        raise exceptions.OptionsError(f"wiretape_control: {e}") from e
    return found


def _check_mitmproxy() -> None:
    """Raise OptionsError for a mitmproxy in which something is another that a promise hangs on."""
    for feature in supported.NEEDED:
        if said := supported.warning(feature):
            raise exceptions.OptionsError(f"{said}. Nothing is started")


def _check_names(options: OptManager) -> None:
    """Raise OptionsError for an option of ours that there is not: mitmproxy keeps it for an addon that never comes."""
    if wrong := [name for name in options.deferred if name.startswith(PREFIX)]:
        known = sorted(name for name in options.keys() if name.startswith(PREFIX))  # noqa: SIM118
        raise exceptions.OptionsError(str(misspelled.unknown("wiretape", wrong, known, kind="option")))


def _refuse_conflicts(options: OptManager) -> None:
    """Raise OptionsError for options of mitmproxy's with which ours cannot keep their promises."""
    if options.stream_large_bodies:
        raise exceptions.OptionsError(
            "stream_large_bodies cannot be used with wiretape: it holds back small pieces of a stream and sends "
            "requests on that a recording should answer. wiretape streams every answer by itself: unset it."
        )


_TUNNELS = ("regular", "upstream")
_ORIGINS = ("http", "https")


def check_listening(options: OptManager) -> None:
    """Raise OptionsError where somebody could come in without a token, or could not show one."""
    modes = [ProxyMode.parse(mode) for mode in options.mode]
    if options.wiretape_tokens:
        for mode in modes:
            if mode.type_name not in _TUNNELS and getattr(mode, "scheme", "") not in _ORIGINS:
                raise exceptions.OptionsError(
                    f"wiretape_tokens: in mode {mode.full_spec} a client cannot name its token: "
                    "use regular, upstream, or reverse to a http or https URL"
                )
    elif host := loopback.elsewhere(options):
        raise exceptions.OptionsError(
            f"wiretape listens on {host} for those alone who have a token: whoever comes in can read every answer. "
            "Make one with: wiretape token create --session NAME --role write; then set wiretape_tokens to its file"
        )


def own_names(options: OptManager) -> OwnNames:
    """Return the names by which clients reach the proxy itself."""
    modes = [ProxyMode.parse(mode) for mode in options.mode]
    listening = (options.listen_host, *(mode.custom_listen_host or "" for mode in modes))
    return _checked(options, "wiretape_hosts", lambda text: dns_rebinding.own_names(text, listening))


# -- what our own come to ----------------------------------------------------------------------------------------------


def build(options: OptManager, updated: Set[str], former: Runtime | None = None) -> Runtime:
    """Return what all options and files come to.

    ``updated`` are the options that have changed since ``former`` was built. A file of tokens that stays is kept, as it
    is watched; faults that stay go on counting.
    """
    try:
        return _build(options, updated, former, _configuration(options))
    except ConfigurationError as e:
        raise exceptions.OptionsError(f"wiretape_config: {printable.lines(str(e))}") from e


def _build(options: OptManager, updated: Set[str], former: Runtime | None, own: Configuration) -> Runtime:
    providers = own.providers()
    faults = own.faults(providers.names)
    if former and "wiretape_config" not in updated:
        # Another mode or session is no reason to count the requests from the start.
        faults = former.faults
    sessions = own.sessions()
    chosen, known = _presets(options, own)
    places = _checked(options, "wiretape_places", parse_places)
    rules = own.matching(providers.names)
    tokens = former.tokens if former and "wiretape_tokens" not in updated else _tokens(options)
    prices = Prices(own.prices(providers.names), memory_file())
    spending = _spending(options, sessions, prices, former)
    return Runtime(
        place=_place(options),
        tape=_tape(options),
        sessions=sessions,
        tokens=tokens,
        access=_access(options, sessions, tokens),
        providers=providers,
        faults=faults,
        egress=_egress(options, own),
        matching=presets.policy(chosen, known, rules, places),
        policies=MatchPolicies(known, rules, places),
        known=Known(providers.names, known, sessions, options.wiretape_session),
        ignored=_ignored(chosen, known),
        has_strict_rules=options.wiretape_strict_rules,
        redaction=own.redaction(),
        memory=_checked(options, "wiretape_cache", parse_size),
        call_log=_call_log(options),
        prices=prices,
        spending=spending,
        counts_costs=bool(spending or options.wiretape_metrics or options.wiretape_coordinator) and prices.are_known,
        run=_run(options, former),
        journal=_journal(options),
        largest=_largest(options),
        largest_said=options.wiretape_max_request,
        large=_large(options),
        shares=options.wiretape_single_flight,
        lane=_lane(options),
    )


def _configuration(options: OptManager) -> Configuration:
    file: str = options.wiretape_config
    if not file:
        return Configuration()
    try:
        return config.read(Path(file).expanduser())
    except (OSError, UnicodeDecodeError) as e:
        raise exceptions.OptionsError(f"wiretape_config: cannot read {file}: {e}") from e


def _place(options: OptManager) -> StoreUrl:
    text: str = options.wiretape_recordings
    if not text:
        raise exceptions.OptionsError("wiretape_recordings: is empty: name a directory, or a bucket")
    if not is_url(text):
        root = Path(text).expanduser().absolute()
        if root.exists() and not root.is_dir():
            raise exceptions.OptionsError(f"wiretape_recordings: {root} is not a directory")
        text = str(root)
    return StoreUrl(
        text,
        str(Path(options.wiretape_local).expanduser()) if options.wiretape_local else "",
        _checked(options, "wiretape_spool", parse_size),
        _checked(options, "wiretape_disk", parse_size),
        largest=_checked(options, "wiretape_max_recording", parse_size),
    )


def _tape(options: OptManager) -> TapeConfig:
    return TapeConfig(
        takes=_checked(options, "wiretape_takes", parse_takes),
        form=_checked(options, "wiretape_format", parse_form),
        pace=_checked(options, "wiretape_pace", pacing.parse),
        keep_captures=options.wiretape_wire,
        keep_errors=options.wiretape_record_errors,
        keep_misses=options.wiretape_keep_misses,
        places=options.wiretape_places,
        is_offline=options.wiretape_offline,
    )


def _presets(options: OptManager, own: Configuration) -> tuple[MatchChoice, Mapping[str, Preset]]:
    """Return what is chosen, and all presets."""
    known = own.presets()
    return _checked(options, "wiretape_match", lambda text: presets.choose(text, known))


def _ignored(chosen: MatchChoice, known: Mapping[str, Preset]) -> IgnoredRequests:
    """Return what is asked for beside the model, by the presets that hold."""
    if chosen.is_exact:
        return IgnoredRequests()
    holding = [each for name, each in known.items() if chosen.is_auto or name in chosen.presets]
    programs = [Program.parse(each.name, each.clients, each.ignore_requests, each.commands) for each in holding]
    return IgnoredRequests(programs, chosen.presets)


def _access(options: OptManager, known: Sessions, tokens: TokenFile | None) -> AccessPolicy:
    name = _checked(options, "wiretape_session", check_name)
    chosen: str | None = options.wiretape_mode
    mode = DEFAULT_MODE if chosen is None else _checked(options, "wiretape_mode", parse_mode)
    askable = _checked(options, "wiretape_modes", lambda text: _askable(text, mode))
    try:
        mode_is_explicit = chosen is not None
        return AccessPolicy(
            known,
            name,
            mode,
            mode_is_explicit=mode_is_explicit,
            tokens=tokens,
            askable=askable,
            asks=options.wiretape_ask,
        )
    except ValueError as e:
        raise exceptions.OptionsError(f"wiretape_mode: {e}") from e


def _askable(text: str, mode: Mode) -> tuple[Mode, ...]:
    """Return the modes that credentials may ask for. Raises ValueError."""
    if not text:
        return tuple(each for each in Mode if each is not Mode.LIVE or mode is not Mode.REPLAY)
    return tuple(parse_mode(each.strip()) for each in text.split(","))


def _egress(options: OptManager, own: Configuration) -> EgressPolicy:
    allow, allow_only = own.tunnels()
    if options.wiretape_offline and is_url(options.wiretape_recordings):
        raise exceptions.OptionsError(
            f"wiretape_offline: {options.wiretape_recordings} is not on this machine: name a directory in "
            "wiretape_recordings"
        )
    return EgressPolicy(bool(options.wiretape_tokens), allow, allow_only, options.wiretape_offline)


def _tokens(options: OptManager) -> TokenFile | None:
    file: str = options.wiretape_tokens
    try:
        return TokenFile(Path(file).expanduser()) if file else None
    except (OSError, ValueError) as e:
        hint = "; wiretape token create makes one" if isinstance(e, FileNotFoundError) else ""
        raise exceptions.OptionsError(f"wiretape_tokens: {e}{hint}") from e


def _call_log(options: OptManager) -> Path | None:
    """Return the file that has what became of calls; None where there is none."""
    text: str = options.wiretape_call_log
    if not text and options.wiretape_control:
        text = "on"
    if text in ("", "off"):
        return None
    if text == "on":
        try:
            return make_log_file(_place(options).recordings)
        except ValueError as e:
            raise exceptions.OptionsError(f"wiretape_recordings: {e}") from e
        except OSError as e:
            # As with a disk that fails later: the calls go on without it.
            logger.error("wiretape_call_log: %s", e)
            return None
    return _checked(options, "wiretape_call_log", named_log_file)


def _spending(options: OptManager, sessions: Sessions, prices: Prices, former: Runtime | None) -> "Spending | None":
    try:
        return budgets.spending(_place(options), sessions, prices, former.spending if former else None)
    except (OSError, ValueError) as e:
        raise exceptions.OptionsError(f"wiretape_config: {e}") from e


def _run(options: OptManager, former: Runtime | None) -> str:
    text: str = options.wiretape_run
    if text:
        return printable.line(text)[:_RUN]
    return former.run if former else run_name()


def _journal(options: OptManager) -> int:
    size = _checked(options, "wiretape_journal", parse_size)
    if size == 0:
        raise exceptions.OptionsError("wiretape_journal: is 0, but every answer goes through it: 1GB is the default")
    return size


def _largest(options: OptManager) -> int:
    size = _checked(options, "wiretape_max_request", parse_size)
    if not size:
        raise exceptions.OptionsError("wiretape_max_request: 0 would refuse every request: it is a size such as 64MB")
    return size


def _large(options: OptManager) -> Large:
    try:
        return Large(options.wiretape_large_requests)
    except ValueError as e:
        said = options.wiretape_large_requests
        raise exceptions.OptionsError(f"wiretape_large_requests: {said!r} is none of {', '.join(Large)}") from e


def _lane(options: OptManager) -> Lane:
    try:
        return Lane(options.wiretape_lane)
    except ValueError as e:
        said = options.wiretape_lane
        raise exceptions.OptionsError(f"wiretape_lane: {said!r} is no lane: the lanes are {', '.join(Lane)}") from e


def _checked[T](options: OptManager, name: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(getattr(options, name))
    except ValueError as e:
        raise exceptions.OptionsError(f"{name}: {e}") from e


def check_overrides(runtime: Runtime, overrides: Overrides) -> None:
    """Raise OptionsError where what was asked for of sessions and scopes names what there is no more."""
    of_scopes = [scope.override for scope in overrides.scopes.values()]
    for override in (*overrides.sessions.values(), *of_scopes):
        if override.match:
            try:
                runtime.policies.of(override.match)
            except ValueError as e:
                raise exceptions.OptionsError(f"wiretape_config: a session or a scope matches by it now: {e}") from e


def clean_by(policy: RedactionPolicy) -> None:
    """Clean as a policy says from now on, in all of this process. Raises OptionsError where it lacks a key."""
    try:
        redaction.DEFAULT.use(policy)
    except ValueError as e:
        raise exceptions.OptionsError(f"wiretape_config: {e}") from e
