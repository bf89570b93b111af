"""Texts of an answer that are replaced where they stand, also across the deltas of a stream. Sans-IO.

Whoever uses it says what is to be replaced in a text; where that text stands, in how many pieces it came and how it is
written is known here. No provider is. Read the modules in this order:

``spans``        places in a text, and what replaces each
``positions``    where a value is written in JSON text, and where each of its characters came from
``json_prefix``  how far a text is JSON
``body_parts``   the values of a body, and where each of them is written
``channels``     which texts of the values are pieces of one
``changes``      changes of values at paths
``streams``      what is found in joined texts -> changes of their pieces
``bodies``       changes of values -> changes of the body's bytes, whose pieces keep their number
``messages``     the same for the messages of AWS

With it ``redaction`` takes secrets out, and ``matching`` puts the present values of a request into its answer.
"""
