"""What no provider answers by, with the reason for each: rules for everyone, whatever the client is. Data alone.

Only what the provider passes through, bills by or finds its caches by is here; ``user`` and ``safety_identifier`` are
not, as an application may mean them. (A Response of OpenAI's repeats ``metadata``: it is the recorded one.)

Ids of calls and items tell what belongs together: they count by the order in which each first appears, where the
request has whole what they name. What leads to something that the provider keeps counts as it is:

    previous_response_id, conversation, container, cachedContent, file ids
    item_reference          it is nothing but an id; such an item needs not tell its type
    reasoning, compaction   without their encrypted content
    calls of hosted tools   searches, images, code: what they found is not always in the item
    results of a call that the request does not have, as after a previous_response_id

An id that one request has and the other has not makes two: a result without an id is told by its place or its name, and
nobody can say whether that is the same call. Gemini and Ollama take calls without ids; there, a client that makes ids
of its own has them in every turn.
"""

from wiretape.matching.rules import MatchRule, Selector

_CHAT = Selector(endpoints=("*/chat/completions", "*/v2/chat", "/api/chat"))
_RESPONSES = Selector(endpoints=("*/responses", "*/responses/compact", "*/responses/input_tokens"))
_OPENAI = Selector(endpoints=(*_CHAT.endpoints, *_RESPONSES.endpoints, "*/completions"))
_ANTHROPIC = Selector(
    endpoints=(
        "/messages",
        "/messages/count_tokens",
        "*/v1/messages",
        "*/v1/messages/count_tokens",
        "*:rawPredict",
        "*:streamRawPredict",
    )
)
_GEMINI = Selector(endpoints=("*:generateContent", "*:streamGenerateContent", "*:countTokens"))
_CODE_ASSIST = Selector(endpoints=("/v1internal:*",))
_CONVERSE = Selector(endpoints=("/model/*/converse", "/model/*/converse-stream"))
_INVOKE = Selector(endpoints=("/model/*/invoke", "/model/*/invoke-with-response-stream"))

_OF_CALLS = "They tell which result is of which call, whatever they are."

_NOT_WHOLE = (
    "compaction",
    "item_reference",
    "reasoning",
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
)
"""Items of which the provider may keep more than the request has."""

_WHOLE = " && ".join(f"@.type != '{each}'" for each in _NOT_WHOLE)

_BLOCK_IDS = ("$.messages[*].content[*].id",)
_BLOCK_REFERENCES = ("$.messages[*].content[*].tool_use_id", "$.messages[*].content[*].caller.tool_id")

BUILT_IN = (
    MatchRule(
        "prompt-cache-key",
        "It chooses the machine whose cache is asked, and how long that is kept, never the answer.",
        _OPENAI,
        ignore=("$.prompt_cache_key", "$.prompt_cache_retention", "$.prompt_cache_isolation_key"),
    ),
    MatchRule(
        "client-metadata",
        "What a client says of itself: it goes into the provider's logs.",
        _OPENAI,
        ignore=("$.client_metadata",),
    ),
    MatchRule(
        "metadata",
        "It is kept with the answer, to find it again; no model is shown it.",
        _OPENAI,
        ignore=("$.metadata",),
    ),
    MatchRule(
        "session_id",
        "It tells which requests are shown together; no model is shown it.",
        Selector(providers=("openrouter",)),
        ignore=("$.session_id", "$.trace"),
    ),
    MatchRule(
        "metadata.user_id",
        "An id of the user against abuse; no model is shown it.",
        Selector(endpoints=(*_ANTHROPIC.endpoints, *_INVOKE.endpoints)),
        ignore=("$.metadata.user_id",),
    ),
    MatchRule(
        "labels",
        "They go onto the bill; no model is shown them.",
        _GEMINI,
        ignore=("$.labels", "$.request.labels"),
    ),
    MatchRule(
        "user_prompt_id",
        "It tells which requests are of one prompt of a user's; no model is shown it.",
        _CODE_ASSIST,
        ignore=("$.user_prompt_id", "$.request.session_id"),
    ),
    MatchRule("requestMetadata", "It goes into logs; no model is shown it.", _CONVERSE, ignore=("$.requestMetadata",)),
    MatchRule(
        "call-ids",
        _OF_CALLS,
        _CHAT,
        ids=("$.messages[*].tool_calls[*].id",),
        references=("$.messages[*].tool_call_id",),
    ),
    MatchRule(
        "call-ids",
        _OF_CALLS,
        _RESPONSES,
        ids=(
            "$.input[?@.type == 'function_call'].call_id",
            "$.input[?@.type == 'custom_tool_call'].call_id",
            "$.input[?@.type == 'computer_call'].call_id",
            "$.input[?@.type == 'local_shell_call'].call_id",
            "$.input[?@.type == 'shell_call'].call_id",
            "$.input[?@.type == 'apply_patch_call'].call_id",
            "$.input[?@.type == 'tool_search_call'].call_id",
        ),
        references=("$.input[*].call_id", "$.input[*].caller.caller_id"),
    ),
    MatchRule(
        "item-ids",
        "They name what the request has whole.",
        _RESPONSES,
        ids=(
            f"$.input[?@.type > '' && {_WHOLE}].id",
            "$.input[?@.role > ''].id",
            "$.input[?@.type == 'reasoning' && @.encrypted_content > ''].id",
            "$.input[?@.type == 'compaction' && @.encrypted_content > ''].id",
        ),
        references=("$.input[?@.type == 'mcp_approval_response'].approval_request_id",),
    ),
    MatchRule("call-ids", _OF_CALLS, _ANTHROPIC, ids=_BLOCK_IDS, references=_BLOCK_REFERENCES),
    MatchRule(
        "call-ids",
        _OF_CALLS,
        _GEMINI,
        ids=("$.contents[*].parts[*].functionCall.id", "$.request.contents[*].parts[*].functionCall.id"),
        references=(
            "$.contents[*].parts[*].functionResponse.id",
            "$.request.contents[*].parts[*].functionResponse.id",
        ),
    ),
    MatchRule(
        "call-ids",
        _OF_CALLS,
        _CONVERSE,
        ids=("$.messages[*].content[*].toolUse.toolUseId",),
        references=("$.messages[*].content[*].toolResult.toolUseId",),
    ),
    MatchRule("call-ids", _OF_CALLS, _INVOKE, ids=_BLOCK_IDS, references=_BLOCK_REFERENCES),
)
