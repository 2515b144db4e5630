"""Write MODEL_CARD.md: what the model was made of and how good it is, every number measured here and now."""

import argparse
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from string import Template

import msgspec
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from corpus import CACHE, DATA, SEED, Corpus, load_corpus
from head import fit, positions, probabilities, scores
from measures import Judged
from pointsman.encoder.heads import LinearHead
from pointsman.encoder.model_files import MANIFEST, SHIPPED, Manifest
from sources import SOURCES
from train_domain import CHOSEN
from verify_onnx import Fidelity, fidelity

HELD_OUT = (("mmlu",), ("exams-qa",), ("gaokao-bench",), ("own-templates",))
THRESHOLDS = (0.4, 0.6, 0.8, 0.9)


def main() -> None:
    """Measure everything and write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with domain.jsonl.gz")
    parser.add_argument("--out", type=Path, default=SHIPPED / "MODEL_CARD.md")
    options = parser.parse_args()
    corpus = load_corpus(options.data)
    manifest = msgspec.json.decode((SHIPPED / MANIFEST).read_bytes(), type=Manifest)
    content = (SHIPPED / manifest.heads["domain"]).read_bytes()
    head = LinearHead.from_npz(content, dimension=manifest.dimension, clues=corpus.words.shape[1])
    train, val = corpus.split("train"), corpus.split("val")
    judged = by_head(head, val)
    template = Template((Path(__file__).parent / "card.md").read_text())
    card = template.substitute(
        files=files_table(manifest),
        sources=sources_table(corpus),
        fidelity=fidelity_lines(
            fidelity(options.data, SHIPPED / manifest.graph, CACHE / "encoder-fp32.onnx")
        ),
        temperature=f"{head.temperature:.3f}",
        penalty=CHOSEN.inverse_penalty,
        word_weight=CHOSEN.word_weight,
        overall=overall_table(judged, train, val),
        labels=labels_table(judged),
        kinds=groups_table(judged, [row.kind for row in val.rows]),
        languages=groups_table(judged, [language(row.lang) for row in val.rows]),
        origins=groups_table(judged, [origin(row.source) for row in val.rows]),
        thresholds=thresholds_table(judged),
        confusions=confusions_table(judged),
        held_out=held_out_table(corpus, head.temperature),
    )
    options.out.write_text(card)
    print(f"{options.out}: accuracy {judged.accuracy():.4f}, macro-F1 {judged.macro_f1():.4f}")


def by_head(head: LinearHead, corpus: Corpus) -> Judged:
    """Let a calibrated head judge some rows."""
    found = probabilities(scores(head, corpus), head.temperature)
    return Judged(head.labels, positions(head, corpus.labels), found)


def by_words(train: Corpus, test: Corpus, *, characters: bool = False) -> Judged:
    """Let the baseline judge: TF-IDF of words or of character n-grams, a logistic layer, no encoder."""
    vectors = TfidfVectorizer(sublinear_tf=True, min_df=2)
    if characters:
        vectors.set_params(analyzer="char_wb", ngram_range=(1, 3), min_df=3, max_features=40000)
    model = LogisticRegression(C=10, max_iter=400, random_state=SEED)
    model.fit(vectors.fit_transform([row.text for row in train.rows]), train.labels)
    found = model.predict_proba(vectors.transform([row.text for row in test.rows]))
    place = {str(label): number for number, label in enumerate(model.classes_)}
    truth = np.array([place[label] for label in test.labels])
    return Judged(tuple(place), truth, found)


def by_embedding(train: Corpus, test: Corpus) -> Judged:
    """Let a head judge that sees the embedding and no words, uncalibrated."""
    return by_head(fit(train, replace(CHOSEN, word_weight=0.0)), test)


def table(columns: str, rows: Iterable[Iterable[object]]) -> str:
    """Format a Markdown table with three decimals."""
    names = columns.split(", ")
    lines = [names, ["---"] * len(names)]
    lines += [[f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def files_table(manifest: Manifest) -> str:
    """List the files with size and hash."""
    rows = [
        (name, f"{(SHIPPED / name).stat().st_size:,}", f"`{digest}`")
        for name, digest in manifest.sha256.items()
    ]
    return table("file, bytes, sha256", rows)


def sources_table(corpus: Corpus) -> str:
    """List where the rows come from."""
    counts = Counter((row.source, row.split) for row in corpus.rows)
    rows = [
        (source, counts[source, "train"], counts[source, "val"], *SOURCES[source])
        for source in sorted({row.source for row in corpus.rows})
    ]
    return table("source, train, val, origin, licence", rows)


def fidelity_lines(found: Fidelity) -> str:
    """Say how close int8 is to fp32."""
    return table(
        "texts, cosine min, p1, median, nearest neighbour kept",
        [(found.texts, found.least, found.low, found.median, found.neighbours_kept)],
    )


def overall_table(judged: Judged, train: Corpus, val: Corpus) -> str:
    """Put the head beside simpler ways."""
    ways = [
        ("**this head** (embedding and words)", judged),
        ("embedding alone", by_embedding(train, val)),
        ("baseline: TF-IDF words, no encoder", by_words(train, val)),
        ("baseline: TF-IDF characters (1 to 3), no encoder", by_words(train, val, characters=True)),
    ]
    rows = [(name, way.accuracy(), way.macro_f1(), way.calibration_error()) for name, way in ways]
    return table("judge, accuracy, macro-F1, calibration error", rows)


def labels_table(judged: Judged) -> str:
    """Give each label's figures."""
    return table("label, rows, precision, recall, F1, accuracy (this label or not)", judged.per_label())


def groups_table(judged: Judged, groups: list[str]) -> str:
    """Give the figures of groups of rows, largest group first."""
    marks = np.array(groups)
    parts = [(name, judged.where(marks == name)) for name, _ in Counter(groups).most_common()]
    rows = [(name, len(part.truth), part.accuracy(), part.macro_f1()) for name, part in parts]
    return table("group, rows, accuracy, macro-F1", rows)


def thresholds_table(judged: Judged) -> str:
    """Say what asking for a minimum probability keeps and gains."""
    rows = [(str(threshold), *judged.confident(threshold)) for threshold in THRESHOLDS]
    return table("probability at least, share of rows, accuracy among them", rows)


def confusions_table(judged: Judged) -> str:
    """List the most frequent mistakes."""
    return table("true label, guessed, rows", judged.confusions(8))


def held_out_table(corpus: Corpus, temperature: float) -> str:
    """Train without some sources altogether and judge on all their rows; for evaluation only."""
    rows: list[tuple[object, ...]] = []
    for sources in HELD_OUT:
        held = [row.source in sources for row in corpus.rows]
        test = corpus.where(held)
        train = corpus.where([not mark for mark in held]).split("train")
        ours = by_head(replace(fit(train, CHOSEN), temperature=temperature), test)
        words = by_words(train, test)
        figures = (
            ours.accuracy(),
            ours.macro_f1(),
            ours.calibration_error(),
            words.accuracy(),
            words.macro_f1(),
        )
        rows.append((", ".join(sources), len(test.rows), *figures))
    columns = "never seen, rows, accuracy, macro-F1, calibration error, baseline accuracy, baseline macro-F1"
    return table(columns, rows)


def language(code: str) -> str:
    """Group the languages the product promises apart from the rest."""
    return {"en": "English", "zh": "Chinese"}.get(code, "other languages")


def origin(source: str) -> str:
    """Tell generated questions from real ones."""
    return "generated from templates" if source == "own-templates" else "real questions"


if __name__ == "__main__":
    main()
