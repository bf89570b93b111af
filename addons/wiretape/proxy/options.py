"""The addon's options: their names, types, defaults and texts, as data.

``configure`` makes a ``Runtime`` of what is chosen.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Optional

from mitmproxy.addonmanager import Loader

from wiretape.matching.choice import AUTO
from wiretape.policy import DEFAULT_MODE, DEFAULT_SESSION, FORMS, Mode, Takes

PREFIX = "wiretape_"
"""What all their names begin with."""


class Lane(StrEnum):
    """How hits are served."""

    AUTO = "auto"
    """As flows where something looks at flows, else fast."""
    FAST = "fast"
    """By layers of wiretape's own, without a flow."""
    FLOWS = "flows"
    """As mitmproxy's flows."""


class Large(StrEnum):
    """What becomes of a request whose body is too large to be kept."""

    REFUSE = "refuse"
    PASS = "pass"  # noqa: S105  no password


@dataclass(frozen=True, slots=True)
class Option:
    """One option. mitmproxy does not hold ``--set`` to ``choices``: ``configure`` does."""

    name: str
    type: Any
    default: Any
    help: str
    choices: tuple[str, ...] = ()


OPTIONS = (
    Option(
        "wiretape_mode",
        Optional[str],  # noqa: UP045  so mitmproxy knows the type of such an option
        None,
        f"""What to do with a request to an inference endpoint: "replay" answers from the recordings and sends nothing,
        "record-if-missing" answers from them where it can and records the rest, "record" asks the provider every time
        and records, "live" only passes on. By default "{DEFAULT_MODE}", unless the session names a mode of its own; one
        that is chosen here goes before that.""",
        choices=tuple(Mode),
    ),
    Option(
        "wiretape_modes",
        str,
        "",
        """The modes that a client may ask for in its credentials (SESSION+MODE), as a list: "replay,record". By default
        all of them, but not "live" where wiretape_mode is "replay". A session with modes of its own goes by those.""",
    ),
    Option(
        "wiretape_ask",
        bool,
        False,
        """Answer 407 to who names no session, so that clients do which send the user of the proxy's URL only when they
        are asked (.NET, Java, curl --proxy-anyauth). Without it they get the session of wiretape_session.""",
    ),
    Option(
        "wiretape_offline",
        bool,
        False,
        "Lead nowhere but to this machine, in every mode: no provider, no tunnel, no DNS query. Recordings are served.",
    ),
    Option(
        "wiretape_recordings",
        str,
        "recordings",
        """Where the recordings are: a directory, or a bucket that any number of proxies share (s3://BUCKET/PREFIX, gs://,
        az://; credentials from the environment).""",
    ),
    Option(
        "wiretape_local",
        str,
        "",
        "With a bucket: a folder for recordings that wait for it, and for copies; by default in the user's cache.",
    ),
    Option(
        "wiretape_spool",
        str,
        "512MB",
        "With a bucket: how much may wait in that folder while the bucket is away.",
    ),
    Option(
        "wiretape_disk",
        str,
        "0",
        "With a bucket: how much of what was read is kept in that folder.",
    ),
    Option(
        "wiretape_journal",
        str,
        "1GB",
        """How much may wait on this machine's disk, in the user's state folder, to become recordings. Beyond it answers
        wait until some are written.""",
    ),
    Option(
        "wiretape_max_recording",
        str,
        "256MB",
        "The size of a recording in a folder: a larger file is taken for none, whoever has put it there.",
    ),
    Option(
        "wiretape_session",
        str,
        DEFAULT_SESSION,
        "The set of recordings: <recordings>/<session>/responses/<hash>.json.",
    ),
    Option(
        "wiretape_takes",
        str,
        str(Takes.LAST),
        """Which recording answers a request that was recorded several times: "first", "last", "sequence" (then the last
        again) or "cycle". With all but "last", record mode adds a take where it would replace the recording.""",
        choices=tuple(Takes),
    ),
    Option(
        "wiretape_format",
        str,
        FORMS[0],
        "The form in which recordings are written; every form is read.",
        choices=FORMS,
    ),
    Option(
        "wiretape_pace",
        str,
        "instant",
        """How fast a replay is: "instant", "recorded", a factor such as "2x" or "0.5x", or tokens a second such as
        "50tps" or "50tps,ttft=300ms" (with the time to the first token).""",
    ),
    Option(
        "wiretape_match",
        str,
        AUTO,
        """When a request is the same as a recorded one that it does not equal byte for byte: "auto" goes by the rules
        that are built in, by those of the presets for known programs (by their User-Agent) and by a team's own
        ([[match]]); "exact" by none. Names of presets are for every client, whatever it calls itself: "codex,aider".
        Beside these, "position" takes the n-th call of a session to an endpoint and a model for the n-th recorded one,
        and "conversation" leaves out system and tools: "auto,position". wiretape rules tells all rules.""",
    ),
    Option(
        "wiretape_keep_misses",
        bool,
        True,
        """Keep the last 100 requests of each session that had no recording, for "wiretape rules suggest": on this
        machine alone, in the user's cache (wiretape_local), and without what redaction takes out of recordings.""",
    ),
    Option(
        "wiretape_strict_rules",
        bool,
        False,
        """Do not start where the rules by which requests are the same make recordings one whose answers differ.
        Without it a start says how many, in the background, and "wiretape rules check" tells which.""",
    ),
    Option(
        "wiretape_places",
        str,
        "",
        """The directories that the client works in, as JSON: {"cwd": "/home/a/project", "home": "/home/a", "tmp":
        ["/tmp", "/private/tmp"]}. wiretape run knows them and sets it. Rules with paths take them out of what is
        compared.""",
    ),
    Option(
        "wiretape_wire",
        bool,
        True,
        """Keep the answer's own bytes and times beside the recording, in <session>/wire/<hash>.json, and replay them.
        Without them a stream is made anew from the recording.""",
    ),
    Option(
        "wiretape_record_errors",
        bool,
        False,
        """Record answers of every status, and of a stream that broke off what came of it; replay them, and break off
        at the same byte. Without it only errors are recorded that tell of the request: 400, 404, 413, 422.""",
    ),
    Option(
        "wiretape_single_flight",
        bool,
        True,
        """In record-if-missing, send a request that is equal to one under way not to the provider: it gets the other's
        answer as it comes.""",
    ),
    Option(
        "wiretape_cache",
        str,
        "128MB",
        "Memory for answers that were looked up lately, in bytes or with kB, MB or GB; 0 for none.",
    ),
    Option(
        "wiretape_lane",
        str,
        str(Lane.AUTO),
        """How hits are served: "fast", by layers of wiretape's own and without a flow; "flows", as mitmproxy's flows,
        ten times slower and seen by whatever looks at flows; "auto" is "flows" where something does: mitmweb, the
        console, -w and other options of mitmproxy's, another addon. With "flows" nothing is done to mitmproxy for
        speed.""",
        choices=tuple(Lane),
    ),
    Option(
        "wiretape_max_request",
        str,
        "64MB",
        "The largest body of a request that is looked up or recorded, in bytes or with kB, MB or GB.",
    ),
    Option(
        "wiretape_large_requests",
        str,
        str(Large.REFUSE),
        """What becomes of a request with a larger body: "refuse" answers 413, "pass" sends it on unrecorded, but not in
        replay. One to a path that the table of providers does not name, a file, is sent on in any case.""",
        choices=tuple(Large),
    ),
    Option(
        "wiretape_tokens",
        str,
        "",
        """A file of tokens, made by "wiretape token create": who may use which session. Without one everybody may, and
        the proxy listens on this machine alone.""",
    ),
    Option(
        "wiretape_metrics",
        str,
        "",
        """Where a page of counters for Prometheus is: HOST:PORT, or PORT alone for this machine; by default nowhere.
        Needs the packages of the extra "team".""",
    ),
    Option(
        "wiretape_page",
        str,
        "",
        """Where the page is that shows calls as they come, recordings and misses in a browser, with the control API:
        HOST:PORT, or PORT alone for this machine. It may be the address of wiretape_control or of wiretape_metrics. By
        default it is nowhere. Needs the packages starlette, uvicorn and jinja2.""",
    ),
    Option(
        "wiretape_control",
        str,
        "",
        """Where the HTTP API of this proxy is, by which tests and programs ask what became of calls and change what
        holds: HOST:PORT, or PORT alone for this machine. It may be the address of wiretape_metrics. By default it is
        nowhere, but wiretape run has one at a free port. Other machines need wiretape_tokens. Needs the packages of
        the extra "control".""",
    ),
    Option(
        "wiretape_call_log",
        str,
        "",
        """Where it is kept what became of each call: "on" is a file for these recordings in the user's state folder,
        "off" is nowhere, else it is a file. The last 100,000 calls are kept, with what was asked of those that had no
        recording, for their owner alone. By default it is on where there is a control API, and in wiretape run.""",
    ),
    Option(
        "wiretape_run",
        str,
        "",
        """What all calls of this proxy have in common in that log, such as the number of a job; by default when it was
        started, and a number.""",
    ),
    Option(
        "wiretape_hosts",
        str,
        "",
        """The names by which clients reach the proxy itself, its reverse port, its page of counters and its API, as a
        list: "proxy.example,*.corp.example". Addresses, localhost and listen_host need not be in it. A request for
        another host, or of a web page of another origin, is refused: so no page can read what is here.""",
    ),
    Option("wiretape_coordinator", str, "", "Set by wiretape serve."),
    Option(
        "wiretape_config",
        str,
        "",
        """A TOML file with a team's own providers, in the format of config/providers.toml, with its sessions
        ([session.NAME]), with where tunnels may lead ([tunnels]), with what is a secret to it ([redaction],
        [[redact]]), with its rules of matching ([[match]], [preset.NAME]) and with the faults to inject ([[fault]]),
        all shown in config/wiretape.toml.""",
    ),
)


def declare(loader: Loader) -> None:
    """Declare every option; mitmproxy calls it once."""
    for each in OPTIONS:
        loader.add_option(each.name, each.type, each.default, each.help, choices=each.choices or None)
