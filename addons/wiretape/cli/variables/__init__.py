"""``wiretape env``: the variables of a program's environment, for a shell, an image, a file.

``formats``       how each of them writes a variable
``authorities``   whose CA it is: asked of the proxy, or read from this machine
``command``       what is written and printed

Which variables there are, and what is in them, is ``cli.environment``'s and ``cli.certificates``' affair alone: the
same as those of a command that ``wiretape run`` runs.
"""
