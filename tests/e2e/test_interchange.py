"""The public recorder itself, beside ours: both write the same of one exchange, and each replays what the other wrote.

It is installed into an environment of its own, and only when that is asked for: ``make interchange``.
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from corpus import TEST_ID, assert_same
from harness import Mitmdump, client_env, wait_until
from loopback import Answer, Provider, Received, error_answer, json_answer, sse
from places import ROOT, SUPPORT

pytestmark = [
    pytest.mark.skipif("INTERCHANGE" not in os.environ, reason="the public recorder is only run by: make interchange"),
    pytest.mark.timeout(300),
]

BIN = Path(sys.executable).parent
PUBLIC = ROOT / ".venv" / "interchange"
OPENAI = "https://api.openai.com/v1"
BEDROCK = "https://bedrock-mantle.us-east-2.api.aws/v1"
LOCAL = "http://localhost:8000/v1"
TEST = "tests/integration/inference/test_a.py::test_b[c]"
UUID = "53cc83a4-3e38-412d-90c3-d9e4b6cb8b62"
FOUND = f"[1] document_id: {UUID}, score: 0.0033899223880745244, attributes: {{'page': 1.0}} cite as <|{UUID}|>\nText."


@dataclass(frozen=True)
class Case:
    """A call, and what the provider answers."""

    base: str
    method: str
    arguments: Mapping[str, Any]
    answer: Answer
    test_id: str | None = None
    recorders: tuple[str, ...] = ("ogx", "llama-stack")

    @property
    def said(self) -> Any:
        """The answer's JSON."""
        return json.loads(self.answer.body)

    @property
    def call(self) -> dict[str, Any]:
        each = ("base", "method", "arguments", "test_id")
        return {name: getattr(self, name) for name in each}


def chat(content: Any, answer: Answer, base: str = OPENAI, **more: Any) -> Case:
    case = {name: more.pop(name) for name in ("test_id", "recorders") if name in more}
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": content}], **more}
    return Case(base, "chat.completions.create", asked, answer, **case)


def said(text: str, **more: Any) -> Answer:
    message = {"role": "assistant", "content": text, "reasoning_content": "Hm."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1769817600, "model": "gpt-4o-2024"}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    return json_answer({**head, "choices": [choice], "usage": usage, "time_info": {"queue": 0.1}, **more})


def streamed() -> Answer:
    head = {"id": "chatcmpl-2", "object": "chat.completion.chunk", "created": 1769817600, "model": "gpt-4o-2024"}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, {"content": "Hé"}, {}]
    choices = [
        {"index": 0, "delta": delta, "finish_reason": "stop" if not delta else None, "logprobs": None}
        for delta in deltas
    ]
    usage = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}
    return Answer(steps=list(sse([*({**head, "choices": [each]} for each in choices), {**head, **usage}])))


def completed() -> Answer:
    choice = {"index": 0, "text": " Blue.", "finish_reason": "stop", "logprobs": None}
    head = {"id": "cmpl-1", "object": "text_completion", "created": 1769817600, "model": "m"}
    return json_answer({**head, "choices": [choice]})


def listed(*ids: str) -> Answer:
    models = [{"id": each, "object": "model", "created": 1769817600, "owned_by": "o", "root": each} for each in ids]
    return json_answer({"object": "list", "data": models})


def embedded(embedding: Any) -> Answer:
    item = {"object": "embedding", "index": 0, "embedding": embedding}
    return json_answer(
        {"object": "list", "data": [item], "model": "e", "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    )


TOOL = [
    {"role": "user", "content": "?"},
    {"role": "assistant", "content": "", "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "file_search", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": FOUND}]},
]  # fmt: skip
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
MESSAGES = "https://api.anthropic.com/v1/messages"
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi"}]}
RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1769817600, "status": "completed", "model": "m",
            "output": [], "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}  # fmt: skip
EVENTS = [
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","content":[]}}\n\n',
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
]
OGX = ("ogx",)

CASES = {
    "chat": chat("Hello", said("Hi"), max_tokens=5, temperature=0.123456789, user="0.123456789"),
    "chat with more": chat(
        "Hello", said("Hi"), seed=1, tool_choice="auto", tools=TOOLS, extra_body={"top_k": 1, "guided_choice": ["a"]}
    ),
    "chat with what came later": chat(
        "Hello", said("Hi"), service_tier="auto", reasoning_effort="low", prompt_cache_key="k", recorders=OGX
    ),
    "chat, streamed": chat("Hello", streamed(), stream=True, stream_options={"include_usage": True}),
    "chat of a test": chat("Hello", said("Hi"), test_id=TEST, recorders=OGX),
    "chat with what a search found": chat("", said("Hi"), messages=TOOL, test_id=TEST),
    "chat with a query": chat("Hello", said("Hi"), extra_query={"v": "1", "project_id": "p"}, recorders=OGX),
    "chat for a project": chat("Hello", said("Hi"), extra_body={"project_id": "p"}),
    "chat of Bedrock": chat("Hello, Bedrock", streamed(), BEDROCK, stream=True, stream_options={"include_usage": True}),
    "an error": chat("no", error_answer(400, "no such thing", code="bad"), recorders=OGX),
    "completion": Case(
        OPENAI, "completions.create", {"model": "m", "prompt": "p", "extra_body": {"k": 1}}, completed()
    ),
    "completion alone": Case(OPENAI, "completions.create", {"model": "m", "prompt": "p"}, completed(), recorders=OGX),
    "embeddings": Case(OPENAI, "embeddings.create", {"model": "e", "input": ["a"]}, embedded("AACAPwAAAD8=")),
    "embeddings in numbers": Case(
        OPENAI, "embeddings.create", {"model": "e", "input": "a", "encoding_format": "float"}, embedded([0.1, 1.0])
    ),
    "models": Case(OPENAI, "models.list", {}, listed("b", "a")),
    "models of a test": Case(OPENAI, "models.list", {}, listed("c"), TEST, OGX),
    "models of this machine": Case(LOCAL, "models.list", {}, listed("d")),
    "models of this machine, of a test": Case(LOCAL, "models.list", {}, listed("d", "e"), TEST, OGX),
    "a response": Case(OPENAI, "responses.create", {"model": "m", "input": "i"}, json_answer(RESPONSE), TEST, OGX),
    "messages": Case(
        MESSAGES, "post", {"model": "c", "max_tokens": 1, "messages": []}, json_answer(MESSAGE), TEST, OGX
    ),
    "messages, streamed": Case(
        MESSAGES, "post", {"model": "c", "stream": True, "messages": []}, Answer(steps=list(EVENTS)), TEST, OGX
    ),
}
OF = {name: [each for each, case in CASES.items() if name in case.recorders] for name in ("ogx", "llama-stack")}
FORMS = {"ogx": "2026", "llama-stack": "2025-09"}

each_recorder = pytest.mark.parametrize("both", OF, indirect=True, scope="module")


class Program:
    """The public recorder's process."""

    def __init__(self, python: Path) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  it is open for as long as the process is
        env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._process = subprocess.Popen(
            [python, "-P", "-W", "ignore", SUPPORT / "public_recorder.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=env,
            text=True,
        )

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def ask(
        self,
        call: Mapping[str, Any],
        environment: Mapping[str, str],
        recorder: str = "",
        mode: str = "",
        folder: Path = ROOT,
    ) -> Any:
        told = {"recorder": recorder, "mode": mode, "folder": str(folder)}
        order = told | {"environment": environment, "call": call}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, self._said()
        return json.loads(answer)

    def _said(self) -> str:
        self._process.wait(timeout=60)
        self._errors.seek(0)
        return f"the program has ended: {self._errors.read()[-2000:]}"


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    with Program(installed()) as program:
        yield program


def installed() -> Path:
    """The Python of an environment that has the extra ``interchange``, made where it is not there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted: list[str] = project["project"]["optional-dependencies"]["interchange"]
    ready = PUBLIC / ".ready"
    python = PUBLIC / "bin" / "python"
    if not ready.is_file() or ready.read_text() != "\n".join(wanted):
        made = ["venv", "--clear", "--python", sys.executable, str(PUBLIC)]
        filled = ["pip", "install", "--python", str(python), *wanted]
        for step in (made, filled):
            result = subprocess.run([BIN / "uv", *step], capture_output=True, text=True, check=False)
            if result.returncode:
                pytest.skip(f"the public recorder cannot be had: {result.stderr.strip()[-300:]}")
        ready.write_text("\n".join(wanted))
    return python


@dataclass(frozen=True)
class Both:
    """What both have recorded of the cases that a recorder has."""

    recorder: str
    program: Program
    ours: Path
    theirs: Path
    files: dict[str, tuple[Path, Path]] = field(default_factory=dict)

    def replayed(self, name: str, root: Path) -> Any:
        """What theirs says of a case, from what is below a folder."""
        folder = root / "s" if self.recorder == "llama-stack" else root / "tests" / "integration" / "common"
        return self.program.ask(CASES[name].call, {}, self.recorder, "replay", folder)


def tree(root: Path, recorder: str) -> Path:
    """The folder that a recorder is told, where all that it writes or reads is in ``root / "s" / "responses"``."""
    responses = root / "s" / "responses"
    responses.mkdir(parents=True)
    if recorder == "llama-stack":
        return root / "s"
    for each in ("common", "inference"):
        (root / "tests" / "integration" / each).mkdir(parents=True)
        (root / "tests" / "integration" / each / "recordings").symlink_to(responses)
    return root / "tests" / "integration" / "common"


def files(folder: Path) -> set[Path]:
    return set(folder.glob("[!.]*.json"))


@pytest.fixture(scope="module")
def both(request: pytest.FixtureRequest, program: Program, tmp_path_factory: pytest.TempPathFactory) -> Both:
    recorder: str = request.param
    made = Both(recorder, program, tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("theirs"))
    ours, theirs = made.ours / "s" / "responses", made.theirs / "s" / "responses"
    tree(made.ours, recorder)
    folder = tree(made.theirs, recorder)
    answers: list[Answer] = []
    hosts = ("api.openai.com", "api.anthropic.com", "bedrock-mantle.us-east-2.api.aws")

    def answered(received: Received) -> Answer:
        assert received.header(TEST_ID) is None
        # They ask the server for its version too: what says nothing of it later is not recorded.
        return error_answer(503, "later") if received.path == "/version" else answers[0]

    with Provider(hosts=hosts) as provider, Provider(tls=False) as plain:
        for each in (provider, plain):
            each.on("*", answered)
        origins = {"*": provider.port, "localhost": plain.port}
        with Mitmdump(
            made.ours,
            "record",
            session="s",
            origin=provider,
            options={"wiretape_format": FORMS[recorder]},
            env={"TO_LOOPBACK_ORIGIN": json.dumps(origins)},
        ) as proxy:
            for name in OF[recorder]:
                answers[:] = [CASES[name].answer]
                our, their = files(ours), files(theirs)
                program.ask(CASES[name].call, client_env(proxy), recorder, "record", folder)
                (written,) = wait_until(lambda our=our: files(ours) - our)  # type: ignore[misc]
                (same,) = files(theirs) - their
                made.files[name] = written, same
    return made


@each_recorder
def test_both_write_the_same(both: Both) -> None:
    for name, (our, their) in both.files.items():
        assert our.name == their.name, name
        ours, theirs = (json.loads(each.read_bytes()) for each in (our, their))
        theirs["request"].pop("provider_metadata", None)
        # The order too.
        assert json.dumps(ours["request"]) == json.dumps(theirs["request"]), name
        assert list(ours) == list(theirs), name
        if name == "a response":
            theirs["id_normalization_mapping"] = {f"rec-{our.name[:12]}": "resp_1"}
        if name == "an error":
            # What an SDK says of an answer differs from one to the next; the answer is in ``body`` too.
            for each in (ours["response"], theirs["response"]):
                assert each.pop("exception_message") == each["exception_data"].pop("message")
        # Their SDK is a newer one, and declares more.
        assert_same(theirs, ours, name)


@each_recorder
def test_theirs_replays_ours(both: Both) -> None:
    for name in both.files:
        got = both.replayed(name, both.ours)
        assert got, name
        assert got == both.replayed(name, both.theirs), name


@each_recorder
def test_ours_replays_theirs(both: Both) -> None:
    with Mitmdump(both.theirs, "replay", session="s") as proxy:
        for name in both.files:
            got = both.program.ask(CASES[name].call, client_env(proxy))
            if CASES[name].method == "models.list":
                # Of lists that have one hash theirs gives the union, whatever the host: ours that of who asks.
                assert [each["id"] for each in got] == [each["id"] for each in CASES[name].said["data"]], name
            else:
                assert got == both.replayed(name, both.theirs), name
        assert proxy.connects() == []


@each_recorder
def test_verify_finds_nothing_in_what_both_wrote(both: Both) -> None:
    for folder in (both.theirs, both.ours):
        command = [str(BIN / "wiretape"), "verify", str(folder / "s")]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (result.returncode, result.stdout) == (0, "")
