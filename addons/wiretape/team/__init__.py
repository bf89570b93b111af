"""More than one process: what workers have in common, and who starts them. After ``counters`` and ``turns``.

``messages``     bytes on a connection <-> what workers and the coordinator tell each other
``board``        what the coordinator knows: counters of all workers, whose turn it is among takes
``coordinator``  the socket before it, in the process of ``wiretape serve``
``member``       the worker's side: turns that are asked for, counters that are told
``leash``        runs a command that ends with the process that started it
``child``        a process that is to be up: started, watched, started again
``front``        the port that all clients come to, and the balancer behind it

No module here knows mitmproxy: a worker is a command.
"""
