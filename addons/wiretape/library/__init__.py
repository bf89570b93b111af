"""Work on what is stored: checked, read, compared, taken over into another session.

``verify``      whether a file is a sound recording
``transcript``  what a recording says; ``shortening``: long texts -> what is shown of them
``conversation``  what was said, in turns of parts, whichever API it was said to; ``answer_pieces``: those of a stream
``history``     which call came before another in one conversation
``timeline``    when an answer came, piece by piece
``turn_differences``  two conversations beside each other, turn by turn
``steps``       a run of an agent: its calls in order, with what is new in each, and where two runs part
``loosely``     values of which anybody may have written any
``rows``        a recording in a line, for lists of many
``costs``       what the answer of a recording costs
``compare``     what a session holds, and how two differ
``review``      what a reviewer has to see of a request that two sessions answer
``folding``     which recordings rules make one, and whether their answers say the same
``suggestions``  the fewest rules that make misses hits; ``proposals``: those for one
``rule_lines``  rules as lines of ``wiretape.toml``
``promotion``   a session's recordings, taken over into another
``unused``      which recordings nobody asked for
``drift``       how an answer differs from the recorded one; ``answer_shape``: which fields it has;
                ``answer_facts``: what it says of itself
``refreshing``  a recorded request, sent once more
``ledger``      what was found out about recordings, noted so that it need not be found out again
``parallel``    work on very many files, shared out among processes
"""
