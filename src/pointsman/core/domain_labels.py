"""How subjects are compared: by rules, by classifiers, by whoever analyses rules."""


def domain_label(name: str) -> str:
    """What two spellings of one label have in common: no case, and ``computer_science`` is two words."""
    return name.strip().casefold().replace("_", " ")
