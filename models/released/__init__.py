"""Programs over released packages, as they are, and what is claimed of each release; `simcore confirm` runs them."""
