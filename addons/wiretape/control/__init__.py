"""The HTTP API of a running proxy: what tests, the page and the command line ask and tell it.

``client``         asks it, with the standard library alone
``overriding``     what it changes: scopes, and what holds for sessions
"""
