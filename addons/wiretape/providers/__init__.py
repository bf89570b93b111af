"""What the API of an LLM looks like: which host and path is what, and what requests and answers are made of.

``routing``       host + path -> provider and endpoint
``table``         what TOML says -> the table of providers
``schemas``       the response classes of the SDKs, as data
``stream_ends``   events -> whether a stream is whole, by its endpoint
``job_states``    whether an answer tells of something that has come to its end
``sdk_errors``    an HTTP error <-> its recorded form
``answers``       an answer as values, and why it is none to record
``sdk_answers``, ``passthrough``   recording <-> answer, by the two kinds of endpoints
``wire``          recording <-> status, headers and bytes of an HTTP answer
"""
