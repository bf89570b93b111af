"""wiretape: a transparent recording proxy for LLM APIs.

Read the modules in the order in which the data goes:

``providers``   host + path -> provider and endpoint
``request``     request bytes -> the recorded request, its hash, its equality
``multipart``   form uploads -> values, by content
``redaction``   what never reaches a disk
``coding``      gzip, br, zstd -> bytes
``body_form``   a content type and first bytes -> what a body is
``sse``, ``ndjson``, ``eventstream``   bytes -> events, lines, messages
``stream_ends``   events -> whether a stream is whole, by its endpoint
``shapes``      events <-> chunks: the response classes of the SDKs, as data
``jsontext``    JSON text -> values, fast and bounded in depth; ``tomltext`` the same for configurations
``config``      which tables a configuration may have; ``misspelled``: a name that nobody reads, and which was meant
``checks``      what a recording's JSON must be; ``fields``: what a header and a status can be
``who_asked``   whether an error is about who asks, whatever its status says
``recording``   chunks <-> the JSON text of a recording; ``hashing``: how versions of the public recorder name one
``errors``      an HTTP error <-> its recorded form
``embeddings``  numbers <-> base64
``answers``     an answer as values, and why it is none to record
``sdk_answers``, ``passed_on``   recording <-> answer, by the two kinds of endpoints
``wire``        recording <-> status, headers and bytes of an HTTP answer
``capture``     the wire beside the recording <-> JSON text
``pacing``      when each chunk of a replay leaves
``faults``      what goes wrong on purpose; ``wildcards``: names with ``*`` in them
``session``     names of sessions, what may be asked of one; ``sessions``: those that a configuration names
``tokens``      who may use which session; ``tokenhash``, ``tokenfile``: what is kept of a token, and where
``gate``        a client's credentials -> access, or why there is none
``egress``      where a proxy may lead; ``rebinding``: which web pages may not ask it; ``browsers``: what others need
``journal``, ``journal_folder``   a live answer until its recording is written: in a file that survives the process
``journal_key``   what seals that file: in memory alone
``pieces``, ``remade``, ``parts``   a large answer, its values and its files in little memory
``flight``      a live answer that several requests share
``store``       where recordings live, and what of them is in memory; ``freezing``: a session that is read-only
``outline``     a request in few bytes, and which of many are near to one; ``differences``: where two values differ
``miss``        why a request has no recording
``finding``     which recordings answer a request; ``turns``: whose turn it is among takes; ``states``: the last
``aliases``     ids that the form 2026 has replaced, in the requests that send them back
``tape``        the heart: a mode, a session and a store -> hit, miss or record; ``tapes``: one for each session
``write_job``   what has to be known to write a recording
``journal_writer``, ``writer_process``   a process that writes from the journal; ``recovery``: what a killed one left
``isolated``    a process that takes nothing from the folder it is started in
``counters``    what happened, counted
``metrics``     the counters as a page for Prometheus; ``address``: where something listens
``team``        more than one process: their counters, their turns, the port before them
``contents``    what a session holds; ``promoting``: a session's recordings, taken over into another
``parallel``    work on very many files, shared out among processes
``verify``, ``transcript``   whether a recording is sound, and what it says
``shortened``   long texts -> what is shown of them
``printable``   text of others -> text that no terminal obeys; ``units``: sizes -> bytes
``http1``       bytes of a connection -> requests, chunks -> bytes
``proxy``       the mitmproxy addon: the only place where a flow is known
``cli``         the ``wiretape`` command

All but ``proxy``, ``cli``, ``team`` and ``metrics`` take bytes and values and give bytes and values: no socket. Only
the first two know mitmproxy.
"""

__version__ = "0.1.0"
