"""Several processes: what workers have in common, and who starts them.

``protocol``     bytes on a connection <-> what workers and the coordinator tell each other
``state``        what the coordinator knows: counters of all workers, whose turn it is among takes
``coordinator``  the socket before it, in the process of ``wiretape serve``
``worker``       the worker's side: turns that are asked for, counters that are told
``parent_death`` runs a command that ends with the process that started it
``supervisor``   a process that is to be up: started, watched, started again
``balancer``     the port that all clients come to, and the balancer behind it

No module here knows mitmproxy: a worker is a command.
"""
