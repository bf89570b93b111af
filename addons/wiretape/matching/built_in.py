"""What no provider answers by, with the reason for each: rules for everyone, whatever the client is. Data alone.

Only what the provider passes through, bills by or finds its caches by is here; ``user`` and ``safety_identifier`` are
not, as an application may mean them. Ids of calls and items tell what belongs together: they count by the order in
which each first appears. An id that leads to something that the request does not carry itself, as
``previous_response_id`` and that of an ``item_reference`` do, counts as it is.
"""

from wiretape.matching.rules import MatchRule, Selector

_CHAT = Selector(endpoints=("/v1/chat/completions", "/chat/completions"))
_RESPONSES = Selector(endpoints=("/v1/responses", "/responses"))
_OPENAI = Selector(endpoints=(*_CHAT.endpoints, *_RESPONSES.endpoints, "/v1/completions"))
_ANTHROPIC = Selector(endpoints=("*/messages", "*/messages/count_tokens"))
_GEMINI = Selector(endpoints=("*:generateContent", "*:streamGenerateContent", "*:countTokens"))
_BEDROCK = Selector(endpoints=("/model/*",))

BUILT_IN = (
    MatchRule(
        "prompt-cache-key",
        "It chooses the machine whose cache is asked, never the answer.",
        _OPENAI,
        ignore=("$.prompt_cache_key", "$.prompt_cache_retention"),
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
        "metadata.user_id",
        "An id of the user against abuse; no model is shown it.",
        _ANTHROPIC,
        ignore=("$.metadata.user_id",),
    ),
    MatchRule("labels", "They go onto the bill; no model is shown them.", _GEMINI, ignore=("$.labels",)),
    MatchRule("requestMetadata", "It goes into logs; no model is shown it.", _BEDROCK, ignore=("$.requestMetadata",)),
    MatchRule(
        "call-ids",
        "They tell which result is of which call, whatever they are.",
        _CHAT,
        ids=("$.messages[*].tool_calls[*].id", "$.messages[*].tool_call_id"),
    ),
    MatchRule(
        "call-ids",
        "They tell which result is of which call, whatever they are.",
        _RESPONSES,
        ids=("$.input[*].call_id",),
    ),
    MatchRule(
        "item-ids",
        "They name what the request has whole.",
        _RESPONSES,
        ids=("$.input[?@.type != 'item_reference'].id",),
    ),
    MatchRule(
        "call-ids",
        "They tell which result is of which call, whatever they are.",
        _ANTHROPIC,
        ids=("$.messages[*].content[*].id", "$.messages[*].content[*].tool_use_id"),
    ),
    MatchRule(
        "call-ids",
        "They tell which result is of which call, whatever they are.",
        _GEMINI,
        ids=(
            "$.contents[*].parts[*].functionCall.id",
            "$.contents[*].parts[*].functionResponse.id",
            "$.request.contents[*].parts[*].functionCall.id",
            "$.request.contents[*].parts[*].functionResponse.id",
        ),
    ),
    MatchRule(
        "call-ids",
        "They tell which result is of which call, whatever they are.",
        _BEDROCK,
        ids=(
            "$.messages[*].content[*].toolUse.toolUseId",
            "$.messages[*].content[*].toolResult.toolUseId",
            "$.messages[*].content[*].id",
            "$.messages[*].content[*].tool_use_id",
        ),
    ),
)
