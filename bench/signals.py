"""How often the classifiers made of example texts are right, on other texts.

``make bench-signals`` runs it. The texts in ``bench/exemplars`` are by the author of the examples and written
after them; none was changed when results were known, but the method was chosen by them (regression rather
than nearest prototypes). The table goes between the markers in ``docs/signals-learned.md``.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pointsman.config.document import Settings
from pointsman.encoder import Encoder
from pointsman.signals import fact_check, modality, user_feedback
from pointsman.signals.exemplars import ExemplarClassifier, parsed, shipped

PAGE = Path(__file__).parents[1] / "docs" / "signals-learned.md"
TEXTS = Path(__file__).parent / "exemplars"
BEGIN, END = "<!-- make bench-signals: begin -->", "<!-- make bench-signals: end -->"

Texts = Mapping[str, Sequence[str]]
Outcome = Callable[[Mapping[str, float]], str]


def test_texts(name: str) -> Texts:
    """The texts that a classifier is measured on, by what they are."""
    return parsed((TEXTS / f"{name}.txt").read_text("utf-8"))


def shares(
    encoder: Encoder, classifier: ExemplarClassifier, texts: Texts, outcome: Outcome
) -> dict[str, float]:
    """How many texts of each class are taken for it, as a share."""
    return {
        label: sum(outcome(classifier.probabilities(encoder.embed_now(text))) == label for text in each)
        / len(each)
        for label, each in texts.items()
    }


def rows(encoder: Encoder) -> list[str]:
    """A row for each family at the thresholds that documents have by default."""
    modules = Settings(version="v0.3").global_.model_catalog.modules
    needed = modules.hallucination_mitigation.fact_check.threshold
    sure = modules.feedback_detector.threshold
    feedback = ExemplarClassifier.fitted(encoder, user_feedback.texts())
    requests = {
        user_feedback.SATISFIED: [text for each in test_texts("fact_check").values() for text in each]
    }

    def checked(probabilities: Mapping[str, float]) -> str:
        return fact_check.NEEDED if probabilities[fact_check.NEEDED] >= needed else fact_check.NOT_NEEDED

    def felt(probabilities: Mapping[str, float]) -> str:
        return user_feedback.outcome(probabilities, sure)[0]

    def wanted(probabilities: Mapping[str, float]) -> str:
        return modality.Bar().outcome(probabilities, None)

    cases: list[tuple[str, ExemplarClassifier, Texts, Outcome]] = [
        (
            "fact_check",
            ExemplarClassifier.fitted(encoder, shipped("fact_check")),
            test_texts("fact_check"),
            checked,
        ),
        ("user_feedback", feedback, test_texts("user_feedback"), felt),
        ("user_feedback, on new requests", feedback, requests, felt),
        ("modality", ExemplarClassifier.fitted(encoder, shipped("modality")), test_texts("modality"), wanted),
    ]
    return [
        _row(name, texts, shares(encoder, classifier, texts, outcome))
        for name, classifier, texts, outcome in cases
    ]


def _row(name: str, texts: Texts, found: Mapping[str, float]) -> str:
    count = sum(map(len, texts.values()))
    right = sum(found[label] * len(each) for label, each in texts.items()) / count
    parts = ", ".join(f"{label} {share:.0%}" for label, share in found.items())
    return f"| {name} | {count} | {right:.1%} | {parts} |"


def main() -> None:
    """Measure, print, and write the table into the page."""
    encoder = Encoder.load()
    table = "\n".join(["| Family | Texts | Right | By class |", "|---|---|---|---|", *rows(encoder)])
    encoder.close()
    print(table)
    page = PAGE.read_text("utf-8")
    head, _, rest = page.partition(BEGIN)
    PAGE.write_text(f"{head}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    main()
