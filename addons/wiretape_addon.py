"""The script for ``mitmdump -s``: one import, one list."""

from wiretape.proxy.addon import Wiretape

addons = [Wiretape()]
