"""Bytes and texts <-> values. No module here knows a provider, a recording or a proxy.

``content_coding``   undoes gzip, deflate, br and zstd
``body_form``        tells by content type and first bytes what a body is: events, lines, JSON
``sse``              server-sent events; ``ndjson``: lines of JSON; ``eventstream``: the event streams of AWS
``multipart``        form uploads
``json_text``        JSON, fast and of bounded depth
``python_text``      JSON values as Python writes them, in the messages of SDKs
``toml_text``        TOML, of bounded size; ``misspelled``: which name was meant instead of an unknown one
``patterns``         patterns for bytes that are searched for in linear time
``wildcards``        names with ``*`` in them
``embeddings``       numbers <-> base64 of them
``http1``            requests of an HTTP/1.1 connection, chunks of an answer
``http_fields``      what a header and the status of an answer can be
``differences``      where two JSON values differ
``pieces``           a large answer in little memory; ``remade``: its values, ``parts``: its files
``printable``        texts of others, which no terminal obeys
``units``            sizes, and numbers of things
"""
