"""The recordings of a session, asked and written: look-ups, the index, and why a request has no recording.

``config``    how a tape plays and records, as one value
``index``     recordings by what they ask
``lookup``    which recordings answer a request
``mismatch``  why a request has no recording: the nearest one, and what differs
``tape``      the heart: a mode, a session and a store -> hit, miss or record
``pool``      the tapes of a proxy, one for each session and mode
"""
