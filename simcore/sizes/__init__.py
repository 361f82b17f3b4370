"""Many models at once: how many workers, permits and clients a system needs, for all sizes that its function builds."""
