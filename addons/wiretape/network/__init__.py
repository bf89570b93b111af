"""Where things listen, where a proxy may lead, and which web pages may ask it. Values in, values out: no socket.

``address``        ``HOST:PORT`` <-> values
``egress``         where a proxy may lead: judged by name, then by address
``dns_rebinding``  refuses the web pages that may not ask it
``cors``           gives the other pages the headers that they need
"""
