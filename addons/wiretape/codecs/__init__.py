"""Bytes and texts <-> values. Knows no provider, no recording and no proxy.

``content_coding``   gzip, deflate, br, zstd -> bytes
``body_form``        a content type and first bytes -> what a body is: events, lines, JSON
``sse``, ``ndjson``  bytes -> events, lines; ``eventstream``: messages of AWS's event streams
``multipart``        form uploads -> values, by content
``json_text``        JSON text -> values, fast and bounded in depth
``python_text``      JSON values as Python writes them, in the messages of SDKs -> values
``toml_text``        TOML text -> values, bounded; ``misspelled``: a name that is none, and which was meant
``wildcards``        names with ``*`` in them
``embeddings``       numbers <-> base64 of them
``http1``            bytes of a connection -> requests, chunks -> bytes
``http_fields``      what a header and a status of an answer can be
``differences``      where two JSON values differ
``pieces``, ``remade``, ``parts``   a large answer, its values and its files in little memory
``printable``        text of others -> text that no terminal obeys
``units``            sizes -> bytes, numbers of things -> words
"""
