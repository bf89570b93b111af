"""How fast is it? Run: make bench, or .venv/bin/python tests/bench [--quick] [--only NAME,...] [--runs 5] [--seconds 3]

The reading order:

    machine     cores, processes, the C programs of ``c/``: what everything is started with
    material    the one answer that every server gives, as recordings, as a flow file, as the peers' fixtures
    servers     what is compared: how each is started, how a client comes to it, what it looks at
    hits        answers a second: over HTTP/1.1 and HTTP/2, of many recordings, with a connection each, in reverse mode
    sdk         calls a second of the openai SDK, the client being ``sdk_client``
    size        many recordings: the start, the memory, the first hit of each
    by_rules    hits by rules in a session of many recordings; ``rules``: what a request of 100 kB takes for them
    streams     what recording adds to a live stream, and how well a paced replay keeps its time
    suite       200 tests through the plugin for pytest, beside VCR.py
    report      the figures as Markdown and JSON; ``plot`` as a picture

``balance``, ``bucket``, ``flood``, ``look_alikes``, ``pace``, ``page`` and ``waiting`` are programs of their own and no
part of this.
"""
