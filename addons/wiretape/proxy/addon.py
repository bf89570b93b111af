"""The mitmproxy addon: mitmproxy's hooks in, the tape's verdicts out. It decides nothing but who handles a flow."""

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor

from mitmproxy import command, connection, ctx, exceptions, http, tls
from mitmproxy.addonmanager import Loader
from mitmproxy.log import ALERT
from mitmproxy.net.tls import starts_like_tls_record
from mitmproxy.proxy import layer, layers, mode_specs
from mitmproxy.utils import asyncio_utils

from wiretape import wire
from wiretape.counters import Counters
from wiretape.faults import Fault
from wiretape.flight import Flight
from wiretape.proxy import breaking, layering, loopback, marks, onlookers, options, playing
from wiretape.proxy.chain import ShortChain
from wiretape.proxy.desk import Call, Decision, Desk, key_of, now
from wiretape.proxy.exchange import Exchange
from wiretape.proxy.handshake import Handshake
from wiretape.recording import RecordedRequest
from wiretape.scribe import Scribe
from wiretape.store.base import Unavailable
from wiretape.store.opening import Place
from wiretape.tape import Hit, Mode, Tape

logger = logging.getLogger(__name__)

_LEFT = "the client that asked first left"


class Wiretape:
    """Record, replay, or let pass."""

    def __init__(self) -> None:
        self.counters = Counters()
        self._desk = Desk(self.counters)
        self._tape: Tape
        self._place: Place
        self._live: set[Exchange] = set()
        self._gone: dict[str, asyncio.Event] = {}
        # A slow disk delays neither the traffic nor a hit.
        self._writer = ThreadPoolExecutor(1, "wiretape-write")
        self._scribe = Scribe()
        self._handshake = Handshake()
        self._onlooked: bool | None = None
        self._stopped = False
        self._configured = False

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
        options.check_lane(ctx.options)
        self._handshake.forget()
        self._onlooked = None
        if updated & {*options.NAMES}:
            self._take_over(updated)
        loopback.prefer(ctx.options)
        # With the eager strategy a CONNECT reaches the origin before anything can be answered from a recording.
        if self._tape.mode is not Mode.LIVE and ctx.options.connection_strategy != "lazy":
            ctx.options.update(connection_strategy="lazy")
        self._configured = True

    def _take_over(self, updated: AbstractSet[str]) -> None:
        providers, place = options.table(ctx.options), options.place(ctx.options)
        rules = options.rules(ctx.options, providers)
        kept = self._configured and self._place == place and "wiretape_takes" not in updated
        store = self._tape.store if kept and "wiretape_mode" not in updated else options.store(ctx.options, place)
        tape = options.tape(ctx.options, store, self.counters)
        # Another mode or session is no reason to count the requests from the start.
        if "wiretape_config" in updated:
            self._desk.faults = rules
        former = self._tape.store if self._configured else store
        self._desk.providers, self._desk.tape, self._tape, self._place = providers, tape, tape, place
        if store is not former:
            self._writer.submit(former.close)
            self._writer.submit(store.start)

    def running(self) -> None:
        """Say what is going to happen."""
        tape = self._tape
        if layering.UNKNOWN:
            logger.warning("wiretape: %s", layering.UNKNOWN)
        self._writer.submit(tape.store.start)
        if tape.mode in (Mode.RECORD, Mode.RECORD_IF_MISSING):
            self._writer.submit(self._scribe.start)
        ShortChain(ctx.master.addons).shorten()
        # What is there by now stays: a collection that goes through all of it holds every stream up for 40 ms.
        gc.collect()
        gc.freeze()
        asyncio_utils.create_task(loopback.rebind(), name="wiretape: listen on loopback", keep_ref=True)
        logger.info("wiretape: mode %s, session %s, recordings in %s", tape.mode, tape.session, tape.location)

    def done(self) -> None:
        """Finish what is under way and write it; mitmproxy may call it twice."""
        if self._stopped:
            return
        self._stopped = True
        ShortChain(ctx.master.addons).restore()
        for exchange in [*self._live]:
            self._finish(exchange, ended=False)
        self._writer.shutdown(wait=True)
        self._scribe.close()
        self._tape.store.close()
        self._desk.close()
        logger.log(ALERT, "wiretape: %s", self.counters.summary())

    def client_connected(self, client: connection.Client) -> None:
        """Refuse who came in before the server listened on loopback alone."""
        loopback.guard(client)

    @command.command("wiretape.rewind")  # type: ignore[untyped-decorator]
    def rewind(self) -> None:
        """Start every sequence of takes again, and what faults count."""
        self._tape.rewind()
        self._desk.faults.rewind()

    # -- what is no provider's stays closed --------------------------------------------------------

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        """Leave TLS to hosts that are no provider's unopened."""
        address = data.context.server.address
        if address is None or isinstance(data.context.client.proxy_mode, mode_specs.ReverseMode):
            return
        names = {address[0], data.client_hello.sni or address[0]}
        if not any(self._desk.providers.knows(name, address[1]) for name in names):
            data.ignore_connection = True

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """Pass on what is not TLS inside a tunnel to a host that is no provider's; let HTTP play."""
        if self._is_foreign(nextlayer):
            nextlayer.layer = layers.TCPLayer(nextlayer.context, ignore=True)
            return
        # mitmproxy's own addon decides, before us or now; it leaves alone what is decided.
        ctx.master.addons.get("nextlayer").next_layer(nextlayer)
        if nextlayer.layer and layering.KNOWN:
            lenient = self._tape.mode is Mode.REPLAY
            nextlayer.layer = layering.replace(nextlayer.layer, nextlayer.data_client(), self._fast, lenient=lenient)

    def _fast(self) -> Desk | None:
        """The desk, where a hit need be no flow: nobody looks at flows."""
        chosen = ctx.options.wiretape_lane
        if not self._desk.is_answering or chosen == "flows":
            return None
        if self._onlooked is None:  # Until an option changes.
            self._onlooked = onlookers.by_options(ctx.options)
        return None if chosen == "auto" and (self._onlooked or onlookers.by_addons(ctx.master.addons)) else self._desk

    def tls_start_client(self, data: tls.TlsData) -> None:
        """Have a handshake cost less than mitmproxy's, whose addon comes after this and leaves alone what is set."""
        self._handshake.tls_start_client(data)

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
            and not self._desk.providers.knows(*address[:2])
        )

    # -- requests and answers ----------------------------------------------------------------------

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Find the route; what is not for us streams through."""
        # Headers of ours are for us: no provider sees them.
        marked = marks.of(flow)
        marked.test_id = flow.request.headers.pop("x-wiretape-test-id", None)
        marked.route = self._desk.route(_call(flow, None))
        if marked.route:
            return
        if not self._refuses(flow):
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
                flow.response = playing.answer(wire.error(500, text, "internal_error"))

    async def _request(self, flow: http.HTTPFlow) -> None:
        marked = marks.of(flow)
        made, route = marked.decided, marked.route
        if made is None and route:
            made = await self._desk.decide(_call(flow, marked.test_id), route)
        if made is None:
            if self._refuses(flow):
                text = f"wiretape: {flow.request.method} {flow.request.path.partition('?')[0]} at {flow.request.host}"
                self.counters.misses += 1
                logger.warning("miss: %s %s", flow.request.host, flow.request.path.partition("?")[0])
                text += " is no inference endpoint that wiretape records, and in replay"
                flow.response = playing.answer(_refusal(text))
            return
        marked.label = made.label
        if made.fault and made.fault.status:
            marked.fault = made.fault
            status = made.fault.status
            flow.response = playing.answer(wire.Answer(status.code, status.headers, (status.body,)))
        elif self._tape.mode is Mode.LIVE:
            self.counters.upstream += 1
            marked.fault = made.fault
        elif self._tape.mode is Mode.RECORD:
            self._send(flow, made)
        elif made.asked is None:
            self._pass_unreadable(flow, made)
        else:
            await self._answer_or_send(flow, made, made.asked)

    def _pass_unreadable(self, flow: http.HTTPFlow, made: Decision) -> None:
        if self._tape.mode is Mode.REPLAY:
            self.counters.misses += 1
            flow.response = playing.answer(_refusal(f"wiretape: {made.unreadable}; in replay"))
        else:
            self.counters.upstream += 1
            self.counters.unrecorded += 1
            logger.warning("not recorded: %s: %s", made.route.url, made.unreadable)

    async def _answer_or_send(self, flow: http.HTTPFlow, made: Decision, asked: RecordedRequest) -> None:
        mode = self._tape.mode
        shared = mode is Mode.RECORD_IF_MISSING and not made.fault
        if shared and not made.hit and await self._follow(flow, asked):
            return
        if not made.looked_up:
            await self._desk.look_up(made)
        if made.hit:
            self._play(flow, made, made.hit)
            return
        if mode is Mode.REPLAY:
            flow.response = playing.answer(await self._refusal_of(made, asked))
            return
        # Another one may have set out while we looked.
        if shared and await self._follow(flow, asked):
            return
        self._send(flow, made)

    @staticmethod
    def _play(flow: http.HTTPFlow, made: Decision, hit: Hit) -> None:
        if not layering.KNOWN:
            flow.response = playing.answer(hit.answer)
            return
        marked = marks.of(flow)
        marked.fault = made.fault
        flow.response, marked.play = playing.response(hit, made.fault, made.since, flow.request.http_version)

    def _send(self, flow: http.HTTPFlow, made: Decision) -> None:
        """Send a request on, and record the answer."""
        self.counters.upstream += 1
        if made.fault:
            marks.of(flow).fault = made.fault  # What comes is neither recorded nor shared.
            return
        marked = marks.of(flow)
        exchange = Exchange(self._tape, self._place, made.route, flow, test_id=marked.test_id, since=made.since)
        marked.exchange = exchange
        self._live.add(exchange)
        if made.asked and self._tape.mode is Mode.RECORD_IF_MISSING:
            self._desk.flights[key_of(made.asked)] = exchange.flight

    async def _refusal_of(self, made: Decision, asked: RecordedRequest) -> wire.Answer:
        what = f"{asked.endpoint or asked.url} {asked.model}".rstrip()
        try:
            if not made.unavailable:
                logger.warning("miss: %s", what)
                return await self._desk.explain(asked)
        except Unavailable as e:
            made.unavailable = str(e)
        logger.error("cannot be looked up: %s: %s", what, made.unavailable)
        text = f"wiretape: the recordings cannot be looked up now ({made.unavailable}), and in replay nothing is sent"
        return wire.error(503, f"{text} to a provider.", "recordings_unavailable", retry=True)

    async def _follow(self, flow: http.HTTPFlow, asked: RecordedRequest) -> bool:
        """Have the flow follow an equal request that is under way, where there is one."""
        flights, key = self._desk.flights, key_of(asked)
        while layering.KNOWN and ctx.options.wiretape_single_flight and (flight := flights.get(key)):
            while not flight.status and not flight.ended:
                await _changed(flight)
            if flight.status:
                self.counters.followed += 1
                logger.info("following an equal request: %s %s", asked.endpoint or asked.url, asked.model)
                marks.of(flow).follow = flight
                flow.response = playing.shared(flight, flow.request.http_version)
                return True
            if flight.failure != _LEFT:
                self.counters.followed += 1
                flow.response = http.Response.make(502, flight.failure, {"content-type": "text/plain"})
                return True
            # Its client left before the answer came: the next of us leads.
            if flights.get(key) is flight:
                del flights[key]
        return False

    async def wiretape_decide(self, asking: playing.Asking) -> None:
        """Decide on a request before there is a flow: the hook that our layers pause on."""
        try:
            made = asking.decision = await self._desk.decide(asking.call)
        except Exception:
            logger.exception("wiretape failed on %s %s", asking.call.method, asking.call.hosts[-1])
            return  # The flow that comes now meets the same, and is told.
        if made and made.fault and (made.hit or made.fault.status):
            self._tell(made.fault, made.label)

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

    def _tell(self, fault: Fault, label: str) -> None:
        self.counters.faults += 1
        logger.warning("fault: %s: %s", fault, label)

    async def _begin(self, flow: http.HTTPFlow, fault: Fault) -> None:
        assert flow.response
        self._tell(fault, marks.of(flow).label)
        if fault.ending and not flow.response.raw_content:
            playing.unframe(flow.response, flow.request.http_version)
        if fault.delay and not marks.of(flow).play:
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

    async def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Let every answer of a server stream through, under record with a copy kept; let a fault begin."""
        assert flow.response
        marked = marks.of(flow)
        if marked.fault:
            await self._begin(flow, marked.fault)
        if exchange := marked.exchange:
            exchange.tap(flow.response)
        elif not flow.response.raw_content and not flow.response.stream:
            flow.response.stream = True

    def response(self, flow: http.HTTPFlow) -> None:
        """The answer's end was seen."""
        if exchange := marks.of(flow).exchange:
            exchange.flight.end()
            self._finish(exchange, ended=True)

    def error(self, flow: http.HTTPFlow) -> None:
        """The provider broke off or the client left: only this hook tells, the stream's end never comes."""
        if exchange := marks.of(flow).exchange:
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
        flights = self._desk.flights
        for key in [key for key, flight in [*flights.items()] if flight is exchange.flight]:
            flights.pop(key, None)

    def _refuses(self, flow: http.HTTPFlow) -> bool:
        """Whether this is a provider's host in replay: nothing is sent to one.

        A server on this machine is another matter: on the same port may be the user's own application.
        """
        if self._tape.mode is not Mode.REPLAY:
            return False
        asked = flow.request
        hosts = {asked.host, asked.pretty_host}
        return any(self._desk.providers.knows(host, asked.port) and not loopback.is_here(host) for host in hosts)


def _call(flow: http.HTTPFlow, test_id: str | None) -> Call:
    asked = flow.request
    # The request's last byte came a little before this hook: mitmproxy tells when, on another clock.
    since = now() - (time.time() - (asked.timestamp_end or time.time()))
    hosts = (asked.host, asked.pretty_host)
    body = asked.get_content(strict=False) or b""
    content_type = asked.headers.get("content-type", "")
    return Call(asked.method, asked.scheme, hosts, asked.port, asked.path, content_type, test_id, body, since)


async def _changed(flight: Flight) -> None:
    changed = asyncio.Event()
    flight.call_when_changed(changed.set)
    await changed.wait()


def _refusal(reason: str) -> wire.Answer:
    return wire.error(404, f"{reason} nothing is sent to a provider.", "recording_not_found")
