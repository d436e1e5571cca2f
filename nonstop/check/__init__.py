"""``check``: rehearses scripts on a scratch database and proves, or disproves, each promise."""
