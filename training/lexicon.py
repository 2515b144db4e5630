"""Terms of each subject from WordNet 3.0 (Debian package wordnet-base): breadth that no question set has.

A synset belongs to a subject when it carries a topic pointer to one of the subject's fields, or lies below
one of its roots. Each yields a few short prompts around the term or its gloss.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FIELDS: Mapping[str, tuple[str, ...]] = {
    "biology": (
        "biology",
        "botany",
        "zoology",
        "genetics",
        "ecology",
        "physiology",
        "microbiology",
        "cytology",
        "embryology",
        "entomology",
        "ornithology",
        "evolution",
    ),
    "business": (
        "commerce",
        "finance",
        "banking",
        "marketing",
        "advertising",
        "investment",
        "accountancy",
        "business",
        "industry",
        "corporate_finance",
        "insurance",
        "stock_exchange",
    ),
    "chemistry": ("chemistry", "organic_chemistry", "biochemistry", "physical_chemistry", "electrochemistry"),
    "computer science": (
        "computer_science",
        "computing",
        "telecommunication",
        "artificial_intelligence",
        "software_engineering",
        "programming",
        "information_technology",
    ),
    "economics": ("economics", "econometrics", "political_economy", "taxation"),
    "engineering": (
        "engineering",
        "electronics",
        "electricity",
        "electrical_engineering",
        "metallurgy",
        "aeronautics",
        "civil_engineering",
        "mechanical_engineering",
        "navigation",
        "masonry",
        "mining",
        "carpentry",
        "hydraulics",
        "telephone",
        "radio",
    ),
    "health": (
        "medicine",
        "surgery",
        "pathology",
        "anatomy",
        "pharmacology",
        "dentistry",
        "psychiatry",
        "immunology",
        "obstetrics",
        "neurology",
        "oncology",
        "epidemiology",
        "nursing",
    ),
    "history": ("history", "antiquity", "middle_ages", "archeology", "ancient_history", "roman_empire"),
    "law": (
        "law",
        "jurisprudence",
        "criminal_law",
        "civil_law",
        "contract_law",
        "constitutional_law",
        "roman_law",
        "common_law",
    ),
    "math": (
        "mathematics",
        "geometry",
        "statistics",
        "algebra",
        "arithmetic",
        "trigonometry",
        "calculus",
        "topology",
        "set_theory",
        "number_theory",
    ),
    "other": (
        "music",
        "sport",
        "baseball",
        "football",
        "golf",
        "cooking",
        "cookery",
        "linguistics",
        "grammar",
        "politics",
        "diplomacy",
        "military",
        "journalism",
        "sociology",
        "theater",
        "film",
        "poetry",
        "literature",
        "dance",
        "card_game",
        "chess",
        "geography",
        "photography",
        "nautical",
    ),
    "philosophy": (
        "philosophy",
        "logic",
        "theology",
        "religion",
        "christianity",
        "judaism",
        "islam",
        "hinduism",
        "buddhism",
        "ethics",
        "metaphysics",
    ),
    "physics": (
        "physics",
        "astronomy",
        "optics",
        "mechanics",
        "thermodynamics",
        "nuclear_physics",
        "quantum_mechanics",
        "astrophysics",
        "acoustics",
        "meteorology",
        "electromagnetism",
    ),
    "psychology": ("psychology", "psychoanalysis", "psychotherapy", "cognitive_psychology"),
}
ROOTS: Mapping[str, tuple[str, ...]] = {
    "biology": ("organelle", "plant_tissue", "enzyme", "phylum", "bodily_process", "biological_process"),
    "business": ("security", "business_relation", "merchandise", "marketing"),
    "chemistry": ("chemical_element", "compound", "chemical_reaction", "chemical_bond", "isomer"),
    "computer science": (
        "software",
        "data_structure",
        "programming_language",
        "computer_network",
        "algorithm",
    ),
    "economics": ("tax", "economic_policy", "economic_condition", "economic_theory", "market"),
    "engineering": ("engine", "electrical_device", "bridge", "machine", "gear", "semiconductor_device"),
    "health": ("disease", "symptom", "medicine", "medical_procedure", "internal_organ", "injury", "vitamin"),
    "history": ("war", "battle", "revolution", "dynasty", "empire", "treaty"),
    "law": ("legal_document", "crime", "legal_right", "tort", "legal_action", "lawyer", "court"),
    "math": (
        "function",
        "mathematical_statement",
        "plane_figure",
        "statistic",
        "matrix",
        "theorem",
        "equation",
    ),
    "other": ("dish", "game", "musical_instrument", "film", "musical_composition", "clothing", "city"),
    "philosophy": ("philosophical_doctrine", "theological_doctrine", "religious_belief", "religion", "logic"),
    "physics": (
        "elementary_particle",
        "celestial_body",
        "electromagnetic_radiation",
        "force",
        "energy",
        "physical_phenomenon",
        "electromagnetic_unit",
    ),
    "psychology": (
        "mental_disorder",
        "anxiety_disorder",
        "psychological_state",
        "emotion",
        "phobia",
        "personality_disorder",
        "basic_cognitive_process",
    ),
}
FRAMES = (
    "{term}",
    "{term}?",
    "define {term}",
    "what does {term} mean",
    "Explain {term} in simple terms",
    "what is {term} used for",
    "tell me about {term}",
    "{term} examples",
    "How would you describe {term}?",
    "Which term means: {gloss}?",
    "{gloss}",
    "the word for {gloss}",
    "difference between {term} and {other}",
    "{term} vs {other}",
    "I keep reading about {term} and {other}, what are they?",
)
PER_LABEL = 500


@dataclass(frozen=True, slots=True)
class Synset:
    """One sense: its words, what it points to, and its definition."""

    words: tuple[str, ...]
    topics: tuple[tuple[str, str], ...]
    hypernyms: tuple[str, ...]
    gloss: str


def prompts(folder: Path, seed: int) -> Iterator[tuple[str, str]]:
    """Pairs of text and label, at most ``PER_LABEL`` a label."""
    chance = random.Random(seed)
    senses = {
        kind: read(folder / f"data.{name}") for kind, name in (("n", "noun"), ("v", "verb"), ("a", "adj"))
    }
    for label, members in sorted(by_label(senses).items()):
        picked = chance.sample(members, min(PER_LABEL, len(members)))
        for sense in picked:
            other = chance.choice(members)
            yield filled(chance.choice(FRAMES), sense, other), label


def filled(frame: str, sense: Synset, other: Synset) -> str:
    """The frame around one sense."""
    gloss = re.sub(r"^\([^)]*\)\s*", "", sense.gloss.partition(";")[0]).strip()
    term, beside = (chosen.words[0].replace("_", " ") for chosen in (sense, other))
    return frame.format(term=term, other=beside, gloss=gloss)


def by_label(senses: Mapping[str, Mapping[str, Synset]]) -> dict[str, list[Synset]]:
    """Members of each subject; a sense claimed by two subjects belongs to neither."""
    claims: dict[tuple[str, str], set[str]] = defaultdict(set)
    for label, key in (*by_topic(senses), *by_root(senses["n"])):
        claims[key].add(label)
    members: dict[str, list[Synset]] = defaultdict(list)
    for (kind, offset), labels in sorted(claims.items()):
        if len(labels) == 1:
            members[next(iter(labels))].append(senses[kind][offset])
    return members


def by_topic(senses: Mapping[str, Mapping[str, Synset]]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Senses with a topic pointer to one of a subject's fields."""
    nouns = senses["n"]
    for label, fields in FIELDS.items():
        topics = {("n", offset) for offset, sense in nouns.items() if set(sense.words[:2]) & set(fields)}
        for kind, table in senses.items():
            yield from (
                (label, (kind, offset)) for offset, sense in table.items() if topics & set(sense.topics)
            )


def by_root(nouns: Mapping[str, Synset]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Nouns below one of a subject's roots."""
    below = defaultdict(list)
    for offset, sense in nouns.items():
        for parent in sense.hypernyms:
            below[parent].append(offset)
    for label, roots in ROOTS.items():
        waiting = [offset for offset, sense in nouns.items() if sense.words[0] in roots]
        seen: set[str] = set()
        while waiting:
            offset = waiting.pop()
            if offset not in seen:
                seen.add(offset)
                waiting.extend(below[offset])
        yield from ((label, ("n", offset)) for offset in seen)


def read(path: Path) -> dict[str, Synset]:
    """A WordNet data file (wndb(5WN))."""
    found = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith(" "):
            continue
        head, _, gloss = line.partition("|")
        parts = head.split()
        count = int(parts[3], 16)
        words = tuple(re.sub(r"\(.*\)$", "", parts[4 + 2 * i]).lower() for i in range(count))
        at = 4 + 2 * count
        pointers = [parts[at + 1 + 4 * i : at + 5 + 4 * i] for i in range(int(parts[at]))]
        found[parts[0]] = Synset(
            words=words,
            topics=tuple((kind, offset) for symbol, offset, kind, _ in pointers if symbol == ";c"),
            hypernyms=tuple(offset for symbol, offset, *_ in pointers if symbol in {"@", "@i"}),
            gloss=gloss.strip(),
        )
    return found
