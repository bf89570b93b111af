"""A mitmproxy with the wiretape addon, on loopback, in this process: what ``mitmdump -s`` does, without a terminal.

It stops cleanly, so that the addon's ``done`` writes what has to be written. What it serves is up to the addon, and who
uses it is up to ``run``.
"""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from mitmproxy import exceptions, hooks, http, optmanager
from mitmproxy.addons import default_addons
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.addons.tlsconfig import TlsConfig
from mitmproxy.connection import Client
from mitmproxy.master import Master
from mitmproxy.options import Options
from mitmproxy.proxy.mode_servers import ServerInstance
from mitmproxy.proxy.mode_specs import ProxyMode, RegularMode, UpstreamMode

from wiretape.cli import directories
from wiretape.cli.certificates import check_confdir, trusted_file
from wiretape.cli.options import check_names, is_ci
from wiretape.cli.upstream import upstream
from wiretape.codecs import misspelled
from wiretape.control import server
from wiretape.matching import presets
from wiretape.metrics.counters import Counters
from wiretape.metrics.prometheus import MissingPackageError
from wiretape.network.address import HERE
from wiretape.policy import Mode
from wiretape.proxy.addon import Wiretape
from wiretape.proxy.call_report import CallReport

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 2.0
"""How long connections may stay open after the child has ended, which may have left a process in the background."""

WRITING_SECONDS = 30.0
"""How long the summary waits for what is still being written, which it counts."""


class StartError(Exception):
    """The proxy cannot start as it was asked to. The message is for the user."""


class Traffic:
    """Counts what comes to the proxy at all, whether or not it is for a provider. A small addon."""

    def __init__(self) -> None:
        self.connections = 0
        self.hosts: dict[str, None] = {}
        self.ready = asyncio.Event()

    def running(self) -> None:
        """Note that mitmproxy listens."""
        self.ready.set()

    def client_connected(self, _client: Client) -> None:
        """Count a connection."""
        self.connections += 1

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Note the host of a request, in a tunnel or not."""
        self.hosts[flow.request.pretty_host] = None


class Proxy:
    """A proxy that is up."""

    def __init__(self, master: Master, addon: Wiretape, traffic: Traffic) -> None:
        self._master = master
        self._addon = addon
        self.traffic = traffic
        host, self.port = _address(master)
        self.url = f"http://{host}:{self.port}"

    @property
    def control_url(self) -> str:
        """Where its control API is; empty where it has none."""
        return self._addon.control_url

    @property
    def control_port(self) -> int:
        """The port of the control API on this machine; 0 where there is none."""
        return urlsplit(self.control_url).port or 0

    @property
    def counters(self) -> Counters:
        """The counters of the addon, which go on counting."""
        return self._addon.counters

    @property
    def mode(self) -> str:
        """The mode in force."""
        return str(self._addon.default_tape().mode)

    @property
    def session(self) -> str:
        """The session in force."""
        return self._addon.default_tape().session

    @property
    def tunnels(self) -> dict[str, bool]:
        """Some of the hosts to which tunnels were asked for, and whether each is a provider's."""
        return self._addon.tunnels()

    def knows(self, host: str, port: int) -> bool:
        """Return whether a host is a provider's."""
        return self._addon.providers.knows(host, port)

    def local_ports(self) -> frozenset[int]:
        """Return the ports of this machine at which a provider is."""
        return self._addon.providers.ports_here()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a client whose connection did not come by our address, until it is gone."""
        await _server(self._master).handle_stream(reader, writer)

    def ca_pem(self) -> bytes:
        """Return mitmproxy's CA, and the chain above it if the user has one; never its key."""
        tls = self._master.addons.get("tlsconfig")
        assert isinstance(tls, TlsConfig)
        pem = tls.certstore.default_ca.to_pem()
        if tls.certstore.default_chain_file is None:
            return pem
        chain = x509.load_pem_x509_certificates(tls.certstore.default_chain_file.read_bytes())
        return pem + b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)

    async def drained(self) -> None:
        """Wait until every connection is closed: the last bytes of an answer may still be on their way to the tape."""
        server = self._master.addons.get("proxyserver")
        async with asyncio.timeout(DRAIN_SECONDS):
            while server.active_connections():  # noqa: ASYNC110 (mitmproxy has no event for "the last one is gone")
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(
    settings: Sequence[str], environ: dict[str, str], port: int = 0, calls: CallReport | None = None, command: str = ""
) -> AsyncIterator[Proxy]:
    """Run a proxy on 127.0.0.1, on ``port`` or a free one, with ``settings`` (``name=value``) over ``config.yaml``.

    Raises ``StartError``. At the end, the addon has written and counted everything, and has told of each
    call. ``command``: the name of what is going to be run behind it.
    """
    with trusted_file(environ) as trusted:
        master = Master(Options())
        addon = Wiretape(patience=WRITING_SECONDS, calls=calls, command=command)
        traffic = Traffic()
        master.addons.add(*default_addons(), traffic)
        try:
            _configure(master, addon, settings, environ, port, trusted, command)
        except (exceptions.OptionsError, TypeError) as error:  # TypeError: a value of config.yaml has the wrong type
            raise StartError(str(error)) from error
        stopped = asyncio.create_task(master.run())
        ready = asyncio.create_task(traffic.ready.wait())
        try:
            await asyncio.wait((stopped, ready), return_when=asyncio.FIRST_COMPLETED)
            yield Proxy(master, addon, traffic)
        finally:
            ready.cancel()
            master.shutdown()
            await stopped


def _configure(  # noqa: PLR0917
    master: Master,
    addon: Wiretape,
    settings: Sequence[str],
    environ: dict[str, str],
    port: int,
    trusted: str,
    command: str,
) -> None:
    """``trusted`` is the file of the CAs that the proxy trusts unless another one is configured."""
    try:
        check_confdir(settings)
    except OSError as error:
        raise StartError(str(error)) from error
    options = master.options
    options.set(*(setting for setting in settings if setting.startswith("confdir=")))
    confdir = Path(options.confdir).expanduser()
    optmanager.load_paths(options, confdir / "config.yaml", confdir / "config.yml")
    # A config.yaml is meant for the shared proxy: our address is another, and its scripts may name this very addon.
    options.update(
        listen_host="127.0.0.1",
        listen_port=port,
        scripts=[script for script in options.scripts if Path(script).name != "wiretape_addon.py"],
    )
    # As with a script of mitmdump, the settings wait until the addon declares its options and validates them.
    options.set(*settings, defer=True)
    # As our address is: that of a config.yaml is the shared proxy's.
    if not any(each.startswith("wiretape_control=") for each in settings):
        options.set(f"wiretape_control={_free_control()}", defer=True)
    _choose(options, environ, command)
    master.addons.add(addon)
    # It takes the place of a script of mitmdump: before mitmproxy's addons for TLS, and those that change flows.
    master.addons.chain = [addon, *(each for each in master.addons.chain if each is not addon)]
    try:
        check_names(environ, _own(options))
    except ValueError as error:
        raise StartError(str(error)) from error
    unknown = set(options.deferred) & {setting.partition("=")[0] for setting in settings}
    if unknown:
        raise StartError(str(misspelled.unknown("--set", unknown, _own(options), kind="option")))
    if not options.ssl_verify_upstream_trusted_ca and not options.ssl_verify_upstream_trusted_confdir:
        # The client trusts these, maybe with the CA of a company. The proxy connects in its place, so it must, too.
        options.update(ssl_verify_upstream_trusted_ca=trusted)
    way = upstream(environ)
    if way.mode and options.mode == ["regular"] and not options.wiretape_offline:
        logger.warning("%s", way)
        master.addons.add(way)
        options.update(mode=[way.mode])
    master.addons.invoke_addon_sync(addon, hooks.ConfigureHook(options.keys()))


def _choose(options: Options, environ: dict[str, str], command: str) -> None:
    """Choose what the user has not, by what the command is and where it runs."""
    if "wiretape_mode" not in options.deferred and is_ci(environ):
        # A test that nobody watches should cost nothing, and not depend on what a provider answers today.
        logger.warning("CI is set and no mode is chosen: replay (to record, say --mode record-if-missing)")
        options.set(f"wiretape_mode={Mode.REPLAY}", defer=True)
    if "wiretape_places" not in options.deferred:
        options.set(f"wiretape_places={directories.places(environ)}", defer=True)
    if "wiretape_call_log" not in options.deferred:
        options.set("wiretape_call_log=on", defer=True)
    if "wiretape_match" not in options.deferred and (named := presets.named_after(command)):
        options.set(f"wiretape_match=auto,{','.join(named)}", defer=True)


def _free_control() -> str:
    """Return where the command finds the control API: at a free port, or nowhere where nothing can serve it."""
    try:
        server.available()
    except MissingPackageError:
        return ""
    return f"{HERE}:0"


def _own(options: Options) -> list[str]:
    return sorted(name for name in options.keys() if name.startswith("wiretape_"))  # noqa: SIM118 (no iterator)


def _address(master: Master) -> tuple[str, int]:
    host, port, *_ = _server(master).listen_addrs[0]
    return host, port


def _server(master: Master) -> ServerInstance[ProxyMode]:
    server = master.addons.get("proxyserver")
    assert isinstance(server, Proxyserver)
    for instance in server.servers:
        if isinstance(instance.mode, RegularMode | UpstreamMode):
            if not instance.is_running:
                raise StartError("the proxy could not start") from instance.last_exception
            return instance
    raise StartError(f"a command needs mitmproxy's mode regular or upstream, not {', '.join(master.options.mode)}")


class OneLine(logging.Formatter):
    """Formats a record as ``wiretape: `` and the message, in one line among the output of the child."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line. An exception appears as its type, its message and its place."""
        message = " ".join(record.getMessage().split())
        error = None
        if record.exc_info:
            error = record.exc_info[1]
        if error is not None:
            place = traceback.extract_tb(error.__traceback__)[-1:]
            where = "".join(f" ({Path(frame.filename).name}:{frame.lineno})" for frame in place)
            message += f" [{type(error).__name__}{where}]"
        return f"wiretape: {message}"
