"""What is done to the mitmproxy that runs us: to its chain of addons, its listeners, its connections.

``supported``    every private part of mitmproxy that we rely on, and what is off where one is another
``host``         what is done to mitmproxy and Python as a whole, and undone
``addon_chain``  mitmproxy's addons, fewer of them for each event
``observers``    whether anybody looks at flows, so that hits have to be flows too
``loopback``     listening on this machine alone, unless told otherwise
``errors``       who broke off a flow, as mitmproxy's text tells it
``tcp_reset``    a client's connection reset, cut, closed or widened from a hook
"""
