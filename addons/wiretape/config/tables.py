"""The tables of ``wiretape.toml``: every key that there is, what it can be, and what it is for.

The one place that knows them. What is checked at a start, what an error names as the right word, and what an editor
shows (``config/wiretape.schema.json``) are made of this. ``config/wiretape.toml`` shows each in use.
"""

from wiretape.config.description import (
    AnyTable,
    Flag,
    Key,
    ListOf,
    Number,
    OneOf,
    Rows,
    Table,
    Tables,
    Text,
    Whole,
)
from wiretape.matching.rules import Kind, Unordered
from wiretape.policy import FORMS, Mode, OnExpiry, Takes
from wiretape.providers.routing import KINDS
from wiretape.redaction.rules import OnSecret

_TEXTS = ListOf(Text(), "a list of texts")
_MODE = Text(choices=tuple(Mode))
_PATTERN = Text(pattern=r"[\s\S]+", said="a name with * in it")
_TIME = Text(pattern=r"[0-9]+(\.[0-9]+)?(ms|s)", said="a time such as 300ms or 1.5s")
_AGE = Text(pattern=r"[0-9]{1,6}(\.[0-9]{1,3})?[mhdw]", said="an age such as 12h, 90d or 4w")
_VARIABLE = Text(pattern=r"[A-Za-z_][A-Za-z0-9_]*", said="the name of a variable")
_HEADER = Text(pattern=r"[A-Za-z0-9-]+", said="the name of a header")
_CHUNK = Whole(0, words="the number of the chunk after which it happens, 0 or more")

ENDPOINT = Table(
    (
        Key(
            "kind",
            Text(tuple(sorted(KINDS))),
            '"sdk": recorded as the SDK\'s call; "http": recorded as it is sent.',
            is_needed=True,
        ),
        Key("recorded", Text(), 'Of the kind "sdk": the endpoint\'s name in a recording, as /v1/chat/completions.'),
        Key(
            "falls_back",
            _TEXTS,
            'The clients that go on over HTTP where they are refused a WebSocket here: "codex*", of a User-Agent.',
        ),
    )
)

PROVIDER = Table(
    (
        Key("name", Text(), "Its name, for the log and for faults."),
        Key("hosts", _TEXTS, "Its hosts: HOST or HOST:PORT, * for any run of characters.", is_needed=True),
        Key("base", Text(), "What comes before the endpoint in the path; {name} stands for one segment."),
        Key("endpoints", _TEXTS, "The sets of endpoints that it has: built-in ones, or [endpoints.NAME]."),
        Key("scheme", Text(("http", "https")), 'How it is reached: "https" by default.'),
        Key("hide", Text(), "What stands for scheme and host in a recording, where the host itself is private."),
        Key(
            "skip",
            _TEXTS,
            'Paths that pass and are not recorded, in replay refused: "/files*", "GET /files/*".',
        ),
        Key("ignore", _TEXTS, "The same for noise: answered with an empty 200 where requests are answered here."),
        Key("api_key", ListOf(_VARIABLE, "a list of variables"), "The variables with its key, for wiretape refresh."),
        Key("api_key_header", _HEADER, 'The header of the key: "authorization" by default, as "Bearer KEY".'),
        Key("headers", Tables(Text(), "a table of headers"), "Other headers that wiretape refresh sends."),
    )
)

SESSION = Table(
    (
        Key(
            "layers",
            ListOf(Text(), "a list of one or more names, each once", is_filled=True, is_set=True),
            "Sessions below this one: what it lacks is served from the first that has it.",
        ),
        Key("mode", _MODE, "The mode of whoever asks for none."),
        Key(
            "modes",
            ListOf(_MODE, "a list of one or more names, each once", is_filled=True, is_set=True),
            "The modes that can be asked for; without mode, the first is the mode of whoever asks for none.",
        ),
        Key("pace", Text(), 'How fast a replay is: "instant", "recorded", "2x", "50tps" or "50tps,ttft=300ms".'),
        Key("takes", Text(tuple(Takes)), "Which recording answers a request that was recorded several times."),
        Key("format", Text(FORMS), "The form in which recordings are written."),
        Key("frozen", Flag(), "Whether nothing is recorded in it."),
        Key(
            "budget",
            Text(
                pattern=r"[0-9]{1,9}(\.[0-9]{1,6})? ?(USD|usd)( per (day|week|month))?",
                said='"5 USD", or "5 USD per day", per week or per month',
            ),
            'What it may spend: "5 USD", or "5 USD per day", per week or per month. Then what is paid for is refused.',
        ),
        Key("max_age", _AGE, 'How old its recordings may be: "90d".'),
        Key("on_expiry", Text(tuple(OnExpiry)), 'What becomes of a call whose recording is older: "warn" by default.'),
    )
)

TUNNELS = Table(
    (
        Key(
            "allow",
            ListOf(Text(), "a list of hosts"),
            'What is open beside the providers: "git.corp.example:443", "*.corp.example", "10.1.0.0/16".',
        ),
        Key("allow_only", Flag(), "Whether all is closed that is neither a provider nor listed."),
    ),
    words="one table, in single brackets",
)

REDACTION = Table(
    (
        Key("on_secret", Text(tuple(OnSecret)), "What becomes of an exchange in which a secret is found."),
        Key("pii", Flag(), "Whether cards, e-mail addresses and telephone numbers are taken out as well."),
        Key("allow", _TEXTS, "What is no secret, whatever finds it: texts, and patterns between slashes."),
        Key("disable", _TEXTS, "Detectors that are off, by their names."),
    ),
    words="one table, in single brackets",
)

RULE = Table(
    (
        Key("name", Text(), "The name of the rule.", is_needed=True),
        Key("path", Text(), "Where it takes out: messages[*].content, metadata.*, user.**.id."),
        Key("pattern", Text(), "What it takes out, in RE2's syntax. Where it has a group, what is in the first."),
        Key("replace", Text(), "What stands in its place; with {n} in it a pseudonym."),
        Key("allow", _TEXTS, "What is none after all: texts, and patterns between slashes."),
    )
)

FAULT = Table(
    (
        Key("session", _PATTERN, "The sessions whose requests meet it; * stands for any text."),
        Key("provider", _PATTERN, "The providers whose requests meet it; * stands for any text."),
        Key("endpoint", _PATTERN, "The endpoints, by a recording's name or by the path below the base."),
        Key("model", _PATTERN, "The models; * stands for any text."),
        Key(
            "share",
            Number("a part of the requests, more than 0 and at most 1", 1, is_above=True),
            "The part of the matching requests that meet it.",
        ),
        Key("seed", Whole(), "What chooses those of a share: the same requests meet the same faults."),
        Key(
            "nth",
            OneOf(
                (Whole(1), ListOf(Whole(1), "a list", is_filled=True)),
                "a number from 1 on, or a list of such",
            ),
            "Which of the matching requests meet it, counted from 1.",
        ),
        Key("status", Whole(400, 599, "a number from 400 to 599"), "The status that is answered; nothing is sent on."),
        Key(
            "body",
            OneOf((Text(), AnyTable()), "a text or a table"),
            "The body of that answer: JSON or a text.",
        ),
        Key(
            "retry_after",
            OneOf((Whole(0), Text(pattern=r"[\x20-\x7e]+")), "seconds, or a date as HTTP writes it"),
            "The header Retry-After of that answer.",
        ),
        Key("delay", _TIME, "How much later the answer begins."),
        Key("stall", _CHUNK, "After so many chunks nothing more comes, and the connection stays open."),
        Key("cut", _CHUNK, "After so many chunks the answer breaks off."),
        Key("how", Text(("reset", "end"), said=""), "How it breaks off: with a reset, or as if it were whole."),
        Key("garble", Whole(1, words="the number of a chunk, 1 or more"), "The chunk that is damaged, counted from 1."),
        Key("slow", _TIME, "How long after the one before each chunk comes."),
    )
)

_PRICE = Number("a number of US dollars, 0 or more", 1_000_000)

PRICE = Table(
    (
        Key("provider", _PATTERN, "The providers whose price it is; * stands for any text."),
        Key("model", _PATTERN, "The models, as they are asked for or as answers name them; * stands for any text."),
        Key("input", _PRICE, "US dollars for a million tokens that were read."),
        Key("cached", _PRICE, "The same for those of them that came from a cache; without it, as all."),
        Key("cache_write", _PRICE, "For those that were written to a cache."),
        Key("cache_write_1h", _PRICE, "For those that a cache keeps for an hour."),
        Key("output", _PRICE, "US dollars for a million tokens that were written, with what was thought."),
        Key("reasoning", _PRICE, "For those of them that were thought and not said; without it, as all."),
        Key("input_audio", _PRICE, "For those that were heard."),
        Key("output_audio", _PRICE, "For those that were spoken."),
        Key("input_image", _PRICE, "For those that were seen."),
        Key("output_image", _PRICE, "For those that were drawn."),
        Key("request", _PRICE, "US dollars for each request."),
    )
)

_PATTERNS = OneOf(
    (_PATTERN, ListOf(_PATTERN, "a list", is_filled=True)), "a name with * in it, or a list of such names"
)
_JSON_PATHS = ListOf(Text(), "a list of JSONPaths")
_NAME = Text(pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*", said="a name of letters, digits, ., _ and -")

REPLACEMENT = Table(
    (
        Key(
            "pattern",
            Text(),
            "What is taken out, in RE2's syntax. Where it has a group, what is in the first.",
            is_needed=True,
        ),
        Key("path", Text(), "Where it is looked for, as a JSONPath; without it in every text."),
        Key("name", _NAME, "What it is: home, cwd and tmp are directories, taken out wherever they stand."),
        Key("tracked", Flag(), "Whether equal values have to be equal in the other request too."),
    ),
    words="a table: { pattern = '...' }",
)

_MATCH_KEYS = (
    Key("name", _NAME, "The name of the rule: the log and the answer's headers tell it.", is_needed=True),
    Key("reason", Text(), "Why requests are the same without what it takes out."),
    Key("provider", _PATTERNS, "The providers whose requests it is for; * stands for any text."),
    Key("endpoint", _PATTERNS, "The endpoints, by a recording's name or by the path below the base."),
    Key("model", _PATTERNS, "The models; * stands for any text."),
    Key("session", _PATTERNS, "The sessions; * stands for any text."),
    Key("ignore", _JSON_PATHS, "What does not count: $.metadata.trace_id. It goes on into JSON inside a text."),
    Key("ids", _JSON_PATHS, "What counts by the order of its first appearance, whatever its letters are."),
    Key("references", _JSON_PATHS, "What counts as the id that it equals; where there is none, as it is."),
    Key(
        "replace", Rows(REPLACEMENT, "a list of tables: [{ pattern = '...' }]"), "Patterns that do not count in texts."
    ),
    Key("kinds", ListOf(Text(tuple(Kind)), "a list of names"), "What does not count in texts, by its form."),
    Key("paths", _JSON_PATHS, "Where the kinds are looked for; without it in every text."),
    Key("unordered", ListOf(Text(tuple(Unordered)), "a list of names"), "Lists whose order does not count."),
    Key("numbers", Flag(), "Whether 1 and 1.0 are the same."),
    Key("whitespace", Flag(), "Whether any blanks and line ends between words are the same."),
    Key("bind", Flag(), "Whether what was recorded becomes, in the answer, what is there now: true by default."),
)

MATCH = Table(
    (
        *_MATCH_KEYS[:5],
        Key("client", _PATTERNS, "The clients, by their User-Agent; * stands for any text."),
        *_MATCH_KEYS[5:],
    )
)

_ASKED = r"(\*|[A-Z]+) [^\s/?#]+/[^\s?#]*"

PRESET = Table(
    (
        Key("clients", ListOf(_PATTERN, "a list of names with * in them"), "The User-Agents that it is for."),
        Key("commands", _TEXTS, "The names of its commands, by which wiretape run knows it."),
        Key("tried", _TEXTS, "The versions of the program with which it was tried."),
        Key(
            "ignore_requests",
            ListOf(Text(pattern=_ASKED, said='a request as "METHOD HOST/PATH", each with *'), "a list of requests"),
            'What the program asks for beside the model: "POST api.example.com/telemetry/*".',
        ),
        Key(
            "match", Rows(Table(_MATCH_KEYS), "no table of its own: each rule is a [[preset.NAME.match]]"), "Its rules."
        ),
    )
)

WIRETAPE_TOML = Table(
    (
        Key(
            "endpoints",
            Tables(Tables(ENDPOINT, "a table"), "[endpoints.NAME]: each set has a name"),
            'Sets of endpoints, by name: "METHOD /path below the base" = { kind, recorded }.',
        ),
        Key("fault", Rows(FAULT, "no table of its own: each fault is a [[fault]]"), "Faults, on purpose."),
        Key("match", Rows(MATCH, "no table of its own: each rule is a [[match]]"), "When requests are the same."),
        Key("price", Rows(PRICE, "no table of its own: each price is a [[price]]"), "What tokens cost."),
        Key("preset", Tables(PRESET, "[preset.NAME]: each preset has a name"), "Rules for programs, by name."),
        Key(
            "provider",
            Rows(PROVIDER, "no table of its own: each provider is a [[provider]]"),
            "Providers of your own.",
        ),
        Key("redact", Rows(RULE, "no table of its own: each rule is a [[redact]]"), "Rules on what is a secret."),
        Key("redaction", REDACTION, "What becomes of secrets."),
        Key("session", Tables(SESSION, "[session.NAME]: each session has a name"), "What sessions say of their own."),
        Key("tunnels", TUNNELS, "Where the proxy leads, beside the providers."),
    )
)
