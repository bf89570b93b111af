"""A recorded request as a command of a shell, or as a program: to be copied. Below ``views``. Sans-IO.

What is pasted into a terminal may be obeyed by it: so whatever cannot be printed stands there as an escape of JSON, or
of a URL. A key is never in it: it is the shell's variable ``API_KEY``.
"""

import json
from dataclasses import dataclass
from urllib.parse import quote

from wiretape.providers import base
from wiretape.recording import RecordedRequest

_LONGEST = 20_000
"""Characters of a request's body: of a longer one there is nothing to copy."""

_KEY = '  -H "authorization: Bearer $API_KEY"'


@dataclass(frozen=True, slots=True)
class Commands:
    """What can be copied."""

    curl: str
    python: str
    through_proxy: str


def commands(request: RecordedRequest, session: str, store: str, *, is_live: bool) -> Commands | None:
    """Return them; None where the request is too long.

    ``store``: where the recordings are. ``is_live``: whether a proxy runs, which is asked then, in place of a new one.
    """
    endpoint = base.of(request)
    body = "" if endpoint.method == "GET" or request.method == "GET" else _json(endpoint.body(request.body))
    if len(body) > _LONGEST:
        return None
    url = _url(request.sent_url)
    method = endpoint.method or request.method
    curl = _curl(method, url, body)
    if is_live:
        through = f'eval "$(wiretape env --session {_quoted(session)})"\n{curl}'
    else:
        options = f"--recordings {_quoted(store)} --session {_quoted(session)} --mode replay"
        through = f"wiretape run {options} -- {curl}"
    return Commands(curl, _python(method, url, body), through)


def _curl(method: str, url: str, body: str) -> str:
    lines = [f"curl {_quoted(url)}", _KEY]
    if body:
        lines += ["  -H 'content-type: application/json'", f"  -d {_quoted(body)}"]
    if method != ("POST" if body else "GET"):
        lines.append(f"  -X {_quoted(method)}")
    return " \\\n".join(lines)


def _python(method: str, url: str, body: str) -> str:
    lines = ["import json, os, urllib.request", ""]
    data = "None"
    if body:
        lines.append(f"body = json.loads({body!r})")
        data = "json.dumps(body).encode()"
    lines += [
        f"request = urllib.request.Request({url!r}, {data}, method={method!r})",
        'request.add_header("content-type", "application/json")',
        'request.add_header("authorization", "Bearer " + os.environ["API_KEY"])',
        "print(urllib.request.urlopen(request).read().decode())",
    ]
    return "\n".join(lines)


def _json(body: object) -> str:
    text = json.dumps(body, ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def _url(url: str) -> str:
    return "".join(each if each.isprintable() else quote(each, errors="replace") for each in url)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
