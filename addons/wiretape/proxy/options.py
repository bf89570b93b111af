"""The addon's options: declared, read, validated. Between mitmproxy's option manager and the tape's values."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from mitmproxy import exceptions
from mitmproxy.addonmanager import Loader
from mitmproxy.optmanager import OptManager
from mitmproxy.proxy.mode_specs import ProxyMode

from wiretape import config, redaction
from wiretape.cluster import worker
from wiretape.cluster.worker import Membership
from wiretape.codecs import misspelled, printable, toml_text
from wiretape.codecs.units import parse_size
from wiretape.exceptions import StoreAwayError
from wiretape.network import address, dns_rebinding, egress
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames
from wiretape.network.egress import EgressPolicy
from wiretape.policy import DEFAULT_MODE, DEFAULT_SESSION, FORMS, Mode, Takes, parse_form, parse_mode, parse_takes
from wiretape.providers import routing
from wiretape.providers.routing import Providers
from wiretape.proxy.compat import loopback
from wiretape.redaction import rules as redaction_rules
from wiretape.replay import faults, pacing
from wiretape.replay.faults import Faults
from wiretape.sessions import config as session_config
from wiretape.sessions.access import AccessPolicy
from wiretape.sessions.model import Sessions, check_name
from wiretape.sessions.token_file import TokenFile
from wiretape.store.base import Store
from wiretape.store.opening import StoreUrl, is_url
from wiretape.tape.config import TapeConfig
from wiretape.tape.tape import conflict_resolver

NAMES = (
    "wiretape_mode",
    "wiretape_recordings",
    "wiretape_session",
    "wiretape_takes",
    "wiretape_format",
    "wiretape_pace",
    "wiretape_wire",
    "wiretape_record_errors",
    "wiretape_config",
    "wiretape_tokens",
    "wiretape_cache",
    "wiretape_local",
    "wiretape_spool",
    "wiretape_disk",
    "wiretape_journal",
    "wiretape_max_recording",
    "wiretape_modes",
    "wiretape_ask",
    "wiretape_offline",
    "wiretape_max_request",
    "wiretape_large_requests",
)

LANES = ("auto", "fast", "flows")
LARGE = ("refuse", "pass")


def declare(loader: Loader) -> None:
    """Declare every option; mitmproxy calls it once."""
    loader.add_option(
        "wiretape_mode",
        Optional[str],  # type: ignore[arg-type]  # noqa: UP045  so mitmproxy knows the type of such an option
        None,
        f"""What to do with a request to an inference endpoint: "replay" answers from the recordings and sends nothing,
        "record-if-missing" answers from them where it can and records the rest, "record" asks the provider every time
        and records, "live" only passes on. By default "{DEFAULT_MODE}", unless the session names a mode of its own; one
        that is chosen here goes before that.""",
        choices=[*Mode],
    )
    loader.add_option(
        "wiretape_modes",
        str,
        "",
        """The modes that a client may ask for in its credentials (SESSION+MODE), as a list: "replay,record". By default
        all of them, but not "live" where wiretape_mode is "replay". A session with modes of its own goes by those.""",
    )
    loader.add_option(
        "wiretape_ask",
        bool,
        False,
        """Answer 407 to who names no session, so that clients do which send the user of the proxy's URL only when they
        are asked (.NET, Java, curl --proxy-anyauth). Without it they get the session of wiretape_session.""",
    )
    loader.add_option(
        "wiretape_offline",
        bool,
        False,
        "Lead nowhere but to this machine, in every mode: no provider, no tunnel, no DNS query. Recordings are served.",
    )
    loader.add_option(
        "wiretape_recordings",
        str,
        "recordings",
        """Where the recordings are: a directory, or a bucket that any number of proxies share (s3://BUCKET/PREFIX, gs://,
        az://; credentials from the environment).""",
    )
    loader.add_option(
        "wiretape_local",
        str,
        "",
        "With a bucket: a folder for recordings that wait for it, and for copies; by default in the user's cache.",
    )
    loader.add_option(
        "wiretape_spool",
        str,
        "512MB",
        "With a bucket: how much may wait in that folder while the bucket is away.",
    )
    loader.add_option(
        "wiretape_disk",
        str,
        "0",
        "With a bucket: how much of what was read is kept in that folder.",
    )
    loader.add_option(
        "wiretape_journal",
        str,
        "1GB",
        """How much may wait on this machine's disk, in the user's state folder, to become recordings. Beyond it answers
        wait until some are written.""",
    )
    loader.add_option(
        "wiretape_max_recording",
        str,
        "256MB",
        "The size of a recording in a folder: a larger file is taken for none, whoever has put it there.",
    )
    loader.add_option(
        "wiretape_session",
        str,
        DEFAULT_SESSION,
        "The set of recordings: <recordings>/<session>/responses/<hash>.json.",
    )
    loader.add_option(
        "wiretape_takes",
        str,
        str(Takes.LAST),
        """Which recording answers a request that was recorded several times: "first", "last", "sequence" (then the last
        again) or "cycle". With all but "last", record mode adds a take where it would replace the recording.""",
        choices=[*Takes],
    )
    loader.add_option(
        "wiretape_format",
        str,
        FORMS[0],
        "The form in which recordings are written; every form is read.",
        choices=[*FORMS],
    )
    loader.add_option(
        "wiretape_pace",
        str,
        "instant",
        """How fast a replay is: "instant", "recorded", a factor such as "2x" or "0.5x", or tokens a second such as
        "50tps" or "50tps,ttft=300ms" (with the time to the first token).""",
    )
    loader.add_option(
        "wiretape_wire",
        bool,
        True,
        """Keep the answer's own bytes and times beside the recording, in <session>/wire/<hash>.json, and replay them.
        Without them a stream is made anew from the recording.""",
    )
    loader.add_option(
        "wiretape_record_errors",
        bool,
        False,
        """Record answers of every status, and of a stream that broke off what came of it; replay them, and break off
        at the same byte. Without it only errors are recorded that tell of the request: 400, 404, 413, 422.""",
    )
    loader.add_option(
        "wiretape_single_flight",
        bool,
        True,
        """In record-if-missing, send a request that is equal to one under way not to the provider: it gets the other's
        answer as it comes.""",
    )
    loader.add_option(
        "wiretape_cache",
        str,
        "128MB",
        "Memory for answers that were looked up lately, in bytes or with kB, MB or GB; 0 for none.",
    )
    loader.add_option(
        "wiretape_lane",
        str,
        "auto",
        """How hits are served: "fast", by layers of wiretape's own and without a flow; "flows", as mitmproxy's flows,
        ten times slower and seen by whatever looks at flows; "auto" is "flows" where something does: mitmweb, the
        console, -w and other options of mitmproxy's, another addon.""",
        choices=[*LANES],
    )
    loader.add_option(
        "wiretape_max_request",
        str,
        "64MB",
        "The largest body of a request that is looked up or recorded, in bytes or with kB, MB or GB.",
    )
    loader.add_option(
        "wiretape_large_requests",
        str,
        LARGE[0],
        """What becomes of a request with a larger body: "refuse" answers 413, "pass" sends it on unrecorded, but not in
        replay. One to a path that the table of providers does not name, a file, is sent on in any case.""",
        choices=[*LARGE],
    )
    loader.add_option(
        "wiretape_tokens",
        str,
        "",
        """A file of tokens, made by "wiretape token create": who may use which session. Without one everybody may, and
        the proxy listens on this machine alone.""",
    )
    loader.add_option(
        "wiretape_metrics",
        str,
        "",
        """Where a page of counters for Prometheus is: HOST:PORT, or PORT alone for this machine; by default nowhere.
        Needs the package prometheus-client.""",
    )
    loader.add_option(
        "wiretape_hosts",
        str,
        "",
        """The names by which clients reach the proxy itself, its reverse port and its page of counters, as a list:
        "proxy.example,*.corp.example". Addresses, localhost and listen_host need not be in it. A request for another
        host, or of a web page of another origin, is refused: so no page can read what is here.""",
    )
    loader.add_option("wiretape_coordinator", str, "", "Set by wiretape serve.")
    loader.add_option(
        "wiretape_config",
        str,
        "",
        """A TOML file with a team's own providers, in the format of config/providers.toml, with its sessions
        ([session.NAME]), with where tunnels may lead ([tunnels]), with what is a secret to it ([redaction],
        [[redact]]) and with the faults to inject ([[fault]]), all shown in config/wiretape.toml.""",
    )


def check_names(options: OptManager) -> None:
    """Raise OptionsError for an option of ours that there is not: mitmproxy keeps it for an addon that never comes."""
    if wrong := [name for name in options.deferred if name.startswith("wiretape_")]:
        known = sorted(name for name in options.keys() if name.startswith("wiretape_"))  # noqa: SIM118
        raise exceptions.OptionsError(str(misspelled.unknown("wiretape", wrong, known, kind="option")))


def metrics(options: OptManager) -> Address | None:
    """Where the page of counters is to be, if anywhere. Raises OptionsError."""
    return _checked(options, "wiretape_metrics", address.parse) if options.wiretape_metrics else None


def membership(options: OptManager) -> Membership | None:
    """Which worker of several this is, if one. Raises OptionsError."""
    return _checked(options, "wiretape_coordinator", worker.parse) if options.wiretape_coordinator else None


def place(options: OptManager) -> StoreUrl:
    """Where the recordings are. Raises OptionsError, naming the option and the right values."""
    text: str = options.wiretape_recordings
    if not text:
        raise exceptions.OptionsError("wiretape_recordings: is empty: name a directory, or a bucket")
    if not is_url(text):
        root = Path(text).expanduser().absolute()
        if root.exists() and not root.is_dir():
            raise exceptions.OptionsError(f"wiretape_recordings: {root} is not a directory")
        text = str(root)
    local = str(Path(options.wiretape_local).expanduser()) if options.wiretape_local else ""
    spool, disk = (_checked(options, name, parse_size) for name in ("wiretape_spool", "wiretape_disk"))
    return StoreUrl(text, local, spool, disk, largest=_checked(options, "wiretape_max_recording", parse_size))


def check_writable(recorded: Store, session: str) -> None:
    """Raise OptionsError where a session cannot be recorded in; it says what to do."""
    try:
        recorded.check_writable(session)
    except OSError as e:
        why = str(e) if isinstance(e, StoreAwayError) else f"{recorded.url}: cannot be written: {e.strerror or e}"
        raise exceptions.OptionsError(
            f"wiretape_recordings: {why}. Nothing could be recorded: see to that, name another place, "
            "or choose wiretape_mode=replay"
        ) from e


def store(where: StoreUrl, choice: Callable[[str], tuple[Mode, Takes]]) -> Store:
    """The store at a place. Raises OptionsError. ``choice``: see ``tape.settler``."""
    try:
        return where.open(conflict_resolver(choice))
    except ValueError as e:
        raise exceptions.OptionsError(f"wiretape_recordings: {e}") from e


def defaults(options: OptManager) -> TapeConfig:
    """What holds for sessions that say nothing else. Raises OptionsError, naming the option and the right values."""
    return TapeConfig(
        takes=_checked(options, "wiretape_takes", parse_takes),
        form=_checked(options, "wiretape_format", parse_form),
        pace=_checked(options, "wiretape_pace", pacing.parse),
        keep_captures=options.wiretape_wire,
        keep_errors=options.wiretape_record_errors,
        is_offline=options.wiretape_offline,
    )


def memory(options: OptManager) -> int:
    """Bytes that may be kept of hits. Raises OptionsError."""
    return _checked(options, "wiretape_cache", parse_size)


def largest(options: OptManager) -> int:
    """Bytes of a request's body that are kept. Raises OptionsError, naming the option and the right values."""
    if options.wiretape_large_requests not in LARGE:
        raise exceptions.OptionsError(
            f"wiretape_large_requests: {options.wiretape_large_requests!r} is none of {', '.join(LARGE)}"
        )
    size = _checked(options, "wiretape_max_request", parse_size)
    if not size:
        raise exceptions.OptionsError("wiretape_max_request: 0 would refuse every request: it is a size such as 64MB")
    return size


def journal(options: OptManager) -> int:
    """Bytes that the journal may have. Raises OptionsError."""
    size = _checked(options, "wiretape_journal", parse_size)
    if size == 0:
        raise exceptions.OptionsError("wiretape_journal: is 0, but every answer goes through it: 1GB is the default")
    return size


@dataclass(frozen=True, slots=True)
class Configuration:
    """The file of wiretape_config: read once, for all who find something in it."""

    file: str
    text: str

    def parsed[T](self, parse: Callable[[str, str], T]) -> T:
        """What one of them makes of its name and text. Raises OptionsError, naming the file and what is wrong in it."""
        try:
            return parse(self.file, self.text)
        except ValueError as e:
            raise exceptions.OptionsError(f"wiretape_config: {printable.lines(str(e))}") from e


def configuration(options: OptManager) -> Configuration | None:
    """A team's own configuration, where there is one. Raises OptionsError where it cannot be read."""
    file: str = options.wiretape_config
    if not file:
        return None
    try:
        own = Configuration(file, toml_text.read(Path(file).expanduser()))
    except (OSError, UnicodeDecodeError) as e:
        raise exceptions.OptionsError(f"wiretape_config: cannot read {file}: {e}") from e
    own.parsed(config.check_tables)
    return own


def known_sessions(own: Configuration | None) -> Sessions:
    """What the configuration says of sessions. Raises OptionsError, naming the file and what is wrong in it."""
    return own.parsed(session_config.parse) if own else Sessions()


def gate(options: OptManager, known: Sessions, tokens: TokenFile | None) -> AccessPolicy:
    """Who decides on who comes in. Raises OptionsError."""
    name = _checked(options, "wiretape_session", check_name)
    chosen: str | None = options.wiretape_mode
    mode = DEFAULT_MODE if chosen is None else _checked(options, "wiretape_mode", parse_mode)
    askable = _checked(options, "wiretape_modes", lambda text: _modes(text, mode))
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


def _modes(text: str, mode: Mode) -> tuple[Mode, ...]:
    """The modes that credentials may ask for. Raises ValueError."""
    if not text:
        return tuple(each for each in Mode if each is not Mode.LIVE or mode is not Mode.REPLAY)
    return tuple(parse_mode(each.strip()) for each in text.split(","))


def policy(options: OptManager, own: Configuration | None) -> EgressPolicy:
    """Where the proxy leads. Raises OptionsError, naming the option or the file and what is wrong in it."""
    allow, allow_only = own.parsed(egress.parse) if own else ((), False)
    if options.wiretape_offline and is_url(options.wiretape_recordings):
        raise exceptions.OptionsError(
            f"wiretape_offline: {options.wiretape_recordings} is not on this machine: name a directory in "
            "wiretape_recordings"
        )
    return EgressPolicy(bool(options.wiretape_tokens), allow, allow_only, options.wiretape_offline)


def own_names(options: OptManager) -> OwnNames:
    """The names by which clients reach the proxy itself. Raises OptionsError."""
    modes = [ProxyMode.parse(mode) for mode in options.mode]
    listening = (options.listen_host, *(mode.custom_listen_host or "" for mode in modes))
    return _checked(options, "wiretape_hosts", lambda text: dns_rebinding.own_names(text, listening))


def tokens(options: OptManager) -> TokenFile | None:
    """The tokens, where the proxy has any. Raises OptionsError, naming the file and what is wrong with it."""
    file: str = options.wiretape_tokens
    try:
        return TokenFile(Path(file).expanduser()) if file else None
    except (OSError, ValueError) as e:
        hint = "; wiretape token create makes one" if isinstance(e, FileNotFoundError) else ""
        raise exceptions.OptionsError(f"wiretape_tokens: {e}{hint}") from e


def check_lane(options: OptManager) -> None:
    """Raise OptionsError for a lane that there is not."""
    if options.wiretape_lane not in LANES:
        raise exceptions.OptionsError(
            f"wiretape_lane: {options.wiretape_lane!r} is no lane: the lanes are {', '.join(LANES)}"
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


def _checked[T](options: OptManager, name: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(getattr(options, name))
    except ValueError as e:
        raise exceptions.OptionsError(f"{name}: {e}") from e


def table(own: Configuration | None) -> Providers:
    """The table of providers. Raises OptionsError, naming the file and what is wrong in it."""
    builtin = routing.BUILTIN, routing.builtin()
    return own.parsed(lambda *ours: routing.parse([ours, builtin])) if own else routing.parse([builtin])


def rules(own: Configuration | None, known: Providers) -> Faults:
    """The faults to inject. Raises OptionsError, naming the file and what is wrong in it."""
    return own.parsed(lambda file, text: faults.parse(file, text, known.names)) if own else Faults()


def secrets(own: Configuration | None) -> redaction.RedactionPolicy:
    """What becomes of secrets. Raises OptionsError, naming the file and what is wrong in it."""
    return own.parsed(redaction_rules.parse) if own else redaction.RedactionPolicy()


def clean_with(policy: redaction.RedactionPolicy) -> None:
    """Clean as a policy says from now on, in all of this process. Raises OptionsError where it lacks a key."""
    try:
        redaction.DEFAULT.use(policy)
    except ValueError as e:
        raise exceptions.OptionsError(f"wiretape_config: {e}") from e


def refuse_conflicts(options: OptManager) -> None:
    """Raise OptionsError for options of mitmproxy's with which ours cannot keep their promises."""
    if options.stream_large_bodies:
        raise exceptions.OptionsError(
            "stream_large_bodies cannot be used with wiretape: it holds back small pieces of a stream and sends "
            "requests on that a recording should answer. wiretape streams every answer by itself: unset it."
        )
