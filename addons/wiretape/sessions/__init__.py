"""Who may do what, and where: sessions, tokens, access, and what of them a configuration says.

``model``       a session's name, its choices, what a proxy's credentials ask for
``config``      the sessions of a configuration
``tokens``      who may use which session; ``token_hash``, ``token_file``: what is kept of a token, and where
``access``      a client's credentials -> access, or why there is none
"""
