"""Raw scripts that end under nonstop as they end in plain Python, or are refused with nothing changed."""
