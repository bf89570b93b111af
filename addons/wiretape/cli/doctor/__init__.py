"""``wiretape doctor``: looks at what has to be right for programs to be recorded, and tells what to do where it is not.

``finding``          what was found out: ok, a warning or a fault, and what to do
``surroundings``     where it is looked: the environment, the options, what a proxy would make of them
``program``          Python, mitmproxy, the options, ``wiretape.toml``, the extras
``certificate``      the CA of this machine
``listening``        the port of a shared proxy
``proxies``          the variables that name a proxy, and what is past it
``languages``        what each language on the path needs, and whether it has it
``recordings``       the store: reached, written to, sound
``control_api``      what ``WIRETAPE_CONTROL`` names
``journal``          where recordings wait to be written, and what killed proxies have left
``machine``          isolation
``command``          all of it, in order

Nothing is sent to a provider. What waits for a network waits for a bounded time: for the proxy that a variable names,
and for a bucket. No line shows a token, nor the value of a variable that may hold one.
"""
