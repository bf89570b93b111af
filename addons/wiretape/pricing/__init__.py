"""What tokens cost at a provider: usage, provider and model -> US dollars.

``rates``    the prices of one model, and what a usage costs by them
``names``    what the library of prices calls providers and models
``installed`` whether there is a library of prices; all that a start needs to know
``library``  the prices of the package genai-prices, read late
``memory``   the same on this machine's disk, so that most runs need no library
``rows``     a team's own prices, of ``[[price]]``
``prices``   which of them holds
``budget``   how much a session may spend
``spending`` what it has spent, for all workers on this machine
"""
