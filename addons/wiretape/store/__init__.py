"""Where recordings live. Takes names and bytes, gives bytes; does not know what a recording means."""
