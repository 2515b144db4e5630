"""Which texts share a pass."""

SHORT = 32
"""Word pieces, markers included, up to which texts share a pass: a longer one fills a core by itself."""

PADDED = 384
"""Word pieces of one shared pass, padding included: more leave the processor's cache and delay others."""

TEXTS = 16


def grouped(lengths: list[int]) -> list[list[int]]:
    """Split texts of these lengths into passes: short ones of similar length together, long ones alone.

    Gives the places of each pass's texts; every place occurs once.
    """
    groups: list[list[int]] = []
    open_group: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        # Sorted, so the newest is the longest and decides the padding of all.
        fits = len(open_group) < TEXTS and (len(open_group) + 1) * lengths[place] <= PADDED
        if open_group and (lengths[place] > SHORT or not fits):
            groups.append(open_group)
            open_group = []
        open_group.append(place)
    return [*groups, open_group] if open_group else groups
