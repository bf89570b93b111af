"""A bucket as a store: S3, Google Cloud Storage and Azure, for any number of proxies at once.

From the tape downwards:

``store``            names + bytes -> bytes, as every store
``spool``            what waits for a bucket that is away
``uploader``         takes it up when the bucket is back; ``take_up``: one entry of it
``objects``          what was seen, for how long it is believed, and writes that depend on it
``shared_reads``     one request at a time for each object; ``cache``: what was seen, in memory and on a disk
``checked_reads``    gives the bytes that were written, or none
``capabilities``     which conditions the server honours
``client``           one request each, through obstore; ``faults``: what its errors mean
``versions``         an object and its version, as values
``circuit_breaker``  tells when it is not worth a request
"""
