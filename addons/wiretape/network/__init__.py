"""Where things listen, where a proxy may lead, and which web pages may ask it. Values in, values out: no socket.

``address``        ``HOST:PORT`` <-> values
``egress``         where a proxy may lead: by name, then by address
``dns_rebinding``  which web pages may not ask it
``cors``           what web pages need that may
"""
