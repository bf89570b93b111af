"""The mitmproxy front: the only package that knows a flow.

``options``      mitmproxy's options -> values
``addon``        the addon's life; ``guard``: a hook of it that raises has refused; ``reporting``: what it tells others
``loopback``     where it listens
``layering``     which connections have layers of ours; ``onlookers``: who looks at flows, so that they are mitmproxy's
``connections``  who comes in; ``refusals``, ``refusing``: who does not; ``visitors``: who comes to the reverse port
``tunnel``, ``handshake``   a tunnel to a provider, and the TLS inside
``destinations`` where a connection may go; ``agreement``: whether a request says one thing of that
``reading``      how much of a connection is read at once
``revoking``     a token that is taken back closes what it opened
``desk``         bytes and values -> what becomes of a request
``lane``         HTTP/1.1 without a flow; ``stream``, ``admitting``: mitmproxy's layers, with an answer of ours
``pooling``      connections to servers, for clients of HTTP/2; ``patience``: what is read of HTTP/1.1
``playing``      chunks, each in its time; ``breaking``: a connection that is reset
``requests``     a flow's hooks; ``marks``: what a flow is to us
``passing``      what no recording answers; ``conversations``: what has no request that comes before its answer
``sharing``      who shares a live answer
``exchange``     a live answer under recording; ``journaling``: the journal that it goes into
``call_report``  what became of each call, for who asks after a run
``hitlog``, ``printing``    hits in the log, flows on mitmdump's screen
``chain``        mitmproxy's addons, fewer of them for each event
"""
