"""The HTTP API of a running proxy: what tests, the page and the command line ask and tell it.

Read the modules in this order:

``client``         asks it, with the standard library alone
``openapi``        what can be asked: a table, and the document that is made of it
``schemas``        what the answers look like
``refusal``        what is refused, and why
``authorization``  who asks, and what it may
``backend``        what the API is about: one process, or several
``overriding``     what it changes: scopes, and what holds for sessions
``kept``           what the store has of a call or a session
``accounts``       what became of all that was asked in a scope
``scopes``         scopes, from their begins to their accounts
``api``            the answers
``events``         calls as they come
``site``           what is served at an address
``server``         listens, and starts what serves when it is asked first
``app``            the web framework's app: three gates, and then ``api``
``serving``        the web framework's server

Only ``app`` and ``serving`` know the web framework. The pages of counters come from ``metrics``.
"""
