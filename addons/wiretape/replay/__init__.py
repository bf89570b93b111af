"""How an answer is played: when its chunks leave, which take it is, what goes wrong with it on purpose.

``pacing``         when each chunk of a replay leaves
``take_counters``  whose turn it is among the takes of a request
``faults``         what goes wrong on purpose
``single_flight``  a live answer that several requests share
"""
