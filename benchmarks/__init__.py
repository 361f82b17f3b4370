"""Speed beside peers, on the same work, in one run."""
