"""Several processes behind one port: what the workers have in common, and who starts them.

``protocol``      what workers and the coordinator tell each other, as bytes
``state``         what the coordinator knows: the counters of all workers, and the turns of takes
``coordinator``   the socket of the coordinator, in the process of ``wiretape serve``; it has workers do things
``worker``        the side of a worker: it asks for turns, reports counters, and does what it is told
``parent_death``  runs a command that ends with the process that started it
``supervisor``    keeps a process up: starts it, watches it, starts it again
``balancer``      the port that all clients come to, and the balancer behind it

No module here knows mitmproxy: a worker is a command.
"""
