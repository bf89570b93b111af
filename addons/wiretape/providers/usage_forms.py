"""Where each API tells its tokens, and how it counts them: the table of ``usage``, each row with its source.

What is not said here is as at OpenAI: what was cached is within the input, and what was thought within the output.
"""

from wiretape.providers.usage import UsageForm

CHAT = UsageForm(
    source="https://platform.openai.com/docs/api-reference/chat/object",
    output=("completion_tokens",),
    input=("prompt_tokens",),
    cached=(
        "prompt_tokens_details.cached_tokens",
        # https://api-docs.deepseek.com/api/create-chat-completion: a hit and a miss are the two parts of the prompt.
        "prompt_cache_hit_tokens",
        # https://docs.together.ai/reference/chat-completions and https://platform.moonshot.ai/docs/api/chat
        "cached_tokens",
    ),
    # https://openrouter.ai/docs/use-cases/usage-accounting: within the prompt.
    cache_write=("prompt_tokens_details.cache_write_tokens",),
    reasoning=(
        "completion_tokens_details.reasoning_tokens",
        # https://docs.perplexity.ai/api-reference/chat-completions-post: more than the completion has, so beside it.
        "reasoning_tokens",
    ),
    input_audio=("prompt_tokens_details.audio_tokens",),
    output_audio=("completion_tokens_details.audio_tokens",),
    # https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/grok/capabilities/reasoning: at xAI the
    # completion is without what was thought, which its total shows. At Mistral, Groq, Fireworks, Cerebras it is as at
    # OpenAI.
    total=("total_tokens",),
    billed=(
        # https://docs.x.ai/developers/cost-tracking
        "cost_in_usd_ticks",
        # https://openrouter.ai/docs/use-cases/usage-accounting: a credit is a dollar.
        "cost",
        # https://docs.perplexity.ai/api-reference/chat-completions-post
        "cost.total_cost",
    ),
)
"""Chats, completions and embeddings, as OpenAI has them and most others."""

RESPONSES = UsageForm(
    source="https://platform.openai.com/docs/api-reference/responses/object",
    output=("output_tokens",),
    input=("input_tokens",),
    cached=("input_tokens_details.cached_tokens",),
    cache_write=("input_tokens_details.cache_write_tokens",),
    reasoning=("output_tokens_details.reasoning_tokens",),
    # Images and transcriptions: https://platform.openai.com/docs/api-reference/images/object
    input_audio=("input_token_details.audio_tokens",),
    input_image=("input_tokens_details.image_tokens",),
    output_image=("output_tokens_details.image_tokens",),
    billed=("cost_in_usd_ticks", "cost", "cost.total_cost"),
)
"""Responses, images and transcriptions of OpenAI's."""

ANTHROPIC = UsageForm(
    source="https://docs.claude.com/en/docs/build-with-claude/prompt-caching#tracking-cache-performance",
    output=("output_tokens",),
    input=("input_tokens",),
    cached=("+cache_read_input_tokens",),
    cache_write=("+cache_creation_input_tokens",),
    cache_write_1h=("cache_creation.ephemeral_1h_input_tokens",),
    # Within the output: https://docs.claude.com/en/docs/build-with-claude/extended-thinking#pricing
    reasoning=("output_tokens_details.thinking_tokens",),
    first="message.usage",
    billed=("cost",),
    unless=("input_tokens_details", "input_token_details", "total_tokens"),
)
"""Messages. The first event of a stream tells the input, the last ones the output."""

GEMINI = UsageForm(
    source="https://ai.google.dev/api/generate-content#UsageMetadata",
    output=("candidatesTokenCount",),
    input=("promptTokenCount",),
    cached=("cachedContentTokenCount",),
    reasoning=("+thoughtsTokenCount",),
    input_more=("+toolUsePromptTokenCount",),
    input_audio=("promptTokensDetails.modality=AUDIO.tokenCount",),
    output_audio=("candidatesTokensDetails.modality=AUDIO.tokenCount",),
    input_image=("promptTokensDetails.modality=IMAGE.tokenCount",),
    output_image=("candidatesTokensDetails.modality=IMAGE.tokenCount",),
    within=("usageMetadata",),
)

BEDROCK = UsageForm(
    source="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html",
    output=("outputTokens",),
    input=("inputTokens",),
    # https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html: beside the input.
    cached=("+cacheReadInputTokens",),
    cache_write=("+cacheWriteInputTokens",),
    cache_write_1h=("cacheDetails.ttl=1h.inputTokens",),
)
"""Converse."""

BEDROCK_INVOKE = UsageForm(
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html",
    output=("outputTokenCount",),
    input=("inputTokenCount",),
    cached=("+cacheReadInputTokenCount",),
    cache_write=("+cacheWriteInputTokenCount",),
    within=("amazon-bedrock-invocationMetrics",),
)
"""The last chunk of InvokeModelWithResponseStream, whichever model it is."""

OLLAMA = UsageForm(
    source="https://github.com/ollama/ollama/blob/main/docs/api.md",
    output=("eval_count",),
    input=("prompt_eval_count",),
    within=("",),
)

COHERE = UsageForm(
    source="https://docs.cohere.com/v2/docs/how-does-cohere-pricing-work",
    output=("output_tokens",),
    input=("input_tokens",),
    within=("usage.billed_units", "delta.usage.billed_units", "meta.billed_units", "meta.tokens", "usage.tokens"),
)
"""What is billed goes before what was read: Cohere adds words of its own to a prompt and does not bill them."""
