"""A bucket as a store: S3, Google Cloud Storage and Azure, any number of proxies at once.

Nearest to the tape first:

``store``               names + bytes -> bytes, as every store
``spool``, ``uploader`` what waits for a bucket that is away, and what takes it up
``objects``             what was seen, for how long it is believed, writes that depend on it
``shared_reads``        each is asked for once at a time; ``cache``: what was seen, in memory and on a disk
``capabilities``        which conditions the server honours
``client``              one request each, through obstore; ``circuit_breaker`` tells when it is not worth one
"""
