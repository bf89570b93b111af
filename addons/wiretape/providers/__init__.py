"""What the API of an LLM looks like: which host and path is what, and what requests and answers are made of.

``answers``        an answer as values, and why it is none to record
``usage``          how many tokens an answer tells, as one value for all APIs
``usage_forms``    where each API tells its tokens: a table
``asked_model``    which model a request asks for
``stream_ends``    how far a stream is, and who tells it
``sdk_errors``     an error <-> its recorded form; whether an answer is one
``schemas``        the response classes of the SDKs, as data
``argument_order`` the order of a call's arguments, on the wire and in a recording
``element_streams``   the bytes of an answer -> an SDK's objects, one by one
``elements``       what the endpoints have in common that are kept as an SDK's objects
``base``           what is known of one endpoint, and the registry of all
``gist``           what an answer says, for telling whether two say the same
``dialects``       what is known of an API that is passed on as it is sent
``unknown_events`` when a stream is whole whose API nobody knows
``openai``, ``ollama``   the APIs that are kept as an SDK's objects, a module each
``anthropic``, ``gemini``, ``cohere``, ``bedrock``   those that are passed on
``passthrough``    what is recorded as it is sent
``routing``        host + path -> provider and endpoint
``table``          what TOML says -> the table of providers
``ignoring``       what known programs ask for beside the model
``job_states``     whether an answer tells of something that has come to its end
``wire``           recording <-> status, headers and bytes of an HTTP answer

All that is known of an endpoint is in the module of its API, as one object that is registered here. What else has to do
with requests and answers asks ``base`` for it, and never looks at the endpoint's name.
"""

from wiretape.providers import base, ollama, openai, passthrough

base.register(*openai.FORMATS, *ollama.FORMATS, passthrough.PASSED_ON)
