"""How the public recorder hashes a request, version by version: by the hash it names its file. Under ``recording``.

The look of its recordings has stayed since 2025, their names have not: with each version it left more of a request out
of the hash, so that what changes from run to run would not count. ``RULES`` is the table of its versions, the newest
first. What is written has the hash of one of them (``OLDEST`` for the form 2025-09, ``NEWEST`` for 2026); what is there
may have that of any, and is then as sound as what was written today.

Its patterns are imitated to the letter, in time in proportion to the text. Source: ``api_recorder.py`` of ogx 1.5.0,
1.2.5, 1.0.4 and 0.8.0, of llama-stack 0.7.3, 0.5.4 and 0.3.5, and its ``inference_recorder.py`` of 0.2.23.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import ParseResult, urlparse

_LOCAL_HOSTS = frozenset({"0.0.0.0", "127.0.0.1", "localhost"})  # noqa: S104  names that are compared
_CHANGING = ("extra_body", "extra_query")
"""Arguments of an SDK call that may name a project, which differs between who records and who replays."""


class Lists(Enum):
    """What of the test that asked is in the hash of a list of models."""

    NOTHING = 1
    """No hash of this version knows of tests."""
    LEFT_OUT = 2
    """The member is left out where the path is that of a list."""
    NULL = 3
    """It is null for a list of a host that is not this machine."""


@dataclass(frozen=True, slots=True)
class HashRule:
    """What one version of the recorder counts."""

    since: str
    """The first version that hashes so; where none was released, the time of the recordings that are so named."""
    digits: int = 64
    """Hex digits of the hash that are a name."""
    lists: Lists = Lists.LEFT_OUT
    list_paths: frozenset[str] = frozenset({"/api/tags", "/v1/models"})
    """Paths of a URL that are those of a list whatever the host."""
    rounds: bool = True
    """Whether a number counts by its first five decimals, in texts too."""
    heeds_bedrock: bool = True
    """Whether ``stream_options`` is left out for a host of Bedrock's."""
    heeds_projects: bool = True
    """Whether ``project_id`` is left out of what is sent beside the SDK's own arguments."""
    texts: tuple[Callable[[str], str], ...] = ()
    """What is done to every text."""

    def digest(self, method: str, url: str, body: Any, test_id: str | None) -> str:
        """Return the 64 hex digits of an SDK's call, or of a GET of a list."""
        parsed = urlparse(url)
        counted = self._counted(body)
        if self.heeds_bedrock and "bedrock" in parsed.netloc:
            counted = {key: value for key, value in counted.items() if key != "stream_options"}
        content = {"method": method.upper(), "endpoint": parsed.path, "body": counted}
        match self.lists:
            case Lists.LEFT_OUT if parsed.path not in self.list_paths:
                content["test_id"] = test_id
            case Lists.NULL:
                content["test_id"] = None if self._is_shared(parsed) else test_id
        return _sha256(content)

    def digest_as_sent(self, method: str, url: str, payload: Any, test_id: str | None) -> str:
        """Return the 64 hex digits of a request that is recorded as it was sent."""
        content = {"url": url, "method": method.upper(), "payload": self._counted(payload)}
        if self.lists is not Lists.NOTHING:
            content["test_id"] = test_id
        return _sha256(content)

    def is_shared(self, url: str) -> bool:
        """Return whether a list of models at a URL is one and the same for all tests."""
        return self._is_shared(urlparse(url))

    def _is_shared(self, parsed: ParseResult) -> bool:
        is_of_elsewhere = parsed.path.endswith("/models") and parsed.hostname not in _LOCAL_HOSTS
        return is_of_elsewhere or parsed.path in self.list_paths

    def _counted(self, body: Any) -> Any:
        """Return of a body what counts: of its own members what is kept, and all below it as it is counted."""
        counts_all = not (self.rounds or self.heeds_projects or self.texts)
        return body if counts_all else self._value(body, is_top=True)

    def _value(self, value: Any, *, is_top: bool) -> Any:
        match value:
            case dict():
                return self._members(value, is_top=is_top)
            case list():
                # The recorder takes each element of a list for a body of its own.
                return [self._value(item, is_top=True) for item in value]
            case float() if self.rounds:
                return round(value, 5) if math.isfinite(value) else value
            case str():
                if ":" in value or "<|" in value:  # Else there is nothing that a search gave.
                    for change in self.texts:
                        value = change(value)
                return rounded(value) if self.rounds else value
        return value

    def _members(self, members: Mapping[str, Any], *, is_top: bool) -> dict[str, Any]:
        counted = {key: self._value(item, is_top=False) for key, item in members.items()}
        if is_top and self.heeds_projects:
            for key in _CHANGING:
                if isinstance(extra := counted.get(key), dict):
                    extra.pop("project_id", None)
        return counted


def _sha256(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


# -- what is done to texts ---------------------------------------------------------------------------------------------

# As -?\d+\.\d{4,} finds them, but that a row of digits is looked through once, not again from each of its digits.
_LONG_DECIMAL = re.compile(r"-\d+\.\d{4,}|(?<!\d)\d+\.\d{4,}")
_SIGN_OF_ONE = re.compile(r"\.\d{4}")  # It begins with a letter that re can look for: 30 MB take milliseconds.

_UUID = "[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}"
_SCORE = re.compile(r"score:\s*[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?")
_ATTRIBUTES = re.compile(r"attributes:\s*\{")
_DOCUMENT = re.compile(rf"document_id:\s*{_UUID}")
_CITATION = re.compile(rf"<\|{_UUID}\|>")


def rounded(text: str) -> str:
    """Return a text with its long decimals cut to five digits."""
    if not _SIGN_OF_ONE.search(text):
        return text
    return _LONG_DECIMAL.sub(lambda match: f"{float(match[0]):.5f}", text)


def without_scores(text: str) -> str:
    """Return a text in which the scores that a file search gave are all the same."""
    return _SCORE.sub("score: __NORMALIZED__", text) if "score:" in text else text


def without_attributes(text: str) -> str:
    r"""Return a text without the attributes of files that a search gave: ``,?\s*attributes:\s*\{[^}]*\}``.

    That pattern is quadratic in rows of blanks, and where a brace is not closed.
    """
    if "attributes:" not in text:
        return text
    kept = []
    start = 0
    while found := _ATTRIBUTES.search(text, start):
        end = text.find("}", found.end())
        if end < 0:
            break
        kept.append(text[start : found.start()].rstrip().removesuffix(","))
        start = end + 1
    kept.append(text[start:])
    return "".join(kept)


def without_documents(text: str) -> str:
    """Return a text in which the names that a file search gave to documents are all the same."""
    if "document_id:" in text:
        text = _DOCUMENT.sub("document_id: __NORMALIZED__", text)
    return _CITATION.sub("<|__NORMALIZED__|>", text) if "<|" in text else text


# -- the versions ------------------------------------------------------------------------------------------------------

_WITH_OPENAI = frozenset({"/api/tags", "/v1/models", "/v1/openai/v1/models"})
_SEARCHES = (without_scores, without_attributes, without_documents)

OLDEST = HashRule(
    "llama-stack 0.2", digits=12, lists=Lists.NOTHING, rounds=False, heeds_bedrock=False, heeds_projects=False
)
NEWEST = HashRule("ogx 1.5.0", lists=Lists.NULL, list_paths=frozenset({"/v1/models", "/info"}), texts=_SEARCHES)

RULES = (
    NEWEST,
    HashRule("ogx 1.2.5", lists=Lists.NULL, list_paths=_WITH_OPENAI, texts=_SEARCHES),
    HashRule("ogx 0.8.0", list_paths=_WITH_OPENAI, texts=_SEARCHES),
    HashRule("April 2026", list_paths=_WITH_OPENAI, texts=(without_scores, without_attributes)),
    HashRule("llama-stack 0.7.3", list_paths=_WITH_OPENAI),
    HashRule("llama-stack 0.5.4", list_paths=_WITH_OPENAI, heeds_projects=False),
    HashRule("llama-stack 0.3", heeds_bedrock=False, heeds_projects=False),
    HashRule("October 2025", rounds=False, heeds_bedrock=False, heeds_projects=False),
    OLDEST,
)
"""The versions, the newest first. A version that is not named hashes as the last one before it."""
