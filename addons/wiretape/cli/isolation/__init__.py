"""``wiretape run --isolate``: a command in namespaces of its own, whose only way out is the proxy. Linux alone.

What it promises: whatever the command or a process of its does, no packet leaves but by a connection of TCP that this
process has accepted. The kernel keeps the promise: the network inside has no interface but its own loopback. It needs
neither root nor a program of the system's, and the command is who it was: same user, folder, terminal, process group.

    wiretape run                                           │ namespaces: user, network, mount
                                                           │
    proxy <── CONNECT ── gateway <── listeners ────────────┼── each connection of TCP to another machine, by rules
    servers here <────────┘                                ├── those to a port of this machine that is open, and on
                                                           │   which no process inside listens
    names: a synthetic address for each <── 127.0.0.1:53 ──┼── each question for a name
    lines on stderr <── netlink, the kernel's log ─────────┼── the heads of refused packets: UDP and all else
                                                           │ files of CAs and of the resolver stand over the system's

Two processes. ``enter`` is run as a child, unshares, makes sockets, and becomes the command in the end. All else is
done by ``wiretape run``, which gets those sockets: a socket stays in the network in which it was made, and who has made
a namespace of users may do there what root may. In this order:

1. ``namespaces`` starts ``enter``, which unshares and sends the sockets. From here on nothing can leave.
2. ``namespaces`` maps the user, and sets up by ``netlink`` the address, the routes and the ``rules``.
3. ``command`` serves the sockets: ``gateway``, ``names``, ``refused``; it opens the ports of ``local_servers``.
4. ``enter`` mounts the ``files`` over the system's, and runs the program. Its capabilities end there, but for root's.

Where a step fails, nothing was run yet: the command can still run without isolation, or not at all.

Read ``command`` (what is served), ``namespaces`` and ``enter`` (the set-up), ``rules`` over ``netlink`` (what the
kernel does), then ``gateway``, ``names``, ``local_servers``, ``refused`` and ``files``.
"""
