"""``wiretape init``: what a project needs in which calls are recorded.

``templates``   the texts of the files
``command``     which of them a folder needs, and how they are written: nothing that is there is changed
"""
