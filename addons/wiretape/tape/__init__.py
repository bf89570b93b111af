"""The recordings of a session, asked and written: look-ups, the index, and why a request has no recording.

How they are asked:

``config``          how a session's tape plays and records, as one value
``names``           what the files of recordings are called
``snapshot``        a session's files as one look-up sees them
``reader``          these files as recordings and captures
``index``           recordings by what they ask; ``indexed``: what it knows of one file
``change_log``      which recordings of a session have come, changed or gone
``collecting``      no look for garbage while very much is made
``recorded_at``     when a recording was made
``ages``            the same for how old one is: by its capture, else by git
``expiry``          whether one is too old to answer
``background``      work that takes too long for whoever needs it first
``likeness``        how much of what rules took out of two requests is equal
``reduced_session`` what a set of rules makes of the recordings of a session
``rule_index``      those of one session that are the same as a request by rules, the likeliest first
``indexes``         the indexes of all sessions of a store
``question``        what a tape is asked
``lookup``          which recordings answer a request
``comparison``      two requests by the rules in force: what differs, and of what kind it is
``recorded_order``  the recordings of a session in the order in which they were made
``loose``           which recordings may stand for a request that they are not the same as
``mismatch``        why a request has no recording: the nearest one, and what differs
``miss_explainer``  what is gathered to say that
``hit``             a request that has a recording
``hit_memory``      the hits of a tape, in memory
``kept_misses``     requests without one, kept on this machine
``tape``            a mode, a session and a store -> hit or miss
``pool``            the tapes of a proxy, one for each session and mode

How they are written:

``conflicts``       when a recording may not take the name it wants
``take_writer``     under which name it is written, and what it replaces
``making``          a live answer -> a recording and its capture, not written yet
``recorder``        a live answer -> a recording and its capture
"""
