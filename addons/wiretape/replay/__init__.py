"""How an answer is played: when its chunks leave, which take it is, what goes wrong with it on purpose.

``playback``       one answer on its way: what leaves now, how long to wait then, how it ends
``pacing``         when each chunk of a replay leaves
``take_counters``  whose turn it is among the takes of a request
``faults``         what goes wrong on purpose; ``fault_config``: what a configuration says of it
``single_flight``  a live answer that several requests share
"""
