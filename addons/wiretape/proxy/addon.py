"""The mitmproxy addon: mitmproxy's hooks in, the tape's verdicts out. It decides nothing but who handles a flow."""

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from mitmproxy import command, connection, ctx, exceptions, http, tls
from mitmproxy.addonmanager import Loader
from mitmproxy.log import ALERT
from mitmproxy.net.tls import starts_like_tls_record
from mitmproxy.proxy import layer, layers, mode_specs
from mitmproxy.utils import asyncio_utils

from wiretape import request, wire
from wiretape.counters import Counters
from wiretape.faults import Asked, Fault, Faults
from wiretape.flight import Flight
from wiretape.providers import Providers, Route
from wiretape.proxy import breaking, loopback, options, playing
from wiretape.proxy.exchange import Exchange
from wiretape.recording import RecordedRequest
from wiretape.scribe import Scribe
from wiretape.tape import Mode, Tape

logger = logging.getLogger(__name__)

_LARGE = 256 * 1024
"""Bytes of a request's body from which reading it is too long for the thread that carries the traffic."""

_LEFT = "the client that asked first left"
_EXCHANGE = "wiretape.exchange"
_ROUTE = "wiretape.route"
_LABEL = "wiretape.label"
_TEST_ID = "wiretape.test_id"


class Wiretape:
    """Record, replay, or let pass."""

    def __init__(self) -> None:
        self.counters = Counters()
        self._providers: Providers
        self._tape: Tape
        self._faults = Faults()
        self._live: set[Exchange] = set()
        self._flights: dict[tuple[str, str | None], Flight] = {}
        self._gone: dict[str, asyncio.Event] = {}
        # One thread for lookups, one for writing: a slow disk delays neither the traffic nor a hit.
        self._reader = ThreadPoolExecutor(1, "wiretape-read")
        self._writer = ThreadPoolExecutor(1, "wiretape-write")
        self._scribe = Scribe()
        self._stopped = False
        self._configured = False
        self._lenient = False

    # -- options -----------------------------------------------------------------------------------

    def load(self, loader: Loader) -> None:
        """Declare the options."""
        options.declare(loader)

    def configure(self, updated: AbstractSet[str]) -> None:
        """Validate, then take over: a wrong value leaves everything as it was."""
        try:
            self._configure(updated)
        except exceptions.OptionsError as e:
            if self._configured or not ctx.master.addons.get("errorcheck"):
                raise
            # At its start mitmdump would print a traceback around this; its error check ends it for the line alone.
            logger.error("%s", e)

    def _configure(self, updated: AbstractSet[str]) -> None:
        options.refuse_conflicts(ctx.options)
        if updated & {*options.NAMES}:
            providers, tape = options.table(ctx.options), options.tape(ctx.options, self.counters)
            # Another mode or session is no reason to count the requests from the start.
            faults = options.rules(ctx.options, providers) if "wiretape_config" in updated else self._faults
            self._providers, self._tape, self._faults = providers, tape, faults
        loopback.prefer(ctx.options)
        # With the eager strategy a CONNECT reaches the origin before anything can be answered from a recording.
        if self._tape.mode is not Mode.LIVE and ctx.options.connection_strategy != "lazy":
            ctx.options.update(connection_strategy="lazy")
        # Who replays needs no key, and SDKs then send "Bearer " with a space at its end, for which mitmproxy resets an
        # HTTP/2 connection. What it protects is the provider behind it, and in replay there is none.
        if self._tape.mode is Mode.REPLAY and ctx.options.validate_inbound_headers:
            self._lenient = True
            ctx.options.update(validate_inbound_headers=False)
        elif self._tape.mode is not Mode.REPLAY and self._lenient:
            self._lenient = False
            ctx.options.update(validate_inbound_headers=True)
        self._configured = True

    def running(self) -> None:
        """Say what is going to happen."""
        tape = self._tape
        if tape.mode in (Mode.RECORD, Mode.RECORD_IF_MISSING):
            self._writer.submit(tape.tidy)
        asyncio_utils.create_task(loopback.rebind(), name="wiretape: listen on loopback", keep_ref=True)
        logger.info("wiretape: mode %s, session %s, recordings in %s", tape.mode, tape.session, tape.location)

    def done(self) -> None:
        """Finish what is under way and write it; mitmproxy may call it twice."""
        if self._stopped:
            return
        self._stopped = True
        for exchange in [*self._live]:
            self._finish(exchange, ended=False)
        self._writer.shutdown(wait=True)
        self._scribe.close()
        self._reader.shutdown(wait=False, cancel_futures=True)
        logger.log(ALERT, "wiretape: %s", self.counters.summary())

    def client_connected(self, client: connection.Client) -> None:
        """Refuse who came in before the server listened on loopback alone."""
        loopback.guard(client)

    @command.command("wiretape.rewind")  # type: ignore[untyped-decorator]
    def rewind(self) -> None:
        """Start every sequence of takes again, and what faults count."""
        self._tape.rewind()
        self._faults.rewind()

    # -- what is no provider's stays closed --------------------------------------------------------

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        """Leave TLS to hosts that are no provider's unopened."""
        address = data.context.server.address
        if address is None or isinstance(data.context.client.proxy_mode, mode_specs.ReverseMode):
            return
        names = {address[0], data.client_hello.sni or address[0]}
        if not any(self._providers.knows(name, address[1]) for name in names):
            data.ignore_connection = True

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """Pass on what is not TLS inside a tunnel to a host that is no provider's; let HTTP play."""
        if self._is_foreign(nextlayer):
            nextlayer.layer = layers.TCPLayer(nextlayer.context, ignore=True)
            return
        # mitmproxy's own addon decides, before us or now; it leaves alone what is decided.
        ctx.master.addons.get("nextlayer").next_layer(nextlayer)
        if nextlayer.layer:
            nextlayer.layer = playing.replace_http_layer(nextlayer.layer)

    def _is_foreign(self, nextlayer: layer.NextLayer) -> bool:
        context = nextlayer.context
        address = context.server.address
        if address is None or not isinstance(context.client.proxy_mode, mode_specs.RegularMode):
            return False
        inside_tunnel = any(isinstance(each, layers.HttpLayer) for each in context.layers)
        opened = any(isinstance(each, layers.ClientTLSLayer) for each in context.layers)
        data = nextlayer.data_client()
        return bool(
            inside_tunnel
            and not opened
            and data
            and not starts_like_tls_record(data)
            and not self._providers.knows(*address[:2])
        )

    # -- requests and answers ----------------------------------------------------------------------

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Find the route; what is not for us streams through."""
        # Headers of ours are for us: no provider sees them.
        flow.metadata[_TEST_ID] = flow.request.headers.pop("x-wiretape-test-id", None)
        route = self._route(flow)
        if route:
            flow.metadata[_ROUTE] = route
        elif not self._refuses(flow):
            flow.request.stream = True

    async def request(self, flow: http.HTTPFlow) -> None:
        """Answer from a recording, refuse, or send on."""
        if flow.response or flow.error:
            return
        try:
            await self._request(flow)
        except Exception:
            # mitmproxy would log this and send the request on: in replay nothing may leave, whatever goes wrong here.
            logger.exception("wiretape failed on %s %s", flow.request.method, flow.request.pretty_host)
            if self._tape.mode is Mode.REPLAY:
                text = (
                    "wiretape: an error inside wiretape, which its log tells; in replay nothing is sent to a provider."
                )
                _answer(flow, wire.error(500, text, "internal_error"))

    async def _request(self, flow: http.HTTPFlow) -> None:
        # The request's last byte came a little before this hook: mitmproxy tells when, on another clock.
        since = time.monotonic() - (time.time() - (flow.request.timestamp_end or time.time()))
        route: Route | None = flow.metadata.get(_ROUTE)
        if route is None:
            if self._refuses(flow):
                text = f"wiretape: {flow.request.method} {flow.request.path.partition('?')[0]} at {flow.request.host}"
                self.counters.misses += 1
                logger.warning("miss: %s %s", flow.request.host, flow.request.path.partition("?")[0])
                _answer(flow, _refusal(f"{text} is no inference endpoint that wiretape records, and in replay"))
            return
        tape = self._tape
        fault = await self._draw(flow, route)
        if fault and fault.status:
            flow.metadata[playing.FAULT] = fault
            _answer(flow, wire.Answer(fault.status.code, fault.status.headers, (fault.status.body,)))
            return
        if tape.mode is Mode.LIVE:
            self.counters.upstream += 1
            flow.metadata[playing.FAULT] = fault
            return
        try:
            asked = await self._read(flow, route)
        except ValueError as e:
            if tape.mode is Mode.REPLAY:
                self.counters.misses += 1
                _answer(flow, _refusal(f"wiretape: {e}; in replay"))
            else:
                self.counters.upstream += 1
                self.counters.unrecorded += 1
                logger.warning("not recorded: %s: %s", route.url, e)
            return
        if tape.mode is Mode.RECORD_IF_MISSING and not fault and await self._follow(flow, asked):
            return
        if tape.mode is not Mode.RECORD:
            if hit := await self._aside(tape.lookup, asked):
                logger.info("hit %s: %s %s", hit.name, asked.endpoint or asked.url, asked.model)
                flow.metadata[playing.FAULT] = fault
                playing.play(flow, hit, since)
                return
            if tape.mode is Mode.REPLAY:
                logger.warning("miss: %s %s", asked.endpoint or asked.url, asked.model)
                _answer(flow, await self._aside(tape.explain, asked))
                return
        # Another one may have set out while we looked.
        if tape.mode is Mode.RECORD_IF_MISSING and not fault and await self._follow(flow, asked):
            return
        self.counters.upstream += 1
        if fault:
            flow.metadata[playing.FAULT] = fault  # What comes is neither recorded nor shared.
            return
        exchange = flow.metadata[_EXCHANGE] = Exchange(tape, route, flow, asked.test_id, since)
        self._live.add(exchange)
        self._flights[_key(asked)] = exchange.flight

    async def _follow(self, flow: http.HTTPFlow, asked: RecordedRequest) -> bool:
        """Have the flow follow an equal request that is under way, where there is one."""
        while ctx.options.wiretape_single_flight and (flight := self._flights.get(_key(asked))):
            while not flight.status and not flight.ended:
                await _changed(flight)
            if flight.status:
                self.counters.followed += 1
                logger.info("following an equal request: %s %s", asked.endpoint or asked.url, asked.model)
                playing.follow(flow, flight)
                return True
            if flight.failure != _LEFT:
                self.counters.followed += 1
                flow.response = http.Response.make(502, flight.failure, {"content-type": "text/plain"})
                return True
            # Its client left before the answer came: the next of us leads.
            if self._flights.get(_key(asked)) is flight:
                del self._flights[_key(asked)]
        return False

    async def wiretape_follow(self, following: playing.Following) -> None:
        """Wait for more of a flight: the hook that a following stream pauses on."""
        flight, client = following.flight, following.client
        more, gone = asyncio.Event(), self._gone.setdefault(client.id, asyncio.Event())
        while len(flight.pieces) <= following.seen and not flight.ended and client.connected and not gone.is_set():
            more.clear()
            flight.call_when_changed(more.set)
            tasks = [asyncio.create_task(event.wait()) for event in (more, gone)]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()

    def client_disconnected(self, client: connection.Client) -> None:
        """Wake what waits on behalf of a client that has gone."""
        if gone := self._gone.pop(client.id, None):
            gone.set()

    async def _draw(self, flow: http.HTTPFlow, route: Route) -> Fault | None:
        """The fault that a request meets."""
        if not self._faults:
            return None
        path = route.path.partition("?")[0]
        try:
            asked = await self._read(flow, route)
            model, identity = asked.model, request.identity(asked)
        except ValueError:  # It can be no recording; it can be sent all the same.
            model, identity = "", hashlib.sha256(flow.request.get_content(strict=False) or b"").hexdigest()
        flow.metadata[_LABEL] = f"{route.endpoint.recorded or route.url} {model}".rstrip()
        endpoints = tuple(filter(None, (route.endpoint.recorded, path)))
        return self._faults.draw(Asked(self._tape.session, route.provider, endpoints, model, identity))

    async def _begin(self, flow: http.HTTPFlow, fault: Fault) -> None:
        assert flow.response
        self.counters.faults += 1
        logger.warning("fault: %s: %s", fault, flow.metadata[_LABEL])
        if fault.ending and not flow.response.raw_content:
            playing.unframe(flow, flow.response)
        if fault.delay:
            await self.wiretape_wait(playing.Wait(fault.delay, flow.client_conn))

    async def wiretape_wait(self, wait: playing.Wait) -> None:
        """Wait, but not for a client that has gone: the hook that a slow stream pauses on."""
        if wait.client.connected:
            gone = self._gone.setdefault(wait.client.id, asyncio.Event())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(gone.wait(), wait.seconds)

    async def wiretape_reset(self, client: connection.Client) -> None:
        """Reset a client's connection."""
        await breaking.reset(client)

    async def _read(self, flow: http.HTTPFlow, route: Route) -> RecordedRequest:
        body = flow.request.get_content(strict=False) or b""
        content_type = flow.request.headers.get("content-type", "")
        arguments = route, body, content_type, flow.metadata.get(_TEST_ID)
        if len(body) < _LARGE:
            return request.recorded(*arguments)
        return await self._aside(request.recorded, *arguments)

    async def _aside[**P, T](self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what takes time away from the thread that carries the traffic."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, partial(function, *args, **kwargs))

    async def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Let every answer of a server stream through, under record with a copy kept; let a fault begin."""
        assert flow.response
        if fault := flow.metadata.get(playing.FAULT):
            await self._begin(flow, fault)
        if exchange := flow.metadata.get(_EXCHANGE):
            exchange.tap(flow.response)
        elif not flow.response.raw_content and not flow.response.stream:
            flow.response.stream = True

    def response(self, flow: http.HTTPFlow) -> None:
        """The answer's end was seen."""
        if exchange := flow.metadata.get(_EXCHANGE):
            exchange.flight.end()
            self._finish(exchange, ended=True)

    def error(self, flow: http.HTTPFlow) -> None:
        """The provider broke off or the client left: only this hook tells, the stream's end never comes."""
        if exchange := flow.metadata.get(_EXCHANGE):
            message = flow.error.msg if flow.error else "the answer broke off"
            left = not flow.client_conn.connected or "by client" in message
            exchange.flight.end(_LEFT if left else message)
            self._finish(exchange, ended=False)

    def _finish(self, exchange: Exchange, *, ended: bool) -> None:
        if self._stopped and exchange not in self._live:
            return  # Finished when the proxy stopped; now its connections close.
        self._live.discard(exchange)
        self._writer.submit(self._write, exchange, ended=ended)

    def _write(self, exchange: Exchange, *, ended: bool) -> None:
        exchange.finish(self._scribe, ended=ended)
        # Only now does a look-up find the recording: until now others could follow.
        for key in [key for key, flight in [*self._flights.items()] if flight is exchange.flight]:
            self._flights.pop(key, None)

    def _route(self, flow: http.HTTPFlow) -> Route | None:
        asked = flow.request
        for host in dict.fromkeys((asked.host, asked.pretty_host)):
            route = self._providers.route(asked.method, asked.scheme, host, asked.port, asked.path)
            if route:
                return route
        return None

    def _refuses(self, flow: http.HTTPFlow) -> bool:
        """Whether this is a provider's host in replay: nothing is sent to one.

        A server on this machine is another matter: on the same port may be the user's own application.
        """
        if self._tape.mode is not Mode.REPLAY:
            return False
        asked = flow.request
        hosts = {asked.host, asked.pretty_host}
        return any(self._providers.knows(host, asked.port) and not loopback.is_here(host) for host in hosts)


def _key(asked: RecordedRequest) -> tuple[str, str | None]:
    return request.identity(asked), asked.test_id


async def _changed(flight: Flight) -> None:
    changed = asyncio.Event()
    flight.call_when_changed(changed.set)
    await changed.wait()


def _refusal(reason: str) -> wire.Answer:
    return wire.error(404, f"{reason} nothing is sent to a provider.", "recording_not_found")


def _answer(flow: http.HTTPFlow, answer: wire.Answer) -> None:
    flow.response = http.Response.make(answer.status, answer.body, dict(answer.headers))
