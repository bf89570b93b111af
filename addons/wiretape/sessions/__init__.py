"""Who may do what, and where: sessions, tokens and access, and what a configuration says about them.

``model``       the name of a session, what may be chosen for it, what credentials ask for
``config``      the sessions of a configuration
``tokens``      who may use which session; ``token_hash``, ``token_file``: what is kept of a token, and where
``scopes``      what is asked for while a proxy runs: scopes of clients, and what holds for a session meanwhile
``access``      the credentials of a client -> access, or why there is none
"""
