"""Reports as data: what was seen, with which versions, and what the models must show."""
